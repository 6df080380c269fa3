internal import Core
package import Lakehouse

/// What people are told of ingestion on standard error.
extension IngestReport {
    /// What lies in a landing folder and is no data, in one line, and what the source waits for.
    package var landingNotes: [String] {
        var lines: [String] = []
        if let marker = waitsFor {
            lines.append("warning: \(source) waits for \(marker); nothing of it was looked at")
        }
        let others =
            files.filter { $0.outcome == .ignored }.map { ($0.name, $0.warnings.first ?? "no data") }
            + ignored.map { ($0.name, $0.reason) }
        guard !others.isEmpty else { return lines }
        let shown = others.prefix(10).map { "\($0) (\($1))" }.joined(separator: ", ")
        let more = others.count > 10 ? " and \(grouped(others.count - 10)) more" : ""
        lines.append("warning: \(source): left alone in the landing folder: \(shown)\(more)")
        return lines
    }

    /// The warnings about files, each once: of files that share one, the first is named.
    var warningNotes: [String] {
        var order: [String] = []
        var names: [String: [String]] = [:]
        for file in files where file.outcome == .ingested || file.outcome == .changing {
            for warning in file.warnings {
                if names[warning] == nil { order.append(warning) }
                names[warning, default: []].append(file.name)
            }
        }
        return order.map { warning in
            let names = names[warning] ?? []
            let more = names.count > 1 ? " and \(grouped(names.count - 1)) more" : ""
            return "warning: \(source), \(names.first ?? "")\(more): \(warning)"
        }
    }
}
