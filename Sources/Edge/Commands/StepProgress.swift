internal import Core
internal import Registry
internal import Workers
internal import Workflow

/// Shows the steps of a long command on standard error, and reports them to the supervisor of a job.
struct StepProgress {
    private let isTerminal = Output.errorIsTerminal

    var observer: JobObserver { JobObserver(began: begin, ended: end) }

    private func begin(_ progress: JobProgress) {
        ParentWatchdog.current?.report(progress)
        if isTerminal { Output.raw("\r\u{1B}[K  \(progress.step) …", to: 2) }
    }

    private func end(_ entry: Journal.Entry) {
        let mark =
            switch entry.outcome {
            case .done: "✓"
            case .skipped: "·"
            case .refused, .failed: "✗"
            }
        let name = entry.step + String(repeating: " ", count: max(1, 30 - entry.step.count))
        let time = entry.outcome == .skipped ? "" : "  \(tenths(entry.seconds)) s"
        Output.raw(
            (isTerminal ? "\r\u{1B}[K" : "")
                + "\(mark) \(name) \(entry.outcome == .skipped ? "skipped: " : "")\(entry.detail)\(time)".visible
                + "\n",
            to: 2)
    }

    private func tenths(_ seconds: Double) -> String {
        let tenths = Int((seconds * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}
