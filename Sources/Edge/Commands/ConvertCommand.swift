internal import ArgumentParser
internal import CommandComposition
internal import Composition
internal import Core

/// The hidden command `martlet convert`: converts Parquet for HTTP batches as a child of the server. Errors are JSON.
struct ConvertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert", abstract: "Turn a batch's file into CSV or its answer into Parquet.",
        discussion: "Parquet is read from file 3; what else goes in and out are standard input and output.",
        shouldDisplay: false, subcommands: [FromParquet.self, ToParquet.self])

    struct FromParquet: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "from-parquet", abstract: "Print the Parquet in file 3 as CSV.", shouldDisplay: false)

        @Option(help: "A file with more rows is refused.") var mostRows = Int.max

        func run() throws { try ConvertCommand.run { try ParquetConversion.fromParquet(mostRows: mostRows) } }
    }

    struct ToParquet: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "to-parquet", abstract: "Print the CSV from standard input as Parquet.", shouldDisplay: false)

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
