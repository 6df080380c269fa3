internal import Synchronization
internal import Vocabulary

extension SegmentWriter {
    /// Removes closed segments that are too old or too many: the compacted ones first, then the oldest.
    func expire() {
        guard policy.keepSeconds != nil || policy.keepBytes != nil else { return }
        let current = shared.withLock { $0.current }
        let entries = folder.entries().filter { $0.path != current }
            .compactMap { entry in Disk.stamp(entry.path).map { (entry: entry, stamp: $0) } }
        var gone = 0
        func remove(_ path: String) {
            Disk.remove(path)
            gone += 1
        }
        var left = entries
        if let seconds = policy.keepSeconds {
            let oldest = surroundings.now().microseconds - Int64(seconds * 1e6)
            for old in entries where old.stamp.modified / 1000 < oldest { remove(old.entry.path) }
            left = entries.filter { $0.stamp.modified / 1000 >= oldest }
        }
        if let most = policy.keepBytes {
            var bytes = left.reduce(Int64(0)) { $0 + $1.stamp.size }
            let order = left.filter(\.entry.isCompacted) + left.filter { !$0.entry.isCompacted }
            for old in order where bytes > most {
                remove(old.entry.path)
                bytes -= old.stamp.size
            }
        }
        if gone > 0 { shared.withLock { $0.counters.expired += gone } }
    }
}
