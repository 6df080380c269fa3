internal import ArgumentParser
internal import CommandComposition
internal import Core
internal import Projects
internal import Registry
internal import Workflow

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Rebuild a version from its bronze data and compare every table and the model.",
        discussion: "Exit code 2 when something differs; the first table that differs is named.")

    @Argument(help: "NAME@NUMBER or NAME@ALIAS.")
    var model: String

    @OptionGroup var place: ProjectOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var format: JSONOption

    func run() throws {
        var settings = try place.settings()
        threads.apply(to: &settings)
        let report = try Composition(settings).withReadingWorkspace { workspace in
            let parsed = try ModelReference(parsing: model)
            let reference =
                parsed.selector == nil ? ModelReference(model: parsed.model, selector: .alias(.champion)) : parsed
            return try workspace.verify(reference) { what in
                if Output.errorIsTerminal { Output.raw("\r\u{1B}[K  rebuilding \(what) …", to: 2) }
            }
        }
        if Output.errorIsTerminal { Output.raw("\r\u{1B}[K", to: 2) }
        if format.json {
            try Output.json(report)
        } else {
            var grid = TextGrid("", "what", "recorded", "rebuilt")
            for check in report.checks {
                grid.rows.append([
                    check.equal ? "✓" : "✗", check.what, String(check.recorded.prefix(32)),
                    check.rebuilt.map { String($0.prefix(32)) } ?? "–",
                ])
            }
            Output.print(grid.text)
        }
        guard let first = report.firstDifference else {
            if !format.json { Output.print("\(report.model)@\(report.version) is what its data and its SQL give.") }
            return
        }
        let problem = report.checks.first { !$0.equal }?.problem.map { " (\($0))" } ?? ""
        throw MartletError(
            .refused, "verify.differs",
            "\(report.model)@\(report.version) cannot be rebuilt: \(first) differs\(problem).",
            remedy: first == "model"
                ? "The tables are equal; compare library versions with `martlet doctor`."
                : "Its data are not what they were when the version was trained; restore them from a backup.")
    }
}
