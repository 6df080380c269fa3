package import Core
internal import Storage

extension SegmentFolder {
    /// Returns when segments ended, by path, derived from the headers.
    ///
    /// A segment ended when its log began the next one. The last one of a log ended when the next log began, and no
    /// later than a segment lasts.
    ///
    /// A segment whose header is damaged tells no time. That of its file, which is when it was last written to, stands
    /// for it, so that it goes with those of its time; restoring it from a backup makes it younger.
    /// - Parameter seconds: how long a segment lasts (``PredictionLogPolicy/segmentSeconds``).
    package func ends(of entries: [Entry], lasting seconds: Double) throws -> [String: Timestamp] {
        var ends: [String: Timestamp] = [:]
        var begun: [(entry: Entry, at: Timestamp)] = []
        for entry in entries {
            if let at = try beginning(of: entry.path) {
                begun.append((entry, at))
            } else if let stamp = Disk.stamp(entry.path) {
                ends[entry.path] = Timestamp(microseconds: stamp.modified / 1000)
            }
        }
        begun.sort { ($0.at, $0.entry.path) < ($1.at, $1.entry.path) }
        for (index, segment) in begun.enumerated() {
            let next = index + 1 < begun.count ? begun[index + 1] : nil
            let last = segment.at.adding(seconds: seconds)
            if let next, next.entry.log == segment.entry.log, next.entry.number == segment.entry.number + 1 {
                ends[segment.entry.path] = next.at
            } else {
                ends[segment.entry.path] = min(next?.at ?? last, last)
            }
        }
        return ends
    }

    /// When a segment was begun; `nil` where its header is damaged, or the segment was removed meanwhile.
    private func beginning(of path: String) throws -> Timestamp? {
        var head: [UInt8] = []
        do {
            try Disk.scan(path, pieceBytes: SegmentHeader.bytes) {
                head += $0
                return head.count < SegmentHeader.bytes
            }
        } catch let error as MartletError where error.code == "disk.missing" { return nil }
        return head.withUnsafeBytes { SegmentHeader($0) }?.begun
    }
}
