internal import Core
internal import Storage
internal import Synchronization

/// Writes batches of records to segment files and makes them durable.
///
/// Everything but ``shared`` and ``syncRound()`` is for the log's writer thread alone.
final class SegmentWriter: @unchecked Sendable {
    // Unchecked: `segment`, `next` and `lock` are used in `begin()` before the threads are started, and by the writer
    // thread alone after that. The rest is immutable or behind a mutex.

    /// The segment being written.
    struct Segment {
        let file: any SegmentFile
        let path: String
        let salt: UInt32
        /// Uptime when it began.
        let begun: Double
        /// Bytes of whole frames.
        var bytes = SegmentHeader.bytes
        var records = 0
        /// The sources that it has, by number.
        var sources: Set<UInt16> = []
    }

    struct Shared {
        var counters = PredictionLogCounters()
        /// Files written to since their last fsync, and whether the folder has a new name.
        var pending: [any SegmentFile] = []
        var namesPending = false
        /// Segments that are over. The mark of the end is written when what stands before it is durable: a power cut may
        /// otherwise leave the mark, and a hole before it.
        var ended: [Segment] = []
        /// Uptime of the oldest acknowledgement that is not durable: of those in a round that is going on, of others.
        var syncingSince: Double?
        var since: Double?
        /// Acknowledgements that wait for a late fsync.
        var held: [LogBuffer.Waiter] = []
        /// Invariant 2: set once, by a failed fsync.
        var failure: MartletError?
        /// Uptime at which the segment is to be closed; `nil` while it is empty.
        var segmentDue: Double?
        var current: String?
        var isRetentionDue = true
        var isFinished = false
    }

    let folder: SegmentFolder
    let mode: PredictionLogMode
    let policy: PredictionLogPolicy
    let disk: any SegmentDisk
    let context: ExecutionContext
    let shared: Mutex<Shared>
    /// Held during a round of fsync.
    let round = Mutex(())
    let alarm: Alarm
    /// Bytes that all segments may take (``PredictionLogPolicy/mostBytes(own:free:)``), and each of them.
    let mostBytes: Int64?
    private let segmentBytes: Int

    private let id: String
    private var lock: FileLock?
    private var segment: Segment?
    private var next = 1
    /// Uptime before which no other segment is tried while there is one that takes records.
    private var nextCreation = 0.0

    init(
        folder: SegmentFolder, lock: FileLock, mode: PredictionLogMode, policy: PredictionLogPolicy,
        disk: any SegmentDisk, context: ExecutionContext, recovery: SegmentFolder.Recovery
    ) throws {
        self.folder = folder
        self.lock = lock
        self.mode = mode
        self.policy = policy
        self.disk = disk
        self.context = context
        id = context.newID()
        alarm = Alarm(clock: context.clock)
        let own = try folder.bytes()
        mostBytes = policy.mostBytes(own: own, free: disk.freeBytes(folder.path))
        // Only whole segments are removed, so several of them have to fit.
        segmentBytes = min(policy.segmentBytes, mostBytes.map { Int(max(1 << 20, $0 / 8)) } ?? .max)
        let tornFiles = try folder.tornFiles()
        shared = Mutex(Shared())
        shared.withLock { shared in
            shared.counters.recovery = recovery
            shared.counters.note(tornFiles: tornFiles)
            shared.counters.keptBytes = own
            shared.counters.mostBytes = mostBytes
        }
    }

    /// Begins the first segment.
    func begin() throws {
        segment = try create()
        if mode == .strict { try syncNames() }
    }

    /// How long what is written may wait for its fsync, in seconds.
    var syncSeconds: Double { mode == .bestEffort ? 1 : policy.syncSeconds }

