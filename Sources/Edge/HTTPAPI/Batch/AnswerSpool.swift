internal import Core
internal import HTTPTypes
internal import NIOPosix

/// Buffer between the producer and the sender of an answer: in memory up to a limit, then on disk.
///
/// As long as the client reads, pieces pass through memory. Memory is bounded, and neither a client that only reads at
/// the end nor a slow one stops the work.
///
/// One makes, one sends.
actor AnswerSpool {
    private let waitingBytes: Int
    private let folder: String
    private let name: String
    private let room: SpoolBudget.Share
    private let patience: Double
    private let clock: any ExecutionClock
    private let threads: NIOThreadPool
    private var pieces: [[UInt8]] = []
    private var bytes = 0
    private var file: ScratchFile?
    /// What is in the file and not yet sent: the bytes between these.
    private var sent = 0
    private var written = 0
    private var end: Result<Void, any Error>?
    private var waiting: CheckedContinuation<Void, Never>?

    /// - Parameter name: one that no other file of the folder has.
    init(_ settings: BatchSettings, name: String, clock: any ExecutionClock, threads: NIOThreadPool) {
        waitingBytes = settings.waitingBytes
        folder = settings.scratch
        self.name = name
        self.threads = threads
        room = SpoolBudget.Share(settings.room)
        patience = settings.spoolSeconds
        self.clock = clock
    }

    /// Adds a piece.
    func add(_ piece: [UInt8]) async throws {
        if piece.isEmpty { return }
        if written == sent, bytes + piece.count <= waitingBytes || bytes == 0 {
            pieces.append(piece)
            bytes += piece.count
        } else {
            let file = try await scratch()
            try await reuse(file)
            try await makeRoom(for: piece.count, in: file)
            try await threads.runIfActive { [written] in try file.write(piece, at: written) }
            written += piece.count
        }
        wake()
    }

    private func scratch() async throws -> ScratchFile {
        if let file { return file }
        let (folder, name) = (folder, name)
        let made = try await threads.runIfActive { try ScratchFile(in: folder, name: name) }
        file = made
        return made
    }

    /// Waits until the disk has room, as long as the client reads.
    /// - Throws: `batch.no-room` when it has not read anything for long.
    private func makeRoom(for count: Int, in file: ScratchFile) async throws {
        var (waited, before) = (0.0, sent)
        let room = room
        while try await !threads.runIfActive({ room.take(count, for: file) }) {
            guard waited < patience else {
                throw Problem(
                    .serviceUnavailable, SpoolBudget.full,
                    "The client does not read, and there is no more room on the disk for its answer.",
                    remedy:
                        "Read the answer while the file is sent, as curl does, or give the server more room (--batch-spool)."
                )
            }
            try await clock.sleep(seconds: 0.05)
            waited = sent == before ? waited + 0.05 : 0
            before = sent
            try await reuse(file)
        }
    }

    /// Empties the file when all that is in it was sent. While nothing is added, nothing is read from it then either.
    private func reuse(_ file: ScratchFile) async throws {
        guard written > 0, sent == written else { return }
        try await threads.runIfActive { try file.empty() }
        room.giveBack()
        (sent, written) = (0, 0)
    }

    /// No piece follows.
    func finish(_ result: Result<Void, any Error>) {
        if end == nil { end = result }
        wake()
    }

    /// Returns when there is something to send or the answer is complete; throws what kept it from being made before
    /// there was anything.
    func begun() async throws {
        while bytes == 0, written == sent, end == nil { await change() }
        if bytes == 0, written == sent, case .failure(let error) = end { throw error }
    }

    /// Returns when the answer is complete; throws what kept it from being so.
    func complete() async throws {
        while true {
            if let end { return try end.get() }
            await change()
        }
    }

    /// The next piece; `nil` at the end. Throws, after the last piece, what kept the answer from being complete.
    func next() async throws -> [UInt8]? {
        while true {
            if !pieces.isEmpty {
                let all = pieces.count == 1 ? pieces[0] : Array(pieces.joined())
                pieces.removeAll()
                bytes = 0
                return all
            }
            if let file, sent < written {
                let (offset, count) = (sent, min(256 << 10, written - sent))
                let piece = try await threads.runIfActive { try file.read(count, at: offset) }
                sent += count
                return piece
            }
            if let end {
                try end.get()
                return nil
            }
            await change()
        }
    }

    private func change() async { await withCheckedContinuation { waiting = $0 } }

    private func wake() {
        waiting?.resume()
        waiting = nil
    }
}
