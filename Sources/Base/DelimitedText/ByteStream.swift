internal import CLibrary
internal import CZlib
internal import CZstd
internal import Core
internal import Storage

/// Sequential reader of a file that decompresses gzip and Zstandard, recognised by their first bytes.
///
/// ```swift
/// let stream = try ByteStream("landing/visits/2026-01.csv.gz")
/// var buffer = [UInt8](repeating: 0, count: 1 << 20)
/// let count = try buffer.withUnsafeMutableBytes { try stream.read(into: $0) }
/// ```
///
/// Blocks. Used by one thread at a time.
package final class ByteStream {
    /// Compression of a file, recognised by its first bytes.
    package enum Packing: Sendable { case none, gzip, zstd }

    private let path: String
    private let file: Int32
    /// Compression of this file.
    package let packing: Packing
    /// The first decompressed bytes of the file; reading still starts at the beginning.
    package private(set) var head: [UInt8] = []
    private var headAt = 0
    private var inflater: (any Inflater)?

    /// Opens a file. Throws `disk.read`, and `file.damaged` when a compressed file cannot be decompressed.
    package init(_ path: String) throws {
        self.path = path
        file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw Disk.failure("read", path) }
        let file = file
        var first = [UInt8](repeating: 0, count: 4)
        var count = 0
        while count < 4 {
            let found = first.withUnsafeMutableBytes { [count] bytes in
                pread(file, bytes.baseAddress?.advanced(by: count), 4 - count, off_t(count))
            }
            if found < 0, errno == EINTR { continue }
            guard found >= 0 else {
                let failure = Disk.failure("read", path)
                close(file)
                throw failure
            }
            if found == 0 { break }
            count += found
        }
        packing =
            first.starts(with: [0x1F, 0x8B]) ? .gzip : first.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) ? .zstd : .none
        switch packing {
        case .none: break
        case .gzip: inflater = GzipInflater()
        case .zstd: inflater = ZstdInflater()
        }
        do {
            var start = [UInt8](repeating: 0, count: 4096)
            let found = try start.withUnsafeMutableBytes { try fill($0) }
            head = Array(start[..<found])
        } catch {
            close(file)
            throw error
        }
    }

    deinit { close(file) }

    /// Reads until the buffer is full or the file ends; returns the number of bytes, fewer than asked for at the end.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        var count = 0
        if headAt < head.count {
            count = min(buffer.count, head.count - headAt)
            buffer.copyBytes(from: head[headAt..<(headAt + count)])
            headAt += count
        }
        guard count < buffer.count else { return count }
        return count + (try fill(UnsafeMutableRawBufferPointer(rebasing: buffer[count...])))
    }

    private func fill(_ buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        var count = 0
        while count < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
            let found =
                if let inflater { try inflater.read(into: rest, from: { try self.raw($0) }, path) } else {
                    try raw(rest)
                }
            if found == 0 { break }
            count += found
        }
        return count
    }

    private func raw(_ buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        while true {
            let count = systemRead(file, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            if errno != EINTR { throw Disk.failure("read", path) }
        }
    }
}

/// Incremental decompressor of a stream.
private protocol Inflater: AnyObject {
    /// Unpacks some bytes, at least one unless the stream has ended.
    func read(
        into buffer: UnsafeMutableRawBufferPointer, from source: (UnsafeMutableRawBufferPointer) throws -> Int,
        _ path: String
    ) throws -> Int
}

private func damaged(_ path: String, _ format: String, _ what: String) -> MartletError {
    MartletError(
        .input, "file.damaged", "The file is \(format) and cannot be unpacked: \(what).", at: .init(file: path),
        remedy: "Send it again; it may have been cut off.")
}

/// Decompressor of gzip (RFC 1952), several members one after the other included.
private final class GzipInflater: Inflater {
    private var stream = z_stream()
    private let input = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    private var isAtEnd = false
    /// Whether a member has begun and not ended.
    private var isInside = false

    init() { inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) }

    deinit {
        inflateEnd(&stream)
        input.deallocate()
    }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, from source: (UnsafeMutableRawBufferPointer) throws -> Int,
        _ path: String
    ) throws -> Int {
        stream.next_out = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
        let room = UInt32(clamping: buffer.count)
        stream.avail_out = room
        while stream.avail_out == room {
            if stream.avail_in == 0, !isAtEnd {
                let count = try source(input)
                if count == 0 { isAtEnd = true }
                stream.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
                stream.avail_in = UInt32(count)
            }
            // Some programs fill up to a whole block with zeros behind the last member.
            while !isInside, stream.avail_in > 0, stream.next_in.pointee == 0 {
                stream.next_in += 1
                stream.avail_in -= 1
            }
            if stream.avail_in == 0, !isAtEnd { continue }
            if stream.avail_in == 0, isAtEnd {
                if isInside { throw damaged(path, "gzip", "it ends in the middle") }
                return 0
            }
            isInside = true
            switch inflate(&stream, Z_NO_FLUSH) {
            case Z_OK, Z_BUF_ERROR: break
            case Z_STREAM_END:
                isInside = false
                inflateReset(&stream)
            default: throw damaged(path, "gzip", stream.msg.map { String(cString: $0) } ?? "its bytes are altered")
            }
        }
        return Int(room - stream.avail_out)
    }
}

/// Decompressor of Zstandard (RFC 8878).
private final class ZstdInflater: Inflater {
    private let context = ZSTD_createDStream()
    private let input = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 17, alignment: 16)
    private var source = ZSTD_inBuffer()
    private var isAtEnd = false
    private var isInside = false

    deinit {
        ZSTD_freeDStream(context)
        input.deallocate()
    }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, from raw: (UnsafeMutableRawBufferPointer) throws -> Int,
        _ path: String
    ) throws -> Int {
        var output = ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
        while output.pos == 0 {
            if source.pos == source.size, !isAtEnd {
                let count = try raw(input)
                if count == 0 { isAtEnd = true }
                source = ZSTD_inBuffer(src: input.baseAddress, size: count, pos: 0)
            }
            // Asked once more behind a frame's end, the decoder would speak of the next one.
            if isAtEnd, source.pos == source.size, !isInside { return 0 }
            // What has been read may still be inside of the decoder when all of the input is.
            let before = (output.pos, source.pos)
            let code = ZSTD_decompressStream(context, &output, &source)
            if ZSTD_isError(code) != 0 {
                throw damaged(path, "Zstandard", String(cString: ZSTD_getErrorName(code)))
            }
            isInside = code != 0
            if isAtEnd, (output.pos, source.pos) == before {
                if isInside { throw damaged(path, "Zstandard", "it ends in the middle") }
                return 0
            }
        }
        return output.pos
    }
}

/// `read(2)`; its own name is that of a method here.
private func systemRead(_ file: Int32, _ target: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(file, target, count)
}
