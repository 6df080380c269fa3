internal import Core
internal import PredictionLog
internal import Registry

/// Moves closed segments of the prediction log into the lake, and removes the oldest rows there.
package struct CompactPredictionsJob: JobDefinition {
    package static let kind = "compact-predictions"
    package static let isExclusive = false

    /// Rows that were moved more days ago are removed; `nil` keeps them.
    package var keepDays: Double?
    /// The oldest rows are removed while all take more: an amount like "10GiB"; `nil` keeps them.
    package var keepBytes: String?
    /// The oldest rows are removed while all take more than this share, 0 to 1, of their own and the free bytes;
    /// `nil` keeps them.
    package var keepShare: Double?
    /// Whether segments stay, as files named `.compacted`, until the log's retention removes them.
    package var keepSegments: Bool?

    package init(
        keepDays: Double? = nil, keepBytes: String? = nil, keepShare: Double? = nil, keepSegments: Bool = false
    ) {
        self.keepDays = keepDays
        self.keepBytes = keepBytes
        self.keepShare = keepShare
        self.keepSegments = keepSegments
    }

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case keepDays = "keep_days"
        case keepBytes = "keep_bytes"
        case keepShare = "keep_share"
        case keepSegments = "keep_segments"
    }

    /// Names of the members of the job's JSON object.
    package static var members: [String] { CodingKeys.allCases.map(\.rawValue) }
    package var job: Job { .compactPredictions(self) }

    package var arguments: [String] {
        var words = keepSegments == true ? ["--keep-segments"] : []
        if let keepDays { words += ["--keep-days", "\(keepDays)"] }
        if let keepBytes { words += ["--keep-bytes", keepBytes] }
        if let keepShare { words += ["--keep-share", "\(keepShare)"] }
        return words
    }

    package func validate() throws {
        if let keepDays, !(keepDays > 0 && keepDays <= 36_500) {
            throw Job.refusal("--keep-days must be more than 0, and 36500 at most.")
        }
        if let keepShare, !(keepShare > 0 && keepShare <= 1) {
            throw Job.refusal("--keep-share must be more than 0, and 1 at most.")
        }
        if let keepBytes, ByteAmount.bytes(keepBytes) == nil {
            throw Job.refusal("--keep-bytes must be an amount like 10GiB.")
        }
    }

    package func perform(
        in environment: some JobEnvironment, observer: JobObserver
    ) throws -> PredictionCompaction.Report {
        try environment.compactPredictions(keepSegments: keepSegments ?? false, retention: retention)
    }

    private var retention: PredictionLogPolicy? {
        guard keepDays != nil || keepBytes != nil || keepShare != nil else { return nil }
        var policy = PredictionLogPolicy()
        policy.keepSeconds = keepDays.map { $0 * 86_400 }
        policy.keepBytes = keepBytes.flatMap { ByteAmount.bytes($0) }
        policy.keepShare = keepShare
        return policy
    }
}

extension PredictionCompaction.Report: JobResult {
    package var notes: [String] { tornFiles.map { "warning: damaged, and set aside for a person: \($0)" } }
}
