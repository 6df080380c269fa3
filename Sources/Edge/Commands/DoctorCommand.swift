internal import ArgumentParser
internal import CommandComposition
internal import Core

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check libraries, project, contracts, SQL, tables and disk.",
        discussion: """
            Checks the files as they are: configuration and SQL without running anything, the landing folders, every \
            table's bytes, every registered version's artifacts. Exit code 1 when something is wrong (✗); every \
            finding says what to do. Warnings (!) do not change the exit code.
            """,
        examples: ["martlet doctor", "martlet doctor --project hospital --json"])

    @OptionGroup var place: ProjectOptions
    @OptionGroup var format: JSONOption

    func run() throws {
        var findings = Doctor.libraries()
        do { findings += Doctor.project(try place.composition()) } catch let error as MartletError {
            for fault in error.each { findings.append(.init(what: "project", state: .wrong, detail: "\(fault)")) }
        }
        if format.json {
            try Output.json(findings)
        } else {
            for finding in findings {
                let mark =
                    switch finding.state {
                    case .good: "✓"
                    case .warning: "!"
                    case .wrong: "✗"
                    }
                Output.print("\(mark) \(finding.what): \(finding.detail)")
            }
        }
        if findings.contains(where: { $0.state == .wrong }) { throw ExitCode(1) }
    }
}
