package import Core
internal import Hummingbird
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// Shared memory budget for large request and response bodies; what exceeds it is buffered in temporary files.
///
/// So memory is bounded however many requests there are, and none is refused for that.
///
/// ```swift
/// let room = MemoryBudget(scratch: scratch, context: context)
/// let predictions = PredictionRoutes(catalog: catalog, work: work, room: room, context: context)
/// ```
package final class MemoryBudget: Sendable {
    private let most: Int
    private let scratch: String
    private let newID: @Sendable () -> String
    private let taken = Mutex(0)

    /// What is smaller does not count: it is bounded by the number of requests.
    static let small = 64 << 10
    /// Bytes that are handed on as one.
    private static let pieceBytes = 256 << 10

    /// Makes a budget.
    /// - Parameters:
    ///   - most: bytes in memory, of all requests together.
    ///   - scratch: the folder of the files.
    package init(_ most: Int = 16 << 20, scratch: String, context execution: ExecutionContext) {
        self.most = most
        self.scratch = scratch
        newID = execution.newID
    }

    /// Reserved memory, released with the value.
    final class Share: Sendable {
        private let room: MemoryBudget
        private let bytes = Mutex(0)

        fileprivate init(_ room: MemoryBudget) { self.room = room }

        /// Takes so many more bytes, if there is room.
        func take(_ count: Int) -> Bool {
            let isTaken = room.taken.withLock { taken in
                guard taken + count <= room.most else { return false }
                taken += count
                return true
            }
            if isTaken { bytes.withLock { $0 += count } }
            return isTaken
        }

        func giveBack() {
            let held = bytes.withLock { bytes in
                defer { bytes = 0 }
                return bytes
            }
            room.taken.withLock { $0 -= held }
        }

        deinit { giveBack() }
    }

    func share() -> Share { Share(self) }

    /// Blocks.
    func file() throws -> ScratchFile { try ScratchFile(in: scratch, name: "held-\(newID())") }

    /// Blocks.
    /// - Throws: `server.disk`, when the disk has no room either.
    static func check(_ file: ScratchFile, _ count: Int) throws {
        guard file.leavesRoom(for: count) else {
            var problem = Problem(
                .serviceUnavailable, "server.disk",
                "There is no room for so large a request, in memory or on the disk.",
                remedy: "Send it again later, or in parts.")
            problem.retryAfter = 5
            throw problem
        }
    }

    /// An answer's bytes, as they are sent. Blocks when they go into a file.
    func answer(_ bytes: [UInt8]) throws -> ResponseBody {
        if bytes.count <= MemoryBudget.small { return ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)) }
        let share = share()
        if share.take(bytes.count) {
            return ResponseBody(contentLength: bytes.count) { writer in
                for start in stride(from: 0, to: bytes.count, by: MemoryBudget.pieceBytes) {
                    let end = min(start + MemoryBudget.pieceBytes, bytes.count)
                    try await writer.write(ByteBuffer(bytes: bytes[start..<end]))
                }
                share.giveBack()
                try await writer.finish(nil)
            }
        }
        let (file, count) = (try file(), bytes.count)
        try MemoryBudget.check(file, count)
        try file.write(bytes, at: 0)
        return ResponseBody(contentLength: count) { writer in
            for start in stride(from: 0, to: count, by: MemoryBudget.pieceBytes) {
                let piece = try await NIOThreadPool.singleton.runIfActive {
                    try file.read(min(MemoryBudget.pieceBytes, count - start), at: start)
                }
                try await writer.write(ByteBuffer(bytes: piece))
            }
            try await writer.finish(nil)
        }
    }
}

/// A whole body, in memory or in a file.
struct HeldBody: Sendable {
    private let bytes: ByteBuffer
    private let file: ScratchFile?
    private let count: Int
    private let share: MemoryBudget.Share?

    init(_ bytes: ByteBuffer) {
        (self.bytes, file, share) = (bytes, nil, nil)
        count = bytes.readableBytes
    }

    /// Reads the whole body of a request.
    /// - Throws: as `Request.body(upTo:)`, and `server.disk`.
    init(_ request: Request, upTo most: Int, in room: MemoryBudget) async throws {
        var bytes = ByteBuffer()
        var (count, held) = (0, 0)
        var file: ScratchFile?
        let share = room.share()
        try await request.pieces(upTo: most) { piece in
            count += piece.readableBytes
            if file == nil, count > max(held, MemoryBudget.small) {
                // Twice as much each time, as the buffer grows.
                let next = max(held * 2, count)
                if share.take(next - held) {
                    held = next
                } else {
                    file = try await NIOThreadPool.singleton.runIfActive { try room.file() }
                }
            }
            if bytes.readableBytes == 0 { bytes = piece } else { bytes.writeImmutableBuffer(piece) }
            if let file, bytes.readableBytes > 128 << 10 { try await HeldBody.keep(&bytes, in: file, upTo: count) }
        }
        if let file {
            try await HeldBody.keep(&bytes, in: file, upTo: count)
            share.giveBack()
        }
        (self.bytes, self.file, self.count, self.share) = (bytes, file, count, share)
    }

    private static func keep(_ bytes: inout ByteBuffer, in file: ScratchFile, upTo count: Int) async throws {
        let start = count - bytes.readableBytes
        let piece = Array(bytes.readableBytesView)
        try await NIOThreadPool.singleton.runIfActive {
            try MemoryBudget.check(file, piece.count)
            try file.write(piece, at: start)
        }
        bytes = ByteBuffer()
    }

    var isLarge: Bool { count > MemoryBudget.small }

    /// Reads all of it; what is large, where it may take a while.
    func read<T: Sendable>(_ body: @escaping @Sendable (ByteBuffer) throws -> T) async throws -> T {
        guard isLarge else { return try body(bytes) }
        return try await NIOThreadPool.singleton.runIfActive { [file, count, bytes] in
            try body(file.map { ByteBuffer(bytes: try $0.read(count, at: 0)) } ?? bytes)
        }
    }

    /// Lends all of it. Blocks when it is in a file.
    func withBytes<T>(_ body: (UnsafeRawBufferPointer) throws -> T) throws -> T {
        if let file { return try file.read(count, at: 0).withUnsafeBytes { try body($0) } }
        return try bytes.withUnsafeReadableBytes { try body($0) }
    }
}
