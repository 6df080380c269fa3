internal import Core
package import Registry
internal import Training

/// The model card of a version: a page about its purpose, data, quality and limits for those who decide on it.
package struct ModelCard {
    let version: ModelVersion
    let loaded: LoadedVersion

    /// How many runs have been measured on the same test part up to this one.
    let looks: Int

    /// Whether approval and aliases stand on the page; they move after registration, the rest never does.
    let showsStanding: Bool

    package init(_ version: ModelVersion, _ loaded: LoadedVersion, looks: Int, showsStanding: Bool = true) {
        self.looks = looks
        self.version = version
        self.loaded = loaded
        self.showsStanding = showsStanding
    }

    /// The card in Markdown.
    package var markdown: String {
        let record = loaded.record
        let summary = version.summary
        var lines: [String] = ["# \(summary.model), version \(summary.version)", ""]
        if summary.synthetic {
            lines += [
                "> **Synthetic data.** Every figure on this card comes from made-up rows and says nothing about the real world.",
                "",
            ]
        }
        lines += [
            "| | |", "| --- | --- |",
            "| predicts | \(predicted), one row of \(loaded.specification.table) by \(loaded.specification.key) |",
            "| learner | \(record.plan.learner.kind), \(record.rounds) trees |",
        ]
        lines += record.rule.facts.map { "| \($0.name) | \($0.value) |" }
        lines += [
            "| created | \(summary.created.minute) UTC by \(summary.actor), run \(summary.run) |",
            "| model hash | `\(summary.modelHash)` |",
        ]
        if showsStanding {
            let aliases = summary.aliases.map { "@\($0.rawValue)" }.joined(separator: ", ")
            lines += ["| approval | \(approval) |", "| aliases | \(aliases.isEmpty ? "none" : aliases) |"]
        }
        lines += [
            "", "## How good it is", "",
            "On \(grouped(record.test.rows)) untouched test rows"
                + "\(record.test.composition.map { " (\($0))" } ?? "")\(clusters(record)), with 95 % intervals:", "",
            "| metric | value | 95 % interval |", "| --- | --- | --- |",
        ]
        let metrics = type(of: record.plan.task).descriptor.metrics
        for (name, estimate) in metrics.map({ ($0.rawValue, record.test[$0]) }) + record.test.cardRows {
            lines.append("| \(name) | \(number(estimate.value)) | \(interval(estimate)) |")
        }
        lines += record.test.cardLines
        lines += ["", looksSentence]
        if let cv = record.crossValidation {
            lines += [
                "", "In \(cv.folds)-fold cross-validation over all labelled rows:", "", "| metric | mean | sd |",
                "| --- | --- | --- |",
            ]
            for metric in metrics {
                if let summary = cv[metric] {
                    lines.append("| \(metric.rawValue) | \(number(summary.mean)) | \(number(summary.sd)) |")
                }
            }
        }
        lines += ["", "## Quality gates", ""]
        lines +=
            record.gates.isEmpty
            ? ["None asked."] : record.gates.map { "- \($0.passed ? "passed" : "**failed**"): \($0.sentence)" }
        lines += ["", "## Checks of its features", ""] + checks
        lines += ["", "## What it learned from", "", "| part | rows | positive |", "| --- | --- | --- |"]
        for part in SplitPart.allCases {
            if let size = record.parts[part.name], size.rows > 0 {
                let positives = size.positives.map(grouped) ?? "–"
                lines.append("| \(part.name) | \(grouped(size.rows)) | \(positives) |")
            }
        }
        lines += [
            "", splitSentence(record), "",
        ]
        lines += files
        for (name, rows) in (record.infinite ?? [:]).sorted(by: { $0.key < $1.key }) {
            lines += [
                "",
                "**\(name) is infinite in \(grouped(rows)) rows** of the table, which count as missing; a division by zero in the SQL gives this.",
            ]
        }
        lines += ["", "## What it goes by", "", "| feature | share of gain |", "| --- | --- |"]
        for item in record.importance.prefix(15) { lines.append("| \(item.name) | \(percent(item.share)) |") }
        lines += [
            "", "## Limits", "",
            "- The figures hold for rows like the test part: the same sources, units and period.",
            "- Importance says what the model uses, not what causes the outcome.",
            "- `martlet verify \(summary.model)@\(summary.version)` rebuilds it from its bronze data and compares every table and the model.",
        ]
        return lines.joined(separator: "\n") + "\n"
    }

    private var predicted: String {
        let model = loaded.specification
        return model.positive.isEmpty ? model.target : "\(model.target) = \(model.positive)"
    }

    private var checks: [String] {
        guard let checks = loaded.checks else { return ["Not recorded with this version."] }
        let leaks = checks.leaks.sentence
        return ["- \(checks.leaks.unchecked == nil ? "Leaks: \(leaks)" : "Leaks: **\(leaks)**")."]
            + checks.warnings.map { "- **Warning**: \($0)." }
    }

    /// The files it was made from; where they are many, by source.
    private var files: [String] {
        let files = version.run.lineage.files
        func cells(_ rows: Int, _ rejected: Int) -> String { "\(grouped(rows)) | \(grouped(rejected))" }
        guard files.count > 20 else {
            return ["| file | source | rows | refused | SHA-256 |", "| --- | --- | --- | --- | --- |"]
                + files.map { file in
                    "| \(file.name)\(file.synthetic ? " (synthetic)" : "") | \(file.source) | \(cells(file.rows, file.rejected)) | `\(file.digest.short)…` |"
                }
        }
        let sources = Dictionary(grouping: files, by: \.source).sorted { $0.key < $1.key }
        return ["| source | files | rows | refused | from | to |", "| --- | --- | --- | --- | --- | --- |"]
            + sources.map { source, files in
                let synthetic = files.contains { $0.synthetic } ? " (synthetic)" : ""
                let names = files.map(\.name).sorted()
                return
                    "| \(source)\(synthetic) | \(grouped(files.count)) | \(cells(files.reduce(0) { $0 + $1.rows }, files.reduce(0) { $0 + $1.rejected })) | \(names.first ?? "") | \(names.last ?? "") |"
            } + ["", "`martlet runs show \(version.run.id.prefix(12)) --json` lists each of them with its SHA-256."]
    }

    private var looksSentence: String {
        looks < 2
            ? "This is the first run that was measured on this test part."
            : "**\(grouped(looks)) runs have been measured on this test part**, this one included. Each choice among them "
                + "that its figures had a hand in, gates too, makes the figures of the chosen one better than what new rows "
                + "will show; the intervals do not know of it. Another `split.seed`, or later rows, give a fresh test part."
    }

    private var approval: String {
        let approval = version.summary.approval
        switch approval.state {
        case .none: return "not required"
        case .pending: return "**pending**"
        case .approved, .rejected:
            let who = approval.actor.map { " by \($0)" } ?? ""
            let when = approval.at.map { ", \($0.minute) UTC" } ?? ""
            let why = approval.reason.map { " (\($0))" } ?? ""
            return "\(approval.state.rawValue)\(who)\(when)\(why)"
        }
    }

    private func clusters(_ record: ModelRecord) -> String {
        record.test.clusters == record.test.rows
            ? "" : " of \(grouped(record.test.clusters)) \(loaded.specification.group ?? "group")s"
    }

    private func splitSentence(_ record: ModelRecord) -> String {
        let split = record.plan.split
        let group = split.by == .key ? nil : loaded.specification.group
        let by = group.map { "no \($0) stands on both sides" } ?? "by \(loaded.specification.key)"
        switch split.kind {
        case .time: return "Split by time: the test rows are the latest."
        case .hash: return "Split by SHA-256 with seed \(split.seed), \(by)."
        case .stratified: return "Stratified split by SHA-256 with seed \(split.seed)."
        }
    }

    private func interval(_ estimate: Estimate) -> String {
        guard let low = estimate.low, let high = estimate.high else { return "" }
        return "\(number(low)) – \(number(high))"
    }
}
