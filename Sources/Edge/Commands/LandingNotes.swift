internal import Lakehouse
internal import Workflow

/// Prints notes about ingestion on stderr.
enum LandingNotes {
    /// What lies in a landing folder and is no data, in one line, and what the source waits for.
    static func others(_ report: IngestReport) -> [String] {
        var lines: [String] = []
        if let marker = report.waitsFor {
            lines.append("warning: \(report.source) waits for \(marker); nothing of it was looked at")
        }
        let others =
            report.files.filter { $0.outcome == .ignored }.map { ($0.name, $0.warnings.first ?? "no data") }
            + report.ignored.map { ($0.name, $0.reason) }
        guard !others.isEmpty else { return lines }
        let shown = others.prefix(10).map { "\($0) (\($1))" }.joined(separator: ", ")
        let more = others.count > 10 ? " and \(grouped(others.count - 10)) more" : ""
        lines.append("warning: \(report.source): left alone in the landing folder: \(shown)\(more)")
        return lines
    }

    /// The warnings about files, each once: of files that share one, the first is named.
    static func warnings(_ report: IngestReport) -> [String] {
        var order: [String] = []
        var files: [String: [String]] = [:]
        for file in report.files where file.outcome == .ingested || file.outcome == .changing {
            for warning in file.warnings {
                if files[warning] == nil { order.append(warning) }
                files[warning, default: []].append(file.name)
            }
        }
        return order.map { warning in
            let names = files[warning] ?? []
            let more = names.count > 1 ? " and \(grouped(names.count - 1)) more" : ""
            return "warning: \(report.source), \(names.first ?? "")\(more): \(warning)"
        }
    }
}
