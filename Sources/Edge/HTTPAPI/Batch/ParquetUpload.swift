internal import HTTPTypes
internal import Hummingbird
internal import NIOPosix

/// A Parquet request body: buffered in an unnamed file, then read as CSV through a conversion.
///
/// The directory of a Parquet file stands at its end.
struct ParquetUpload: Sendable {
    private let file: ScratchFile
    private let room: SpoolBudget.Share
    private let threads: NIOThreadPool

    /// Keeps all of the body, whose pieces `next` gives.
    /// - Throws: `batch.no-room` when the disk has no room for it.
    init(
        in folder: String, name: String, room: SpoolBudget.Share, threads: NIOThreadPool,
        next: () async throws -> ByteBuffer?
    ) async throws {
        self.threads = threads
        self.room = room
        let file = try await threads.runIfActive { try ScratchFile(in: folder, name: name) }
        self.file = file
        var offset = 0
        var held: [UInt8] = []
        func keep() async throws {
            try await threads.runIfActive { [held, offset] in
                guard room.take(held.count, for: file) else {
                    throw Problem(
                        .serviceUnavailable, SpoolBudget.full, "There is no room on the disk for this file.",
                        remedy: "Send it in parts, or as CSV, or give the server more room (--batch-spool).")
                }
                try file.write(held, at: offset)
            }
            offset += held.count
            held.removeAll(keepingCapacity: true)
        }
        while let piece = try await next() {
            held += piece.readableBytesView
            if held.count >= 1 << 20 { try await keep() }
        }
        try await keep()
    }

    /// Calls with each piece of the CSV. The conversion ends with this call, however that ends.
    func read(_ converter: any BatchConverter, mostRows: Int, _ piece: ([UInt8]) async throws -> Void) async throws {
        let (file, threads) = (file, threads)
        let conversion = try await threads.runIfActive {
            try file.withDescriptor { try converter.fromParquet($0, mostRows: mostRows) }
        }
        defer { conversion.kill() }
        conversion.endInput()
        try await withTaskCancellationHandler {
            while true {
                let bytes = try await threads.runIfActive { try conversion.read(256 << 10) }
                try Task.checkCancellation()
                if bytes.isEmpty { return }
                try await piece(bytes)
            }
        } onCancel: {
            conversion.kill()
        }
    }
}
