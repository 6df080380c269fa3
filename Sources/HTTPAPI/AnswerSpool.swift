internal import NIOPosix

/// What lies between the one who makes an answer and the one who sends it. As long as the sender keeps up, pieces go
/// from hand to hand; when he does not, since the client does not read before it has sent everything, they wait on the
/// disk. So memory is bounded, and neither a client that only reads at the end nor one that is slow stops the work.
///
/// One makes, one sends.
actor AnswerSpool {
    private let waitingBytes: Int
    private let folder: String
    private let name: String
    private let threads: NIOThreadPool
    private var pieces: [[UInt8]] = []
    private var bytes = 0
    private var file: ScratchFile?
    /// What is in the file and not yet sent: the bytes between these.
    private var sent = 0
    private var written = 0
    private var isWriting = false
    private var end: Result<Void, any Error>?
    private var waiting: CheckedContinuation<Void, Never>?

    init(waitingBytes: Int, folder: String, name: String, threads: NIOThreadPool) {
        self.waitingBytes = waitingBytes
        self.folder = folder
        self.name = name
        self.threads = threads
    }

    /// Adds a piece.
    func add(_ piece: [UInt8]) async throws {
        if piece.isEmpty { return }
        if written == sent, bytes + piece.count <= waitingBytes || bytes == 0 {
            pieces.append(piece)
            bytes += piece.count
        } else {
            isWriting = true
            defer { isWriting = false }
            let (held, offset, folder, name) = (file, written, folder, name)
            file = try await threads.runIfActive {
                let file = try held ?? ScratchFile(in: folder, name: name)
                try file.write(piece, at: offset)
                return file
            }
            written += piece.count
        }
        wake()
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
                if sent == written, !isWriting {
                    (sent, written) = (0, 0)
                    // What stays in the file is written over.
                }
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
