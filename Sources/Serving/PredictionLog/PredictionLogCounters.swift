/// Counters and state of a prediction log since it was opened, for metrics.
package struct PredictionLogCounters: Sendable, Equatable {
    /// Records taken into the buffer.
    package var appended = 0
    /// Records passed to the operating system (write).
    package var written = 0
    /// Bytes passed to the operating system, with headers and checksums.
    package var bytes = 0
    /// Answered but not logged records: mode `best-effort` with a full buffer, a full or a failed disk.
    package var dropped = 0
    /// Records excluded by the sampling policy.
    package var sampledOut = 0
    /// Records refused, so that the request was not answered: modes `strict` and `written`.
    package var refused = 0
    /// Calls of write for segments.
    package var writes = 0
    /// Calls of fsync for segments.
    package var syncs = 0
    /// Duration of the last fsync in seconds.
    package var lastSyncSeconds = 0.0
    /// Duration of the longest fsync in seconds.
    package var longestSyncSeconds = 0.0
    /// Acknowledgements that waited for a late fsync in mode `written`; one for each record or block.
    package var held = 0
    /// Segments started.
    package var segments = 0
    /// Segments that retention removed, by age or size.
    package var expired = 0
    /// Bytes of the segments that retention removed.
    package var expiredBytes: Int64 = 0
    /// Segments that retention removed before their predictions were in the lake.
    package var expiredUncompacted = 0
    /// Bytes of all segments at the last check by retention.
    package var keptBytes: Int64 = 0
    /// Limit for the bytes of all segments, fixed when the log was opened; `nil` for none.
    package var mostBytes: Int64?
    /// Why the last check by retention failed; `nil` when it succeeded.
    package var retentionTrouble: String?
    /// Files with damaged segment ends that recovery kept for a person to look at.
    package var tornFiles = 0
    /// Bytes of the files with damaged segment ends that recovery kept.
    package var tornFileBytes: Int64 = 0
    /// Whether the log takes no records because the disk is full.
    package var isFull = false
    /// Whether the log takes no records because of a failure.
    package var hasFailed = false
    /// Message of the error by which the log failed; `nil` while it has not.
    package var failure: String?
    /// Bytes in the buffer that are not yet written.
    package var waitingBytes = 0
    /// What recovery found when the log was opened.
    package var recovery = SegmentFolder.Recovery()

    package init() {}

    mutating func note(tornFiles files: [(path: String, bytes: Int64)]) {
        tornFiles = files.count
        tornFileBytes = files.reduce(0) { $0 + $1.bytes }
    }
}
