import Core

extension BadInput {
    private static let log = ".martlet/lake/silver/visits/_delta_log/00000000000000000000.json"
    private static let database = ".martlet/martlet.db"

    private static func file(_ place: Sandbox, _ table: String) -> String {
        place.files(".martlet/lake/\(table)", ending: ".parquet")[0]
    }

    /// Something done to a table's only data file; put back afterwards under its own name.
    private static func dataFile(
        _ name: String, _ code: String, _ change: @escaping @Sendable (Sandbox, String) throws -> Void
    ) -> BadInput {
        var bad = BadInput(name, ["run"], code, "bronze") { place in
            let path = file(place, "bronze/visits")
            try place.write("kept", bytes: try place.bytes(path))
            try change(place, path)
            // Asks for the table to be read.
            try place.edit(
                "transforms/silver/visits.sql", "WHERE weight IS NOT NULL", "WHERE weight IS NOT NULL AND true")
            try place.write("martlet.path", path)
        }
        bad.mend = { place in try place.write(try place.read("martlet.path"), bytes: try place.bytes("kept")) }
        return bad
    }

    static let state: [BadInput] = [
        BadInput("a database that is none", "metadata.corrupt", "martlet.db", "restore it", restored: [database]) {
            try $0.write(database, "this was a database once, and is not any more")
            try dropLog($0)
        },
        BadInput("a database that ends too early", "metadata.corrupt", "martlet.db", restored: [database]) {
            try $0.write(database, bytes: Array(try $0.bytes(database).prefix(6000)))
            try dropLog($0)
        },
        BadInput("a database overwritten in its middle", "metadata.corrupt", "martlet.db", restored: [database]) {
            var bytes = try $0.bytes(database)
            for index in 4096..<min(bytes.count, 60_000) { bytes[index] = 0x5A }
            try $0.write(database, bytes: bytes)
            try dropLog($0)
        },
        BadInput(
            "a line of a Delta log that is none", "lake.corrupt-log", "00000000000000000000.json:1", restored: [log]
        ) {
            try $0.write(log, "not an action\n")
        },
        BadInput("a Delta log cut in a line", "lake.corrupt-log", "backup", restored: [log]) {
            try $0.write(log, bytes: Array(try $0.bytes(log).dropLast(40)))
        },
        BadInput("an empty entry of a Delta log", "lake.corrupt-log", "empty", restored: [log]) {
            try $0.write(log, "")
        },
        BadInput("a Delta log without its first version", "lake.corrupt-log", "no version 0", restored: [log]) {
            place in
            try place.move(log, to: log.replacing("00.json", with: "01.json"))
        }.mended { place in try place.remove(log.replacing("00.json", with: "01.json")) },
        BadInput("a table of a newer Delta protocol", "lake.unsupported", "deletionVectors", restored: [log]) {
            let text = try $0.read(log).split(separator: "\n").map { line in
                line.contains("\"protocol\"")
                    ? "{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":[\"deletionVectors\"],\"writerFeatures\":[\"deletionVectors\"]}}"
                    : String(line)
            }
            try $0.write(log, text.joined(separator: "\n") + "\n")
        },
        dataFile("a data file that is gone", "lake.missing-file") { try $0.remove($1) },
        dataFile("a data file that ends too early", "lake.corrupt-file") {
            try $0.write($1, bytes: Array(try $0.bytes($1).dropLast(200)))
        },
        dataFile("a data file of nothing", "lake.corrupt-file") { try $0.write($1, "") },
        dataFile("a data file overwritten in its middle", "lake.corrupt-file") { place, path in
            var bytes = try place.bytes(path)
            for index in 200..<(bytes.count / 2) { bytes[index] = 0xA5 }
            try place.write(path, bytes: bytes)
        },
        BadInput(
            "an artifact that is gone", ["predict", "landing/visits/later.csv"], "artifact.missing", "blueprint",
            "backup"
        ) {
            for path in $0.files(".martlet/artifacts", ending: "") where path.split(separator: "/").last?.count == 64 {
                try $0.move(path, to: path + ".gone")
            }
        }.mended { place in
            for path in place.files(".martlet/artifacts", ending: ".gone") {
                try place.move(path, to: String(path.dropLast(5)))
            }
        },
        BadInput("a home that is a file", ["run", "--home", "martlet.yaml"], "disk.failed", "martlet.yaml"),
    ]

    private static func dropLog(_ place: Sandbox) throws {
        for suffix in ["-wal", "-shm"] where place.exists(database + suffix) { try place.remove(database + suffix) }
    }
}
