internal import ArgumentParser
internal import CommandComposition
internal import Core
internal import Registry
internal import Workflow

extension Stage: ExpressibleByArgument {}

struct RunCommand: JobCommand {
    static let example = " --priority 5 --key nightly"
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run all stages: ingest, transform, train, register, predict.",
        discussion: "Steps whose inputs have not changed are skipped; an interrupted run continues where it stopped.",
        examples: ["martlet run", "martlet run --from train --to register", "martlet run --split-seed 7 --json"])

    @Option(help: ArgumentHelp("Begin at this stage.", valueName: "stage"))
    var from: Stage = .ingest

    @Option(help: ArgumentHelp("Stop after this stage.", valueName: "stage"))
    var to: Stage = .predict

    @Option(help: ArgumentHelp("Use this split seed in place of the one in martlet.yaml.", valueName: "n"))
    var splitSeed: Int?

    @Flag(help: "Leave the work to a `martlet worker`, as `martlet jobs submit run` does.")
    var detach = false

    @OptionGroup var place: ProjectOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var format: JSONOption

    func definition() -> RunJob {
        RunJob(from: from, to: to, splitSeed: splitSeed, threads: threads.threads)
    }

    func run() throws {
        if detach { return try OrderOptions.parse([]).submit(self) }
        let result = try definition().perform(in: place.composition(), observer: StepProgress().observer)
        if format.json { try Output.json(result) } else { for model in result.report.models { show(model) } }
        for line in result.notes { Output.note(line) }
        if let refusal = result.refusal { throw refusal }
    }

    private func show(_ model: RunReport.Model) {
        guard !model.gates.isEmpty || model.version != nil else { return }
        Output.print("")
        for gate in model.gates { Output.print("\(gate.passed ? "✓" : "✗") gate \(gate.sentence(number))") }
        guard let version = model.version else { return }
        let name = "\(version.model)@\(version.version)"
        if version.synthetic {
            Output.print("\(name) was trained on synthetic rows: its figures say nothing about the real world.")
        }
        switch version.approval.state {
        case .pending: Output.print("\(name) waits for approval: martlet models approve \(name)")
        case .rejected:
            let reason = version.approval.reason.map { ": \($0)" } ?? ""
            Output.print(
                "\(name), which is this model, was rejected\(reason). It is never served; change what it learns from.")
        default: Output.print("Next: martlet models card \(name) · martlet predict FILE · martlet verify \(name)")
        }
    }
}
