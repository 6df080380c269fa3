internal import Synchronization

/// Shared limit for disk space used by buffered uploads and answers of all batches.
final class SpoolBudget: Sendable {
    /// Disk space reserved for one file, released with the value.
    final class Share: Sendable {
        private let room: SpoolBudget
        private let bytes = Mutex(0)

        init(_ room: SpoolBudget) { self.room = room }

        /// Takes room for more bytes of a file; `false` when there is none. Looks at the disk.
        func take(_ count: Int, for file: ScratchFile) -> Bool {
            guard file.leavesRoom(for: count), room.take(count) else { return false }
            bytes.withLock { $0 += count }
            return true
        }

        /// Gives all of it back: the file has been emptied.
        func giveBack() {
            room.give(
                bytes.withLock { bytes in
                    defer { bytes = 0 }
                    return bytes
                })
        }

        deinit { giveBack() }
    }

    private let most: Int
    private let taken = Mutex(0)

    /// - Parameter most: bytes of all files together.
    init(_ most: Int) { self.most = most }

    private func take(_ count: Int) -> Bool {
        taken.withLock { taken in
            guard taken + count <= most else { return false }
            taken += count
            return true
        }
    }

    private func give(_ count: Int) { taken.withLock { $0 -= count } }

    static let full = "batch.no-room"
}
