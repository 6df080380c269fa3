internal import Core
internal import Storage
internal import Synchronization

extension SegmentWriter {
    /// Removes closed segments that are too old or too many: the compacted ones first, then the oldest. Looks also at
    /// what recovery kept. What cannot be examined or removed now is left to the next time.
    func expire() {
        do {
            let tornFiles = try folder.tornFiles()
            shared.withLock { $0.counters.note(tornFiles: tornFiles) }
            try Failpoint.reach("predictions.expire.begin")
            let current = shared.withLock { $0.current }
            let all = try folder.entries()
                .compactMap { entry in Disk.stamp(entry.path).map { (entry: entry, stamp: $0) } }
            // The header of a segment that has no record yet is none of those bytes.
            var bytes = all.reduce(Int64(0)) { $0 + $1.stamp.size }
            let closed = all.filter { $0.entry.path != current }
            let order = closed.filter(\.entry.isCompacted) + closed.filter { !$0.entry.isCompacted }
            let oldest = policy.keepSeconds.map { context.now().adding(seconds: -$0) }
            let ends = try oldest == nil ? [:] : folder.ends(of: all.map(\.entry), lasting: policy.segmentSeconds)
            for old in order {
                let isOld = oldest.flatMap { oldest in ends[old.entry.path].map { $0 < oldest } } ?? false
                guard isOld || mostBytes.map({ bytes - Int64(SegmentHeader.bytes) > $0 }) ?? false else { continue }
                Disk.remove(old.entry.path)
                guard !Disk.exists(old.entry.path) else { continue }
                bytes -= old.stamp.size
                shared.withLock { shared in
                    shared.counters.expired += 1
                    shared.counters.expiredBytes += old.stamp.size
                    if !old.entry.isCompacted { shared.counters.expiredUncompacted += 1 }
                }
            }
            shared.withLock { shared in
                shared.counters.keptBytes = bytes
                shared.counters.retentionTrouble = nil
            }
        } catch {
            let reason = (error as? MartletError)?.message ?? "\(error)"
            shared.withLock { $0.counters.retentionTrouble = reason }
        }
    }
}
