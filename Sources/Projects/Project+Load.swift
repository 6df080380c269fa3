internal import DelimitedText
package import Lakehouse
package import Training
package import Vocabulary

extension Project {
    /// Reads martlet.yaml, the contracts and the SQL files.
    /// - Parameters:
    ///   - splitSeed: replaces the split seed of every model.
    ///   - check: refuses a learner's parameters that the learner itself does not take. Where the error has a key
    ///     like `learner.parameters.num_leaves`, it is told with the line of that key.
    package static func load(
        _ folder: String, splitSeed: Int? = nil, check: (LearnerPlan) throws -> Void = { _ in }
    ) throws -> Project {
        let path = folder + "/martlet.yaml"
        let file = try YAMLFile(path: path, text: try text(path), shape: Shapes.project)
        let root = file.root
        var faults = file.faults
        /// What the body gives; what it refuses is noted, and the next is looked at.
        func noting<T>(_ body: () throws -> T) throws -> T? {
            do { return try body() } catch let error as MartletError {
                faults.append(error)
                return nil
            }
        }
        // What is not of its shape cannot be read further; the contracts can.
        guard faults.isEmpty else {
            for (name, value) in root["sources"]?.members ?? [] {
                let path = contractPath(name, value, folder)
                if Disk.exists(path) { _ = try noting { try contract(name, path, SourceFormat()) } }
            }
            throw MartletError.first(of: faults) ?? root.failure("config.value", "The file cannot be read.")
        }
        let name = try noting { try identifier(root, "name") }
        let sources = try (root["sources"]?.members ?? []).compactMap { name, value in
            try noting { try source(name, value, folder) }
        }
        if root["sources"]?.members.isEmpty ?? true {
            faults.append(
                root.failure("config.no-sources", "The project has no sources.", remedy: "Add one under sources:."))
        }
        var models = try (root["models"]?.items ?? []).compactMap { value in
            try noting {
                let model = try model(value)
                do { try check(model.plan.learner) } catch let error as MartletError {
                    throw error.sentence().placed(at: value.location(of: error.location?.key))
                }
                return model
            }
        }
        if let splitSeed { for index in models.indices { models[index].plan.split.seed = splitSeed } }
        for (index, model) in models.enumerated()
        where models[..<index].contains(where: { $0.predictions == model.predictions }) {
            faults.append(
                root.failure(
                    "config.repeated-model",
                    "Two models have the name \(model.name), or one that differs in - and _ only."))
        }
        var transforms =
            try noting { try Self.transforms(in: folder + "/" + (root["transforms_folder"]?.text ?? "transforms")) }
            ?? []
        for (name, value) in root["transforms"]?.members ?? [] {
            guard let index = transforms.firstIndex(where: { $0.table.description == name }) else {
                let near = Spelling.nearest(to: name, among: transforms.map(\.table.description))
                faults.append(
                    value.failure(
                        "config.no-transform", "There is no SQL file for the table \(name).",
                        remedy: near.map { "Did you mean \($0)?" } ?? "Write transforms/<layer>/<name>.sql first."))
                continue
            }
            transforms[index].incremental = try noting { try value["incremental"].map { try incremental($0) } } ?? nil
        }
        if let error = MartletError.first(of: faults) { throw error }
        return Project(folder: folder, name: name ?? "", sources: sources, models: models, transforms: transforms)
    }

    private static func contractPath(_ name: String, _ value: YAMLValue, _ folder: String) -> String {
        let given = value["contract"]?.text ?? ""
        return folder + "/" + (given.isEmpty ? "contracts/\(name).yaml" : given)
    }

    private static func incremental(_ value: YAMLValue) throws -> Transform.Incremental {
        Transform.Incremental(
            by: value["by"]?.text ?? "", lookback: try value["lookback"].map { try seconds($0) } ?? 0,
            lookahead: try value["lookahead"].map { try seconds($0) } ?? 0)
    }

    /// A length of time such as "45 days".
    static func seconds(_ value: YAMLValue) throws -> Int {
        let parts = value.text.split(separator: " ")
        let units = ["minute": 60, "hour": 3600, "day": 86_400, "week": 604_800]
        guard parts.count == 2, let count = Int(parts[0]), (0...100_000).contains(count),
            let unit = units[parts[1].hasSuffix("s") ? String(parts[1].dropLast()) : String(parts[1])]
        else {
            throw value.failure(
                "config.duration", "\(value.text) is not a length of time.",
                remedy: "Write a whole number of minutes, hours, days or weeks: 45 days.")
        }
        return count * unit
    }

