internal import Core
internal import DuckDB
internal import Lakehouse
internal import SQLLineage
internal import Storage

// DuckDB's messages as messages for people: what failed, where, what to do.

extension DuckDBLakeEngine {
    /// Turns DuckDB's error for a person's SQL into a message with its place.
    func explained<T>(_ query: Query, _ body: () throws -> T) throws -> T {
        do { return try body() } catch let error as DuckDBError { throw explain(error, query) }
    }

    func explain(_ error: DuckDBError, _ query: Query) -> MartletError {
        let lines = error.message.split(separator: "\n", omittingEmptySubsequences: true).map(String.init)
        let message = lines.first ?? error.message
        var location = MartletError.Location(file: query.file)
        var remedy: String?
        for line in lines.dropFirst() {
            if line.hasPrefix("LINE "), let colon = line.firstIndex(of: ":") {
                location.line = Int(line[line.index(line.startIndex, offsetBy: 5)..<colon])
            } else if line.hasPrefix("Did you mean") || line.hasPrefix("Candidate") {
                remedy = line
            }
        }
        if let told = noSuchColumn(message, lines, query, location) { return told }
        if message.contains("Input/output error") { return Self.ioError(error) }
        if message.contains("Failed to read file") || message.contains("ZSTD Decompression") {
            let path = message.split(separator: "\"").first { $0.hasSuffix(".parquet") }.map(String.init)
            return MartletError(
                .input, "lake.corrupt-file", "A data file of the table cannot be read: \(message)",
                at: path.map { .init(file: $0) }, remedy: "Restore it from a backup.")
        }
        switch error.category {
        case "IO", "Fatal":
            return Self.ioError(error)
        case "Out of Memory":
            return MartletError(
                .machine, "engine.memory", "The query needs more memory than it may use: \(message)", at: location,
                remedy: "Raise the limit with MARTLET_MEMORY, e.g. MARTLET_MEMORY=4GB, or make the query smaller.")
        case "Conversion", "Out of Range", "Invalid Input", "Invalid":
            return MartletError(
                .input, "sql.value", "\(made(by: query))A value does not fit: \(message)", at: location,
                remedy: remedy
                    ?? "Make it fit in the SQL: TRY_CAST gives null where a value is no such type, nullif(x, 0) a divisor."
            )
        default:
            return MartletError(
                .input, "sql.invalid", "\(made(by: query))\(message)", at: location,
                remedy: remedy ?? "Correct the SQL; `martlet doctor` checks all of it without running anything.")
        }
    }

    /// The table that the SQL of a transform makes, for the beginning of a message.
    private func made(by query: Query) -> String {
        guard let file = query.file, file.hasSuffix(".sql") else { return "" }
        let layer = Disk.name(of: Disk.parent(of: file))
        return Layer(rawValue: layer) == nil ? "" : "\(layer).\(Disk.name(of: file).dropLast(4)): "
    }

    /// A name that none of the tables has: says where it was looked for, and what it may have meant.
    private func noSuchColumn(
        _ message: String, _ lines: [String], _ query: Query, _ location: MartletError.Location
    ) -> MartletError? {
        let quoted = message.split(separator: "\"", omittingEmptySubsequences: false).map(String.init)
        let name: String
        if message.hasPrefix("Referenced column"), quoted.count > 1 {
            name = quoted[1]
        } else if message.contains("does not have a column named"), quoted.count > 3 {
            name = quoted[3]
        } else {
            return nil
        }
        let tables = Set(query.inputs.keys).union(query.shapes.keys).sorted()
        let known = tables.flatMap { table in
            (try? fields(of: "SELECT * FROM \(table.layer.rawValue).\(Quote.name(table.name))"))?.map(\.name) ?? []
        }
        let candidates = lines.filter { $0.hasPrefix("Candidate") || $0.hasPrefix("Did you mean") }.flatMap { line in
            line.split(separator: "\"", omittingEmptySubsequences: false).enumerated().filter { $0.offset % 2 == 1 }
                .map { String($0.element) }
        }
        let near = Spelling.nearest(to: name, among: known + candidates)
        let names = (known.isEmpty ? candidates : known).prefix(12).joined(separator: ", ")
        let place = tables.map(\.description).joined(separator: " or ")
        return MartletError(
            .input, "sql.invalid",
            "\(made(by: query))There is no column \(name)\(place.isEmpty ? "" : " in \(place)").", at: location,
            remedy: near.map { "Did you mean \($0)?" } ?? (names.isEmpty ? nil : "There are: \(names)."))
    }

    /// Whether the machine failed and not what the file holds: such a file is not refused, it waits for its turn.
    static func isMachineFailure(_ error: DuckDBError) -> Bool {
        if error.category == "Fatal" { return true }
        guard error.category == "IO" else { return false }
        let signs = [
            "Could not write", "Could not sync", "Could not truncate", "No space left", "quota", "Input/output error",
            "Interrupted system call", "Too many open files", "Permission denied", "Read-only file system",
            "Stale file handle", "Cannot allocate memory",
        ]
        return signs.contains { error.message.contains($0) }
    }

    static func ioError(_ error: DuckDBError) -> MartletError {
        let text = error.message
        if text.contains("No space left") || text.contains("Disk quota") {
            return MartletError(
                .machine, "disk.full", "The disk is full: \(text)",
                remedy: "Free some space and run the same command again; it goes on where it stopped.")
        }
        return MartletError(.machine, "disk.failed", text)
    }

    /// Names the damaged file when Parquet cannot be read.
    func reading<T>(_ files: [String], _ body: () throws -> T) throws -> T {
        do { return try body() } catch let error as DuckDBError {
            for file in files where !Disk.exists(file) {
                throw MartletError(
                    .input, "lake.missing-file", "The table's data file is gone.", at: .init(file: file),
                    remedy: "Restore it from a backup, or ingest the original file into a new project.")
            }
            if error.message.contains("Input/output error") { throw Self.ioError(error) }
            throw MartletError(
                .input, "lake.corrupt-file", "A data file of the table cannot be read: \(error.message)",
                at: files.count == 1 ? .init(file: files[0]) : nil, remedy: "Restore it from a backup.")
        }
    }
}
