internal import ArgumentParser
internal import Core
package import PredictionLog
internal import Workflow

/// Command-line options for the prediction log: mode, sampling and retention.
package struct LogOptions: ParsableArguments {
    @Option(
        name: .customLong("log-share"),
        help: ArgumentHelp("Share of requests that is logged, from 0 to 1, by request id.", valueName: "share"))
    var share = 1.0

    @Flag(
        name: .customLong("log-positives"),
        help: "Log every prediction with a positive decision, whatever the share.")
    var positives = false

    @Option(
        name: .customLong("log-keep-days"),
        help: ArgumentHelp(
            "Age in days at which logged predictions are deleted from the log and the lakehouse; 0 for never.",
            valueName: "days"))
    var keepDays = 90.0

    @Option(
        name: .customLong("log-keep-bytes"),
        help: ArgumentHelp(
            "Size above which the oldest predictions of a project's log, or its lakehouse tables, are deleted; 0 for no limit.",
            valueName: "size"))
    var keepBytes = "10GiB"

    @Option(
        name: .customLong("log-keep-share"),
        help: ArgumentHelp(
            "The same limit as a share of its own size and the free disk space, from 0.001 to 1; 0 for no limit.",
            valueName: "share"))
    var keepShare = 0.5

    @Option(
        name: .customLong("compact-minutes"),
        help: ArgumentHelp(
            "Minutes after which closed segments are moved into the lakehouse by the server's workers; 0 for never.",
            valueName: "n"))
    var compactMinutes = 30.0

    /// The options as the policy of the prediction log: days become seconds, 0 becomes `nil` (no limit).
    package var policy: PredictionLogPolicy {
        var policy = PredictionLogPolicy()
        policy.share = share
        policy.keepsDecisions = positives
        policy.keepSeconds = keepDays > 0 ? keepDays * 86_400 : nil
        policy.keepBytes = ByteAmount.bytes(keepBytes)
        policy.keepShare = keepShare > 0 ? keepShare : nil
        return policy
    }

    package init() {}

    /// Seconds after which segments are compacted; `nil` for never.
    package var compactSeconds: Double? { compactMinutes > 0 ? compactMinutes * 60 : nil }

    /// A compaction that keeps to the same.
    var compaction: CompactPredictionsJob {
        CompactPredictionsJob(
            keepDays: keepDays > 0 ? keepDays : nil, keepBytes: ByteAmount.bytes(keepBytes) == nil ? nil : keepBytes,
            keepShare: keepShare > 0 ? keepShare : nil)
    }

    package func validate() throws {
        if !(0...1).contains(share) { throw ValidationError("--log-share must be from 0 to 1.") }
        if !(0...36_500).contains(keepDays) { throw ValidationError("--log-keep-days must be from 0 to 36500.") }
        if keepBytes != "0", ByteAmount.bytes(keepBytes).map({ $0 < 1 << 20 }) ?? true {
            throw ValidationError("--log-keep-bytes must be an amount like 10GiB, at least 1MiB, or 0.")
        }
        if keepShare != 0, !(0.001...1).contains(keepShare) {
            throw ValidationError("--log-keep-share must be from 0.001 to 1, or 0.")
        }
        if !(0...100_000).contains(compactMinutes) {
            throw ValidationError("--compact-minutes must be from 0 to 100000.")
        }
    }
}
