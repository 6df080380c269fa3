/// What a log has done since it was opened, for metrics.
package struct PredictionLogCounters: Sendable, Equatable {
    /// Records taken into the buffer.
    package var appended = 0
    /// Records with the system (write), and their bytes with all that belongs to them.
    package var written = 0
    package var bytes = 0
    /// Records that were answered and are not logged: mode `best-effort` with a full buffer, a full or a failed disk.
    package var dropped = 0
    /// Records that the sampling policy left out.
    package var sampledOut = 0
    /// Records refused, so that the request was not answered: modes `strict` and `written`.
    package var refused = 0
    /// Calls of write, and of fsync for segments.
    package var writes = 0
    package var syncs = 0
    /// Of the last fsync, in seconds; and the longest.
    package var lastSyncSeconds = 0.0
    package var longestSyncSeconds = 0.0
    /// Mode `written`: how often acknowledgements had to wait for a late fsync.
    package var held = 0
    /// Segments begun.
    package var segments = 0
    /// Segments that retention has removed, by age or size, and their bytes; of those, the ones whose predictions were
    /// not in the lake.
    package var expired = 0
    package var expiredBytes: Int64 = 0
    package var expiredUncompacted = 0
    /// Bytes of all segments when they were last looked at, and how many they may be.
    package var keptBytes: Int64 = 0
    package var mostBytes: Int64?
    /// Why retention could not look at the segments the last time; `nil` when it could.
    package var retentionTrouble: String?
    /// Files with damaged ends that stand in the folder, set aside for a person, and their bytes.
    package var setAside = 0
    package var setAsideBytes: Int64 = 0
    /// Whether the log is not taking records, and why.
    package var isFull = false
    package var hasFailed = false
    package var failure: String?
    /// Bytes that wait in the buffer.
    package var waitingBytes = 0
    /// What was found when the log was opened.
    package var recovery = SegmentFolder.Recovery()

    package init() {}

    mutating func note(setAside files: [(path: String, bytes: Int64)]) {
        setAside = files.count
        setAsideBytes = files.reduce(0) { $0 + $1.bytes }
    }
}