    /// Writes a batch whole or not at all, and acknowledges it as soon as the mode allows.
    /// - Throws: `full` or `failed`; no acknowledgement was called then.
    func write(_ batch: LogBuffer, sources: [PredictionSource]) throws(PredictionLogError) {
        if let failure = shared.withLock({ $0.failure }) { throw .failed(failure) }
        try makeSegment()
        guard var segment else { throw .full }
        do {
            try Failpoint.reach("predictions.write.before")
            var written = 0
            for number in batch.sources where !segment.sources.contains(number) {
                var frame = try Frame.source(sources[Int(number)], number: number)
                frame.withUnsafeMutableBytes { Frame.seal($0, salt: segment.salt) }
                try frame.withUnsafeBytes { try segment.file.write($0) }
                written += frame.count
            }
            for records in batch.pieces where !records.isEmpty {
                Frame.seal(records, salt: segment.salt)
                try segment.file.write(UnsafeRawBufferPointer(records))
                written += records.count
            }
            segment.sources.formUnion(batch.sources)
            segment.bytes += written
            segment.records += batch.records
            self.segment = segment
            try Failpoint.reach("predictions.write.after")
            let isFirst = segment.records == batch.records
            shared.withLock { shared in
                shared.counters.written += batch.records
                shared.counters.bytes += written
                shared.counters.writes += 1
                if isFirst { shared.segmentDue = segment.begun + policy.segmentSeconds }
            }
            if isFirst { alarm.ring() }
        } catch {
            throw abandon(segment, error)
        }
        if mode == .strict {
            do { try makeDurable() } catch { throw fail(error) }
            batch.waiters.tell(.success(()))
        } else {
            acknowledge(batch.waiters, segment.file)
        }
    }

    /// After a failed write: the segment keeps its whole frames and is not written to any more.
    private func abandon(_ segment: Segment, _ error: any Error) -> PredictionLogError {
        self.segment = nil
        let isFull = (error as? MartletError)?.code == "disk.full"
        // A torn end that cannot be cut off is not read either; what it holds was not acknowledged.
        try? segment.file.truncate(to: segment.bytes)
        shared.withLock { shared in
            shared.segmentDue = nil
            shared.current = nil
        }
        if segment.records == 0 { Disk.remove(segment.path) }
        return isFull ? .full : fail(error)
    }

    private func fail(_ error: any Error) -> PredictionLogError {
        let cause = error as? MartletError ?? MartletError(.machine, "disk.failed", "\(error)")
        shared.withLock { shared in if shared.failure == nil { shared.failure = cause } }
        return .failed(cause)
    }

    private func makeSegment() throws(PredictionLogError) {
        if let segment {
            guard isOver(segment), context.uptime() >= nextCreation else { return }
        }
        let new: Segment
        do { new = try create() } catch {
            nextCreation = context.uptime() + PredictionLog.tryEvery
            // The old one serves as long as there is no other.
            if segment != nil { return }
            throw (error as? MartletError)?.code == "disk.full" ? .full : fail(error)
        }
        end()
        segment = new
        // What is acknowledged from now on stands under a name that must outlast a power cut.
        if mode == .strict { do { try syncNames() } catch { throw fail(error) } }
    }

    private func isOver(_ segment: Segment) -> Bool {
        guard segment.records > 0 else { return false }
        return segment.bytes >= segmentBytes || context.uptime() - segment.begun >= policy.segmentSeconds
    }

    private func create() throws -> Segment {
        let header = SegmentHeader(log: id, number: next, begun: context.now())
        let path = "\(folder.path)/\(SegmentFolder.name(log: id, number: next)).segment"
        let file = try disk.create(path)
        do {
            try Failpoint.reach("predictions.segment.created")
            try header.encoded.withUnsafeBytes { try file.write($0) }
        } catch {
            Disk.remove(path)
            // A full disk is tried for days: the number is taken again, unless the file stands in its way.
            if Disk.exists(path) { next += 1 }
            throw error
        }
        next += 1
        shared.withLock { shared in
            shared.counters.segments += 1
            shared.namesPending = true
            shared.current = path
            shared.segmentDue = nil
            shared.isRetentionDue = true
        }
        return Segment(file: file, path: path, salt: header.salt, begun: context.uptime())
    }

    /// Ends the segment that is written.
    private func end() {
        guard let segment else { return }
        self.segment = nil
        if segment.records == 0 {
            Disk.remove(segment.path)
            return
        }
        if mode == .strict { return mark(segment) }
        shared.withLock { shared in
            if !shared.pending.contains(where: { $0 === segment.file }) { shared.pending.append(segment.file) }
            shared.ended.append(segment)
        }
    }

