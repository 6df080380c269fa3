internal import ArgumentParser
internal import CommandComposition
internal import Core
internal import Workflow

struct VerifyCommand: JobCommand {
    static let example = " readmission@3"
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Rebuild a version from its bronze data and compare every table and the model.",
        discussion: "Exit code 2 when something differs; the first table that differs is named.",
        examples: ["martlet verify readmission", "martlet verify readmission@3 --json"])

    @Argument(help: "NAME@NUMBER or NAME@ALIAS.")
    var model: String

    @OptionGroup var place: ProjectOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var format: JSONOption

    func definition() -> VerifyJob { VerifyJob(model: model, threads: threads.threads) }

    func run() throws {
        let report = try definition().perform(in: place.composition(), observer: StepProgress().observer)
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
        if let refusal = report.refusal { throw refusal }
        if !format.json { Output.print("\(report.model)@\(report.version) is what its data and its SQL give.") }
    }
}
