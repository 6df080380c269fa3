internal import Core
internal import Lakehouse
internal import SQLLineage
internal import SourceFormats
internal import Storage
package import Training

extension Project {
    /// Loads and checks a project: martlet.yaml, the contracts and the SQL files.
    /// - Parameters:
    ///   - splitSeed: replaces the split seed of every model.
    ///   - learners: those that a model may name. Where one refuses a parameter with a key like
    ///     `learner.parameters.num_leaves`, it is told with the line of that key. `nil` takes any: for a program that
    ///     trains nothing.
    package static func load(
        _ folder: String, splitSeed: Int? = nil, learners: LearnerCatalogue?
    ) throws -> Project {
        let path = folder + "/martlet.yaml"
        let file = try YAMLFile(
            path: path, text: try text(path), shape: ConfigSchemas.project(learners: learners?.kinds))
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
                let model = try model(value, learners)
                do { _ = try learners?.make(model.plan) } catch let error as MartletError {
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
        return Project(
            folder: folder, name: name ?? "", metadata: root["metadata"]?.text, sources: sources, models: models,
            transforms: transforms)
    }

    static func contractPath(_ name: String, _ value: YAMLValue, _ folder: String) -> String {
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

    static func text(_ path: String) throws -> String {
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

    private static func transforms(in folder: String) throws -> [Transform] {
        var found: [Transform] = []
        for layer in [Layer.silver, .gold] {
            let directory = "\(folder)/\(layer.rawValue)"
            for entry in try Disk.list(directory) where entry.hasSuffix(".sql") && !entry.hasPrefix(".") {
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
