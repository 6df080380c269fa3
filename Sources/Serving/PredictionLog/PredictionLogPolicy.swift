internal import Core

/// What the answer to a request waits for.
package enum PredictionLogMode: String, Sendable, CaseIterable {
    /// Until its record is on the disk (fsync).
    case strict
    /// Until its record is with the system (write): kept when the process is killed, and on the disk within 100 ms.
    case written
    /// For nothing. What could not be logged is counted as dropped.
    case bestEffort = "best-effort"
}

/// How much is logged, how it is laid out on the disk, and how long it is kept.
package struct PredictionLogPolicy: Sendable, Equatable {
    /// Which share of the requests is logged, from 0 to 1. A request is in by its id alone: the portable uniform number
    /// of its id and seed 0 is below the share. So the same request has the same answer on every server.
    package var share = 1.0
    /// Whether records whose decision is positive are logged whatever the share.
    package var keepsDecisions = false
    /// A segment that has so many bytes is closed, and the next begun.
    package var segmentBytes = 64 << 20
    /// A segment that began so many seconds ago is closed, so that it can be compacted.
    package var segmentSeconds = 300.0
    /// Bytes of each of the two buffers: one is filled while the other is written.
    package var bufferBytes = 4 << 20
    /// The most bytes of records handed over together (``PredictionBlock``). Those that are more than a buffer are not
    /// copied into it: they wait beside it, one block at a time.
    package var blockBytes = 64 << 20
    /// Seconds that such a block waits for the one before it to be written, before it is refused as busy.
    package var blockSeconds = 5.0
    /// Mode `written`: what was acknowledged is on the disk within so many seconds.
    package var syncSeconds = 0.1
    /// Closed segments that are older are removed, compacted or not; `nil` keeps them.
    package var keepSeconds: Double?
    /// When all segments have more bytes, the oldest closed ones are removed, compacted or not; `nil` keeps them.
    package var keepBytes: Int64?
    /// The same as a share of the bytes that the segments have and that are free when the log is opened; `nil` for none.
    ///
    /// Taken once: what others write to the disk later makes it full, and does not make the log forget.
    package var keepShare: Double?

    package init() {}
}

extension PredictionLogPolicy {
    /// Bytes that may be kept; `nil` for no limit. A share never asks for less than what is there already.
    package func mostBytes(own: Int64, free: Int64?) -> Int64? {
        let shared = keepShare.flatMap { share in
            free.map { max(own, Int64(share * (Double($0) + Double(own)))) }
        }
        return [keepBytes, shared].compactMap(\.self).min()
    }

    /// Whether a record is among the share that is kept.
    func wants(_ record: borrowing PredictionRecord) -> Bool {
        if share >= 1 || keepsDecisions && record.decision == true { return true }
        return portableUniform(seed: 0, key: record.loggedID) < share
    }
}
