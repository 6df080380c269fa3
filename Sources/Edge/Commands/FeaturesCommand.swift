internal import ArgumentParser
internal import CommandComposition
internal import Core
internal import Registry
internal import Workflow

/// The hidden command `martlet features`: the feature worker, a child of the server; protocol: docs/process.md.
struct FeaturesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "features",
        abstract: "Compute feature rows from raw rows: JSON lines on stdin and stdout.",
        discussion: """
            Ends at the end of stdin.
            """,
        shouldDisplay: false)

    @Option(help: "The model (default: the only one).") var model: String?
    @Option(help: "The version whose SQL counts (default: the project's SQL).") var version: String?
    @Option(help: "Rows of the table that are computed again before the first request.") var prove = 64
    @Flag(help: "Keep no rows for later records.") var forgetful = false
    @OptionGroup var place: ProjectOptions

    func run() throws {
        let handler: FeatureRequestHandler
        do {
            let ready = try place.composition().featureHandler(
                model: model, version: try version.map { try ModelReference(parsing: $0) }, proof: max(0, prove),
                keepsRows: !forgetful)
            handler = ready.handler
            if handler.skipped.rows > 0 {
                Output.note(
                    "warning: \(handler.skipped.rows) stored \(handler.skipped.rows == 1 ? "row does" : "rows do") not fit the contract "
                        + "any more and \(handler.skipped.rows == 1 ? "does" : "do") not count: "
                        + "\(handler.skipped.reason ?? "no reason")")
            }
            _ = Output.deliver(try JSON.text(ready.greeting) + "\n")
        } catch let error as MartletError {
            _ = Output.deliver(
                try JSON.text(JSONValue.object(["ready": .flag(false), "error": FeatureRequestHandler.json(error)]))
                    + "\n")
            throw error
        }
        while let line = readLine() {
            let answer = try handler.answer(Array(line.utf8))
            guard Output.deliver(String(decoding: answer, as: UTF8.self) + "\n") else { return }
        }
    }
}
