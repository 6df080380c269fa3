internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import NIOHTTP1

/// Reads a request's body piece by piece, decompressed; faults on the way are reported as the client's.
struct BodyReader {
    private var pieces: Hummingbird.RequestBody.AsyncIterator
    private let inflater: BodyInflater?
    private let length: Int?
    /// The code of the problem of a body that ends too early.
    var cutOff = "body.cut-off"
    /// Bytes that have come, as they came.
    private(set) var received = 0

    /// - Throws: a `Problem`, 415, for a packing that is not known.
    init(_ request: Request) throws {
        inflater = try BodyInflater(request.headers[.contentEncoding])
        pieces = request.body.makeAsyncIterator()
        length = request.headers[.contentLength].flatMap { Int($0) }
    }

    /// - Throws: a `Problem`, 400, for a body that ends too early, or whose chunks or packing are broken.
    mutating func next() async throws -> ByteBuffer? {
        while true {
            if let unpacked = try inflater?.next() { return unpacked }
            guard let piece = try await raw() else {
                try inflater?.end()
                return nil
            }
            received += piece.readableBytes
            guard let inflater else { return piece }
            inflater.add(piece)
        }
    }

    private mutating func raw() async throws -> ByteBuffer? {
        let piece: ByteBuffer?
        do { piece = try await pieces.next() } catch is HTTPParserError {
            throw Problem(
                .badRequest, "body.chunks", "The body's chunks are broken after \(received) bytes.",
                remedy: "Send the body with Content-Length, or in chunks as RFC 9112 has them.")
        } catch {
            try Task.checkCancellation()
            throw Problem(.badRequest, cutOff, "The body broke off after \(received) bytes.")
        }
        if piece == nil {
            try Task.checkCancellation()
            if let length, received < length {
                throw Problem(.badRequest, cutOff, "The body ended after \(received) of \(length) bytes.")
            }
        }
        return piece
    }
}