    private static func text(_ path: String) throws -> String {
        let bytes = try Disk.read(path)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw MartletError(
                .input, "config.encoding", "The file is not UTF-8 text.", at: .init(file: path),
                remedy: "Save it as UTF-8.")
        }
        return text
    }

    private static func identifier(_ value: YAMLValue, _ key: String) throws -> String {
        let name = value[key]?.text ?? ""
        let isPlain = name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_-".contains($0)) }
        guard isPlain, let first = name.first, first.isLetter, name.utf8.count <= 100 else {
            throw (value[key] ?? value).failure(
                "config.name", "\(name) is not a usable name.",
                remedy: "Use letters, digits, - and _, beginning with a letter.")
        }
        return name
    }

    private static func source(_ name: String, _ value: YAMLValue, _ folder: String) throws -> Source {
        guard name.allSatisfy({ $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "_") }),
            name.first?.isLetter == true
        else {
            throw value.failure(
                "config.name", "\(name) is not a usable source name.",
                remedy: "Use lowercase letters, digits and _, beginning with a letter.")
        }
        var format = SourceFormat()
        if let kind = value["format"].flatMap({ SourceFormat.Kind(rawValue: $0.text) }) { format.kind = kind }
        if let csv = value["csv"] {
            if format.kind != .csv { throw csv.failure("config.value", "csv: is for the format csv only.") }
            if let text = csv["delimiter"]?.text {
                guard text == "blanks" || (1...4).contains(text.utf8.count) else {
                    throw csv.failure(
                        "config.value", "The delimiter must have one to four characters, or be blanks for runs of them."
                    )
                }
                format.delimiter = text == "blanks" ? "" : text
            }
            if let text = csv["quote"]?.text {
                guard text.utf8.count <= 1 else {
                    throw csv.failure("config.value", "The quote must be one character.")
                }
                format.quote = text
            }
            if let flag = csv["header"]?.flag { format.header = flag }
            if let value = csv["encoding"] {
                guard let encoding = TextEncoding(value.text) else {
                    throw value.failure(
                        "config.value", "There is no encoding \(value.text).",
                        remedy: Spelling.nearest(to: value.text, among: ["utf-8", "latin-1", "windows-1252", "utf-16"])
                            .map { "Did you mean \($0)?" }
                            ?? "Use utf-8, windows-1252, utf-16 or another name that `iconv -l` lists.")
                }
                format.encoding = encoding
            }
            format.escape = try mark(csv, "escape")
            format.comment = csv["comment"]?.text ?? ""
            let decimal = try mark(csv, "decimal")
            if !decimal.isEmpty { format.decimal = decimal }
            format.thousands = try mark(csv, "thousands")
            guard format.decimal != format.thousands, !("0"..."9").contains(format.decimal) else {
                throw csv.failure("config.value", "decimal and thousands must be two different signs.")
            }
            if let flag = csv["trim"]?.flag { format.trim = flag }
            if let lines = csv["skip_lines"]?.integer { format.skipLines = lines }
            format.missing = csv["missing"]?.items.map(\.text) ?? []
        }
        let contractPath = contractPath(name, value, folder)
        guard Disk.exists(contractPath) else {
            throw value.failure(
                "config.no-contract", "The contract of \(name), \(contractPath), does not exist.",
                remedy: "Write it, or name another file with contract:.")
        }
        let landing = value["landing"]?.text ?? "landing/\(name)"
        var source = Source(
            name: name, contract: try contract(name, contractPath, format), format: format,
            landing: landing.hasPrefix("/") ? landing : folder + "/" + landing)
        source.quiet = value["quiet"]?.integer ?? 0
        if let ready = value["ready"] {
            guard !ready.text.contains("/"), !ready.text.isEmpty else {
                throw ready.failure("config.value", "ready: is the name of a file in the landing folder.")
            }
            source.ready = ready.text
        }
        return source
    }

    /// A setting of one ASCII character; empty when it is not set.
    private static func mark(_ csv: YAMLValue, _ key: String) throws -> String {
        guard let value = csv[key] else { return "" }
        guard value.text.utf8.count <= 1 else {
            throw value.failure("config.value", "\(key) must be one character.")
        }
        return value.text
    }

    private static func contract(_ source: String, _ path: String, _ format: SourceFormat) throws -> Contract {
        let text = try text(path)
        let file = try YAMLFile(path: path, text: text, shape: Shapes.contract)
        let root = file.root
        var faults = file.faults
        let misshapen = faults.compactMap(\.location?.key)
        let columns = (root["columns"]?.members ?? []).compactMap { name, value -> Contract.Column? in
            if misshapen.contains(where: { $0 == value.key || $0.hasPrefix(value.key + ".") }) { return nil }
            do { return try column(name, value) } catch {
                if let error = error as? MartletError { faults.append(error) }
                return nil
            }
        }
        if let error = MartletError.first(of: faults) { throw error }
        guard !columns.isEmpty else { throw root.failure("contract.no-columns", "The contract has no columns.") }
        var seen: Set<String> = []
        for column in columns where !seen.insert(column.name.lowercased()).inserted {
            throw root.failure(
                "contract.repeated-column", "Two columns have the name \(column.name).",
                remedy: "SQL does not tell upper case from lower case.")
        }
        let places = columns.compactMap(\.position)
        if let twice = places.first(where: { place in places.count { $0 == place } > 1 }) {
            throw root.failure("contract.position", "Two columns have the position \(twice).")
        }
        if !format.header, !places.isEmpty, let column = columns.first(where: { $0.position == nil }) {
            throw root.failure(
                "contract.position", "\(column.name) has no position, and other columns have.",
                remedy: "Where files have no header, give a position to all columns or to none.")
        }
        var contract = Contract(source: source, file: path, columns: columns)
        for item in root["key"]?.items ?? [] {
            guard columns.contains(where: { $0.name == item.text }) else {
                let near = Spelling.nearest(to: item.text, among: columns.map(\.name))
                throw item.failure(
                    "contract.key", "The key names \(item.text), which is no column.",
                    remedy: near.map { "Did you mean \($0)?" })
            }
            if columns.first(where: { $0.name == item.text })?.optional == true {
                throw item.failure(
                    "contract.key", "The key column \(item.text) is optional, and a row without it has no key.",
                    remedy: "Take away optional: true, or leave the column out of the key.")
            }
            contract.key.append(item.text)
        }
        if let text = root["on_violation"]?.text { contract.onViolation = .init(rawValue: text) ?? .rejectRow }
        if let text = root["on_key_conflict"]?.text { contract.onKeyConflict = .init(rawValue: text) ?? .reject }
        if let share = root["max_rejected"]?.number { contract.maxRejected = share }
        contract.eventTime = try root["event_time"].map { try moment($0, columns) }
        contract.availableAt = try root["available_at"].map { try moment($0, columns) }
        for (name, value) in root["columns"]?.members ?? [] {
            guard let given = value["available_at"], let index = contract.columns.firstIndex(where: { $0.name == name })
            else { continue }
            contract.columns[index].availableAt = try availability(given, contract)
        }
        contract.revision = revision(contract, format)
        return contract
    }

    /// Changes with what decides which rows are taken and how they are read: not with comments and descriptions, units,
    /// or with what says since when something is known.
    private static func revision(_ contract: Contract, _ format: SourceFormat) -> String {
        var terms = [
            format.settings, "\(contract.onViolation)", "\(contract.maxRejected ?? -1)", "\(contract.onKeyConflict)",
        ]
        terms += contract.key.map { "key \($0)" }
        for column in contract.columns {
            terms.append(
                "\([column.name, "\(column.type)"]) \(column.from) \(column.position ?? 0) \(column.nullable) \(column.optional) "
                    + "\([column.min, column.max, column.pattern, column.format]) \(column.allowed) \(column.missing) "
                    + "\(column.onViolation.map { $0.rawValue } ?? "as the contract")")
        }
        return Digest(of: terms.joined(separator: "\n")).hex
    }

    /// The name of a column that holds moments.
    private static func moment(_ value: YAMLValue, _ columns: [Contract.Column]) throws -> String {
        guard let column = columns.first(where: { $0.name == value.text }) else {
            let near = Spelling.nearest(to: value.text, among: columns.map(\.name))
            throw value.failure(
                "contract.time", "\(value.text) is no column of the contract.",
                remedy: near.map { "Did you mean \($0)?" })
        }
        guard [.timestamp, .date, .bigint, .integer].contains(column.type) else {
            throw value.failure(
                "contract.time",
                "\(column.name) is \(column.type); a moment is a timestamp, a date or a number that rises with time.")
        }
        return column.name
    }

    /// `available_at` of a column: another column, or in words when no column says it.
    private static func availability(_ value: YAMLValue, _ contract: Contract) throws -> String {
        switch Availability(value.text) {
        case .afterwards: return value.text
        case .next(let entity):
            guard let column = contract.columns.first(where: { $0.name == entity }) else {
                let near = Spelling.nearest(to: entity, among: contract.columns.map(\.name))
                throw value.failure(
                    "contract.time", "\(entity) is no column of the contract.",
                    remedy: near.map { "Did you mean \($0)?" })
            }
            guard contract.eventTime != nil else {
                throw value.failure(
                    "contract.time", "The next row of the same \(column.name) is one by event_time, which is not set.",
                    remedy: "Add event_time: to the contract.")
            }
            return "next \(column.name)"
        default: return try moment(value, contract.columns)
        }
    }

    private static func column(_ name: String, _ value: YAMLValue) throws -> Contract.Column {
        if name.hasPrefix("_") {
            throw value.failure(
                "contract.reserved", "Names that begin with _ are Martlet's own.", remedy: "Rename \(name).")
        }
        let spelling = value["type"]?.text ?? ""
        guard let type = ColumnType(spelling) else {
            let near = Spelling.nearest(to: spelling, among: ColumnType.spellings)
            throw (value["type"] ?? value).failure(
                "contract.type", "There is no type \(spelling).",
                remedy: near.map { "Did you mean \($0)?" } ?? "Types: \(ColumnType.spellings.joined(separator: ", ")).")
        }
        var column = Contract.Column(name: name, type: type)
        column.from = value["from"]?.items.map(\.text) ?? []
        column.position = value["position"]?.integer
        if let position = value["position"], !column.from.isEmpty {
            throw position.failure("contract.position", "from: and position: both say where \(name) stands.")
        }
        column.nullable = value["nullable"]?.flag ?? true
        column.optional = value["optional"]?.flag ?? false
        column.min = try bound(value["min"], type)
        column.max = try bound(value["max"], type)
        column.allowed = try (value["allowed"]?.items ?? []).map { try bound($0, type, ordered: false) ?? "" }
        column.pattern = value["pattern"]?.text
        column.format = value["format"]?.text
        column.unit = value["unit"]?.text
        column.missing = value["missing"]?.items.map(\.text) ?? []
        column.onViolation = value["on_violation"].flatMap { .init(rawValue: $0.text) }
        if column.format != nil, type != .date, type != .timestamp {
            throw value.failure("contract.format", "format: is for dates and timestamps only.")
        }
        if let pattern = value["pattern"], type != .text {
            throw pattern.failure("contract.pattern", "pattern: is for text only.", remedy: "Use min and max.")
        }
        if let low = column.min.flatMap({ Double($0) }), let high = column.max.flatMap({ Double($0) }), low > high {
            throw value.failure("contract.range", "min \(low) is above max \(high).")
        }
        // Dates in ISO 8601 sort as texts.
        if type == .date || type == .timestamp, column.format == nil, let low = column.min, let high = column.max,
            low > high
        {
            throw value.failure("contract.range", "min \(low) is above max \(high).")
        }
        return column
    }

    /// A bound as written, after a look whether it can be one of this type.
    private static func bound(_ value: YAMLValue?, _ type: ColumnType, ordered: Bool = true) throws -> String? {
        guard let value else { return nil }
        switch type {
        case .bigint, .integer, .double, .decimal:
            guard value.number != nil else {
                throw value.failure("contract.bound", "\(value.text) is not a number, and the column is \(type).")
            }
            if type == .bigint || type == .integer, let number = value.number, number != number.rounded() {
                throw value.failure("contract.bound", "\(value.text) is not a whole number, and the column is \(type).")
            }
        case .text, .boolean:
            if type == .boolean, !ordered, value.flag == nil {
                throw value.failure("contract.bound", "\(value.text) is neither true nor false.")
            }
            if ordered { throw value.failure("contract.bound", "min and max are for numbers, dates and timestamps.") }
        case .date, .timestamp:
            // "epoch" and "infinity" are moments to the engine.
            guard value.text.contains(where: \.isNumber) else {
                throw value.failure(
                    "contract.bound", "\(value.text) is not a \(type).",
                    remedy: "Write it as the column's format has it, or as 2024-02-29.")
            }
        }
        return value.text
    }

    private static func transforms(in folder: String) throws -> [Transform] {
        var found: [Transform] = []
        for layer in [Layer.silver, .gold] {
            let directory = "\(folder)/\(layer.rawValue)"
            for entry in Disk.list(directory) where entry.hasSuffix(".sql") && !entry.hasPrefix(".") {
                let path = "\(directory)/\(entry)"
                let name = String(entry.dropLast(4))
                guard name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }),
                    name.first?.isNumber == false
                else {
                    throw MartletError(
                        .input, "transform.name", "\(name) is not a usable table name.", at: .init(file: path),
                        remedy: "Name the file with letters, digits and _, beginning with a letter.")
                }
                if let other = found.first(where: { $0.table == TableName(layer, name) }) {
                    throw MartletError(
                        .input, "transform.repeated",
                        "\(Disk.name(of: other.file)) makes the table \(other.table) already.",
                        at: .init(file: path), remedy: "Keep one of the two files.")
                }
                found.append(Transform(table: TableName(layer, name), file: path, sql: try text(path)))
            }
        }
        return found
    }
}
