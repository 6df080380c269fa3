internal import ArgumentParser
internal import CommandComposition
internal import Core
internal import Projects
internal import Workflow

struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Recompute features as of past moments and compare them with the table.",
        discussion: """
            The sources are restricted to what was known at each moment. A feature that differs used later data, \
            whatever the SQL looks like. Exit code 2 when one differs.
            """,
        examples: ["martlet replay", "martlet replay --model readmission --moments 10"])

    @Option(help: "The model (default: the only one).") var model: String?
    @Option(help: "Number of moments, spread evenly over the table's rows.") var moments = 3
    @OptionGroup var place: ProjectOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var format: JSONOption

    func run() throws {
        var settings = try place.settings()
        threads.apply(to: &settings)
        let report = try Composition(settings).withReadingWorkspace { workspace in
            try workspace.replay(try workspace.project.model(model), moments: min(max(1, moments), 1000)) { moment in
                if Output.errorIsTerminal { Output.raw("\r\u{1B}[K  as of \(moment) …", to: 2) }
            }
        }
        if Output.errorIsTerminal { Output.raw("\r\u{1B}[K", to: 2) }
        if format.json {
            try Output.json(report)
        } else {
            if !report.differences.isEmpty {
                var grid = TextGrid("moment", "feature", "rows", "key", "with the future", "without")
                for difference in report.differences {
                    grid.rows.append([
                        difference.moment, difference.feature, "\(difference.rows)", difference.key ?? "",
                        difference.with ?? "–", difference.without ?? "–",
                    ])
                }
                Output.print(grid.text)
            }
            Output.print(
                "\(report.model): \(report.rows) rows at \(report.moments.count) moments, \(report.features) features, \(report.differences.count) differences"
            )
        }
        guard let first = report.differences.first else { return }
        throw MartletError(
            .refused, "replay.differs",
            "\(first.feature) was not the same at \(first.moment) as it is in the table: it knows what came later.",
            remedy: "`martlet lineage \(first.feature)` shows what it is made of.")
    }
}
