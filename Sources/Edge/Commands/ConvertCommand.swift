internal import ArgumentParser
internal import CommandComposition
internal import Composition
internal import Core

/// The hidden command `martlet convert`: converts Parquet for HTTP batches as a child of the server. Errors are JSON.
struct ConvertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert",
        abstract: "Convert a batch's Parquet file to CSV, or its answer to Parquet.",
        discussion: """
            Parquet is read from file descriptor 3; everything else uses stdin and stdout.
            """,
        shouldDisplay: false,
        subcommands: [FromParquet.self, ToParquet.self])

    struct FromParquet: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "from-parquet",
            abstract: "Print the Parquet in file descriptor 3 as CSV.",
            shouldDisplay: false)

        @Option(help: "A file with more rows is refused.") var mostRows = Int.max

        func run() throws { try ConvertCommand.run { try ParquetConversion.fromParquet(mostRows: mostRows) } }
    }

    struct ToParquet: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "to-parquet",
            abstract: "Print the CSV from stdin as Parquet.",
            shouldDisplay: false)

        @Argument(help: "Names of the columns, a list in JSON.") var columns: String

        func run() throws {
            let names = try JSON.decode([String].self, from: columns)
            try ConvertCommand.run { try ParquetConversion.toParquet(columns: names) }
        }
    }

    private static func run(_ body: () throws -> Void) throws {
        // Predictions and the batch itself go first.
        SystemPlatform.yieldToOthers()
        do { try body() } catch let error as MartletError {
            var told: [String: JSONValue] = [
                "kind": .text(error.kind.rawValue), "code": .text(error.code), "message": .text(error.message),
            ]
            told["remedy"] = error.remedy.map { .text($0) }
            Output.raw(try JSON.text(JSONValue.object(told)) + "\n", to: 2)
            throw ExitCode(error.exitCode)
        }
    }
}
