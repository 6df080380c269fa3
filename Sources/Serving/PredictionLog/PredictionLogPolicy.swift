internal import Core

/// Durability mode: what the response to a request waits for.
package enum PredictionLogMode: String, Sendable, CaseIterable {
    /// Until its record is on the disk (fsync).
    case strict
    /// Until its record is with the system (write): kept when the process is killed, and on the disk within 100 ms.
    case written
    /// For nothing. What could not be logged is counted as dropped.
    case bestEffort = "best-effort"
}

/// Settings of a prediction log: sampling, segment and buffer sizes, retention.
///
/// ```swift
/// var policy = PredictionLogPolicy()
/// policy.share = 0.1
/// policy.keepSeconds = 7 * 86_400
/// ```
package struct PredictionLogPolicy: Sendable, Equatable {
    /// Share of the requests that is logged, 0 to 1.
    ///
    /// A request is in by its id alone: the portable uniform number of its id and seed 0 is below the share. So the
    /// same request has the same result on every server.
    package var share = 1.0
    /// Whether records with a positive decision are logged whatever the share.
    package var keepsDecisions = false
    /// Size in bytes at which a segment is closed and the next started.
    package var segmentBytes = 64 << 20
    /// Age in seconds at which a segment is closed, so that it can be compacted.
    package var segmentSeconds = 300.0
    /// Size in bytes of each of the two buffers: one is filled while the other is written.
    package var bufferBytes = 4 << 20
    /// Most bytes of records appended together (``PredictionBlock``).
    ///
    /// Blocks larger than a buffer are not copied into it: they wait beside it, one block at a time.
    package var blockBytes = 64 << 20
    /// Seconds that a block larger than a buffer waits for the one before it, before it is refused as busy.
    package var blockSeconds = 5.0
    /// Mode `written`: seconds within which acknowledged records are durable.
    package var syncSeconds = 0.1
    /// Age in seconds at which closed segments are removed, compacted or not; `nil` keeps them.
    package var keepSeconds: Double?
    /// Total size in bytes above which the oldest closed segments are removed, compacted or not; `nil` keeps them.
    package var keepBytes: Int64?
    /// Limit of the total size as a share of the disk space of the log when it is opened; `nil` for none.
    ///
    /// The space is what the segments have and what is free. Taken once: what others write to the disk later makes it
    /// full, and does not make the log forget.
    package var keepShare: Double?

    package init() {}
}

extension PredictionLogPolicy {
    /// Returns the limit in bytes from `keepBytes` and `keepShare`; `nil` for no limit.
    ///
    /// A share never asks for less than what is there already.
    package func mostBytes(own: Int64, free: Int64?) -> Int64? {
        let shared = keepShare.flatMap { share in
            free.map { max(own, Int64(share * (Double($0) + Double(own)))) }
        }
        return [keepBytes, shared].compactMap(\.self).min()
    }

    /// Whether a record is among the share that is kept.
    func wants(_ record: borrowing PredictionRecord) -> Bool {
        if share >= 1 || keepsDecisions && record.outcome.decision == true { return true }
        return portableUniform(seed: 0, key: record.loggedID) < share
    }
}