    /// Marks the end of a segment that is durable, as far as there is room. The mark itself can be set again.
    private func mark(_ segment: Segment) {
        var mark = Frame.end(records: segment.records)
        mark.withUnsafeMutableBytes { Frame.seal($0, salt: segment.salt) }
        do {
            try Failpoint.reach("predictions.segment.end")
            try mark.withUnsafeBytes { try segment.file.write($0) }
        } catch {
            try? segment.file.truncate(to: segment.bytes)
        }
    }

    /// Mode `written`: acknowledges what was written, unless the disk is late: then after the next fsync, so that a
    /// power cut never takes more than what was acknowledged in `syncSeconds`.
    private func acknowledge(_ waiters: [LogBuffer.Waiter], _ file: any SegmentFile) {
        let now = context.uptime()
        var rings = false
        let failure = shared.withLock { shared -> MartletError?? in
            if let failure = shared.failure { return .some(failure) }
            if !shared.pending.contains(where: { $0 === file }) { shared.pending.append(file) }
            let oldest = shared.syncingSince ?? shared.since ?? now
            if shared.since == nil {
                shared.since = now
                rings = shared.syncingSince == nil
            }
            if mode == .written, now - oldest > syncSeconds {
                shared.held += waiters
                shared.counters.held += waiters.count
                return .some(nil)
            }
            return nil
        }
        if rings { alarm.ring() }
        switch failure {
        case nil: waiters.tell(.success(()))
        case .some(nil): break
        case .some(.some(let cause)): waiters.tell(.failure(.failed(cause)))
        }
    }

    /// Mode `strict`: makes all that was written durable, on the writer's thread.
    private func makeDurable() throws {
        guard let segment else { return }
        try timed { try segment.file.sync() }
    }

    private func syncNames() throws {
        try Failpoint.reach("predictions.names.sync")
        try disk.sync(folder: folder.path)
        shared.withLock { $0.namesPending = false }
    }

    private func timed(_ sync: () throws -> Void) throws {
        try Failpoint.reach("predictions.sync.before")
        let start = context.uptime()
        try sync()
        let seconds = context.uptime() - start
        try Failpoint.reach("predictions.sync.after")
        shared.withLock { shared in
            shared.counters.syncs += 1
            shared.counters.lastSyncSeconds = seconds
            shared.counters.longestSyncSeconds = max(seconds, shared.counters.longestSyncSeconds)
        }
    }

    /// Makes durable what modes `written` and `best-effort` have written, and acknowledges what waited for it. Gives the
    /// reason when the log has failed.
    func syncRound() -> MartletError? {
        round.withLock { _ in
            let (files, names, ended) = shared.withLock { shared -> ([any SegmentFile], Bool, [Segment]) in
                defer {
                    shared.pending = []
                    shared.ended = []
                    shared.namesPending = false
                    shared.syncingSince = shared.since
                    shared.since = nil
                }
                return shared.failure == nil ? (shared.pending, shared.namesPending, shared.ended) : ([], false, [])
            }
            var failure: MartletError?
            do {
                for file in files { try timed { try file.sync() } }
                if names {
                    try Failpoint.reach("predictions.names.sync")
                    try disk.sync(folder: folder.path)
                }
                for segment in ended { mark(segment) }
            } catch {
                failure = error as? MartletError ?? MartletError(.machine, "disk.failed", "\(error)")
            }
            let (held, cause) = shared.withLock { shared -> ([LogBuffer.Waiter], MartletError?) in
                defer {
                    shared.syncingSince = nil
                    shared.held = []
                }
                if shared.failure == nil { shared.failure = failure }
                return (shared.held, shared.failure)
            }
            held.tell(cause.map { .failure(.failed($0)) } ?? .success(()))
            return cause
        }
    }

    /// Tries whether there is room again, or closes the segment when its time is over.
    func tick() throws(PredictionLogError) {
        if let failure = shared.withLock({ $0.failure }) { throw .failed(failure) }
        try makeSegment()
    }

    /// Closes all, durably, and lets go of the folder.
    func finish() -> MartletError? {
        end()
        let cause = syncRound()
        lock = nil
        shared.withLock { $0.isFinished = true }
        alarm.ring()
        return cause
    }
}
