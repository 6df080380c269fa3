internal import CZlib
internal import HTTPTypes
internal import NIOCore

/// Incremental decompressor of request bodies with Content-Encoding gzip or deflate (RFC 9110, 8.4.1).
final class BodyInflater {
    /// What unpacking gives is at most this and `factor` times what came: small bodies must not stand for large ones.
    private static let base = 64 << 20
    private static let factor = 100

    private let coding: String
    private var stream = z_stream()
    private var input: [UInt8] = []
    private var used = 0
    private var isOpen = false
    /// Whether the last member has ended.
    private var isWhole = false
    private var received = 0
    private var given = 0

    /// - Parameter fields: Content-Encoding as it came.
    /// - Returns: `nil` for a body that is not packed.
    /// - Throws: a `Problem`, 415, for another packing than the two.
    init?(_ fields: String?) throws {
        let codings = (fields ?? "").split(separator: ",").map { $0.filter { $0 != " " && $0 != "\t" }.lowercased() }
            .filter { !$0.isEmpty && $0 != "identity" }
        guard let coding = codings.first else { return nil }
        guard codings.count == 1, ["gzip", "x-gzip", "deflate"].contains(coding) else {
            var problem = Problem(
                .unsupportedMediaType, "body.coding",
                "This server does not unpack '\((fields ?? "").prefix(80))'.",
                remedy: "Send the body as it is, or with Content-Encoding: gzip or deflate.")
            problem.acceptEncoding = "gzip, deflate"
            throw problem
        }
        self.coding = coding
    }

    deinit { if isOpen { inflateEnd(&stream) } }

    /// Takes a piece; `next` gives what is in it.
    func add(_ piece: ByteBuffer) {
        received += piece.readableBytes
        input.removeFirst(used)
        used = 0
        input += piece.readableBytesView
    }

    /// Some of what is unpacked; `nil` when there is no more without a further piece.
    func next() throws -> ByteBuffer? {
        if !isOpen, !(try open()) { return nil }
        while used < input.count {
            if isWhole {
                // A file of gzip may have several members, and zeros behind them.
                if coding == "deflate" { throw broken("something follows its end") }
                if input[used] == 0 {
                    used += 1
                    continue
                }
                guard inflateReset(&stream) == Z_OK else { throw broken("it cannot be read on") }
                isWhole = false
            }
            let output = try inflateSome()
            if output.readableBytes > 0 { return output }
        }
        // What the window still holds.
        if isWhole { return nil }
        let output = try inflateSome()
        return output.readableBytes > 0 ? output : nil
    }

    /// Nothing follows.
    /// - Throws: a `Problem`, 400, for a body without its end.
    func end() throws {
        if !isWhole, received > 0 { throw broken("its end is missing") }
    }

    private func open() throws -> Bool {
        guard input.count >= 2 else { return false }
        // "deflate" is zlib's form; some send the bare one (RFC 9110, 8.4.1.2).
        let isZlib = input[0] & 0x0F == 8 && (Int(input[0]) << 8 | Int(input[1])) % 31 == 0
        let window: Int32 = coding == "deflate" ? (isZlib ? 15 : -15) : 15 + 16
        guard inflateInit2_(&stream, window, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw Problem(.serviceUnavailable, "server.busy", "There is no memory to unpack the body.")
        }
        isOpen = true
        return true
    }

    private func inflateSome() throws -> ByteBuffer {
        var output = ByteBuffer()
        var code = Z_OK
        let from = used
        output.writeWithUnsafeMutableBytes(minimumWritableBytes: 64 << 10) { room in
            input.withUnsafeMutableBytes { bytes in
                stream.next_in = bytes.baseAddress?.advanced(by: from).assumingMemoryBound(to: UInt8.self)
                stream.avail_in = UInt32(clamping: bytes.count - from)
                stream.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
                stream.avail_out = UInt32(clamping: room.count)
                let (before, most) = (stream.avail_in, stream.avail_out)
                code = inflate(&stream, Z_NO_FLUSH)
                used += Int(before - stream.avail_in)
                stream.next_in = nil
                return Int(most - stream.avail_out)
            }
        }
        given += output.readableBytes
        switch code {
        case Z_STREAM_END: isWhole = true
        case Z_OK, Z_BUF_ERROR: break
        default: throw broken("it is damaged")
        }
        guard given <= Self.base + Self.factor * received else {
            throw Problem(
                .contentTooLarge, "body.unpacked",
                "Unpacked, the body is more than \(Self.base >> 20) MiB and \(Self.factor) times what came.",
                remedy: "Send it as it is.")
        }
        return output
    }

    private func broken(_ what: String) -> Problem {
        Problem(.badRequest, "body.packing", "The body cannot be unpacked as \(coding): \(what).")
    }
}
