internal import CLibrary
internal import CZlib
internal import Core
internal import DelimitedText
internal import Storage

/// The members of a ZIP archive (PKWARE APPNOTE 6.3), read by its central directory; with ZIP64, stored or deflated.
///
/// ```swift
/// let archive = try ZipArchive("landing/visits/2026.zip")
/// for member in archive.members { try archive.read(member) { builder.update($0) } }
/// ```
package final class ZipArchive: Sendable {
    /// A file in the archive.
    package struct Member: Sendable {
        /// Path in the archive, with `/` between folders.
        package let name: String
        /// Number of bytes, unpacked.
        package let size: UInt64
        /// Number of the file in the archive's directory, from 0: names may come twice.
        package let place: Int
        fileprivate let packedSize: UInt64
        fileprivate let method: UInt16
        fileprivate let isEncrypted: Bool
        fileprivate let crc: UInt32
        fileprivate let header: UInt64
    }

    /// The first bytes of an archive with members.
    package static let signature: [UInt8] = [0x50, 0x4B, 0x03, 0x04]

    private let path: String
    private let file: Int32
    /// The files of the archive, folders left out, in the order of its directory.
    package let members: [Member]

    /// Opens an archive and reads its directory.
    /// - Throws: `disk.read`, and `file.damaged` with the reason.
    package init(_ path: String) throws {
        self.path = path
        file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw Disk.failure("read", path) }
        do { members = try Self.directory(file, path) } catch {
            close(file)
            throw error
        }
    }

    deinit { close(file) }

    private static func damaged(_ path: String, _ what: String) -> MartletError {
        MartletError(
            .input, "file.damaged", "The file is a ZIP archive and cannot be unpacked: \(what).", at: .init(file: path),
            remedy: "Send it again; it may have been cut off.")
    }

    // MARK: Directory

    private static func directory(_ file: Int32, _ path: String) throws -> [Member] {
        let size = UInt64(max(0, lseek(file, 0, SEEK_END)))
        let tailSize = min(size, 65_557)
        let tail = try bytes(file, at: size - tailSize, count: Int(tailSize), path)
        guard
            let end = tail.indices.reversed().first(where: {
                $0 + 22 <= tail.count && tail[$0] == 0x50 && number(tail, $0, 4) == 0x0605_4B50
            })
        else { throw damaged(path, "it has no directory at its end") }
        var count = number(tail, end + 10, 2)
        var directorySize = number(tail, end + 12, 4)
        var start = number(tail, end + 16, 4)
        if count == 0xFFFF || directorySize == 0xFFFF_FFFF || start == 0xFFFF_FFFF, end >= 20,
            number(tail, end - 20, 4) == 0x0706_4B50
        {
            let record = try bytes(file, at: number(tail, end - 12, 8), count: 56, path)
            guard number(record, 0, 4) == 0x0606_4B50 else { throw damaged(path, "its ZIP64 directory is missing") }
            count = number(record, 32, 8)
            directorySize = number(record, 40, 8)
            start = number(record, 48, 8)
        }
        guard directorySize <= size, start <= size - directorySize, directorySize <= 1 << 30 else {
            throw damaged(path, "its directory lies outside of it")
        }
        let all = try bytes(file, at: start, count: Int(directorySize), path)
        var members: [Member] = []
        var at = 0
        for _ in 0..<count {
            guard at + 46 <= all.count, number(all, at, 4) == 0x0201_4B50 else {
                throw damaged(path, "its directory is cut off")
            }
            let lengths = (name: Int(number(all, at + 28, 2)), extra: Int(number(all, at + 30, 2)))
            let next = at + 46 + lengths.name + lengths.extra + Int(number(all, at + 32, 2))
            guard next <= all.count else { throw damaged(path, "its directory is cut off") }
            let name = all[(at + 46)..<(at + 46 + lengths.name)]
            let member = member(all, at, members.count, text(Array(name)), extra: at + 46 + lengths.name)
            if !member.name.hasSuffix("/") { members.append(member) }
            at = next
        }
        // Members that share bytes could unpack to any size.
        let (packed, isTooMuch) = members.reduce((UInt64(0), false)) { total, member in
            let (sum, overflow) = total.0.addingReportingOverflow(member.packedSize)
            return (sum, total.1 || overflow)
        }
        guard !isTooMuch, packed <= size else { throw damaged(path, "its files overlap") }
        return members
    }

    /// A name in UTF-8, or else in the code page that archives had before.
    private static func text(_ name: [UInt8]) -> String {
        if let text = String(validating: name, as: UTF8.self) { return text }
        var text: [UInt8] = []
        let converted: Void? = name.withUnsafeBytes { bytes in
            TextEncoding("cp437").flatMap { TextEncoding.Converter($0) }.flatMap { try? $0.convert(bytes, into: &text) }
        }
        return String(decoding: converted == nil ? name : text, as: UTF8.self)
    }

    private static func member(_ all: [UInt8], _ at: Int, _ place: Int, _ name: String, extra: Int) -> Member {
        var size = number(all, at + 24, 4)
        var packed = number(all, at + 20, 4)
        var header = number(all, at + 42, 4)
        var field = extra
        let end = extra + Int(number(all, at + 30, 2))
        while field + 4 <= end {
            let length = Int(number(all, field + 2, 2))
            if number(all, field, 2) == 1 {
                // Only what does not fit into its own field stands here, in this order.
                var place = field + 4
                func take(_ value: inout UInt64) {
                    guard value == 0xFFFF_FFFF, place + 8 <= min(end, field + 4 + length) else { return }
                    value = number(all, place, 8)
                    place += 8
                }
                take(&size)
                take(&packed)
                take(&header)
            }
            field += 4 + length
        }
        return Member(
            name: name, size: size, place: place, packedSize: packed, method: UInt16(number(all, at + 10, 2)),
            isEncrypted: number(all, at + 8, 2) & 1 != 0, crc: UInt32(number(all, at + 16, 4)), header: header)
    }

    private static func bytes(_ file: Int32, at offset: UInt64, count: Int, _ path: String) throws -> [UInt8] {
        var result = [UInt8](repeating: 0, count: count)
        let found = try result.withUnsafeMutableBytes { try read(file, at: offset, into: $0, path) }
        guard found == count else { throw damaged(path, "it ends in the middle") }
        return result
    }

    private static func read(
        _ file: Int32, at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer, _ path: String
    ) throws -> Int {
        var count = 0
        while count < buffer.count {
            guard let place = off_t(exactly: offset + UInt64(count)) else { return count }
            let found = pread(file, buffer.baseAddress?.advanced(by: count), buffer.count - count, place)
            if found < 0 {
                if errno == EINTR { continue }
                throw Disk.failure("read", path)
            }
            if found == 0 { break }
            count += found
        }
        return count
    }

    // MARK: Members

    /// Unpacks a member piece by piece, and compares its checksum and size with the directory.
    /// - Throws: `disk.read`, `file.damaged` with the reason, and what the body throws.
    package func read(_ member: Member, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let stream = try MemberStream(of: self, member)
        while let piece = try stream.next() { try body(piece) }
    }

    /// Unpacks one member, piece by piece. Used by one thread at a time.
    final class MemberStream {
        private let archive: ZipArchive
        private let member: Member
        private var at: UInt64
        private let end: UInt64
        private var crc = crc32(0, nil, 0)
        private var size: UInt64 = 0
        private var stream = z_stream()
        private var isDone = false
        private let input = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
        private let output = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 17, alignment: 16)

        init(of archive: ZipArchive, _ member: Member) throws {
            let header = try ZipArchive.bytes(archive.file, at: member.header, count: 30, archive.path)
            self.archive = archive
            self.member = member
            at = member.header &+ 30 &+ number(header, 26, 2) &+ number(header, 28, 2)
            end = at &+ member.packedSize
            // Without a header of zlib or gzip.
            guard inflateInit2_(&stream, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
                throw MartletError(.machine, "engine.start", "zlib did not start: there is no memory.")
            }
            guard !member.isEncrypted else { throw damaged("\(member.name) is encrypted") }
            guard number(header, 0, 4) == 0x0403_4B50 else { throw damaged("\(member.name) is not where it should be") }
            guard member.method == 0 || member.method == 8 else {
                throw damaged("\(member.name) is packed by a method that is not known, \(member.method)")
            }
        }

        deinit {
            inflateEnd(&stream)
            input.deallocate()
            output.deallocate()
        }

        private func damaged(_ what: String) -> MartletError { ZipArchive.damaged(archive.path, what) }

        /// The next bytes, valid until the next call; `nil` behind the last, with checksum and size compared.
        func next() throws -> UnsafeRawBufferPointer? {
            guard let piece = member.method == 0 ? try stored() : try inflated() else {
                guard size == member.size, UInt32(truncatingIfNeeded: crc) == member.crc else {
                    throw damaged("the bytes of \(member.name) are altered")
                }
                return nil
            }
            size += UInt64(piece.count)
            guard size <= member.size else { throw damaged("\(member.name) is larger than the directory says") }
            crc = crc32(crc, piece.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt32(piece.count))
            return piece
        }

        /// The next bytes as they are in the archive.
        private func stored() throws -> UnsafeRawBufferPointer? {
            guard at < end else { return nil }
            let wanted = Int(min(UInt64(input.count), end - at))
            let room = UnsafeMutableRawBufferPointer(rebasing: input[..<wanted])
            guard try ZipArchive.read(archive.file, at: at, into: room, archive.path) == wanted else {
                throw damaged("\(member.name) ends in the middle")
            }
            at += UInt64(wanted)
            return UnsafeRawBufferPointer(room)
        }

        private func inflated() throws -> UnsafeRawBufferPointer? {
            while !isDone {
                if stream.avail_in == 0, let more = try stored() {
                    stream.next_in = UnsafeMutablePointer(
                        mutating: more.baseAddress?.assumingMemoryBound(to: UInt8.self))
                    stream.avail_in = UInt32(more.count)
                }
                stream.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
                stream.avail_out = UInt32(output.count)
                let code = inflate(&stream, Z_NO_FLUSH)
                isDone = code == Z_STREAM_END
                let count = output.count - Int(stream.avail_out)
                guard isDone || code == Z_OK || code == Z_BUF_ERROR else {
                    throw damaged("the bytes of \(member.name) are altered")
                }
                if count > 0 { return UnsafeRawBufferPointer(rebasing: output[..<count]) }
                guard isDone || stream.avail_in > 0 || at < end else {
                    throw damaged("\(member.name) ends in the middle")
                }
            }
            return nil
        }
    }
}

/// A little-endian number; bytes beyond the end are 0.
private func number(_ bytes: [UInt8], _ at: Int, _ count: Int) -> UInt64 {
    (0..<count).reduce(0) { at + $1 < bytes.count ? $0 | UInt64(bytes[at + $1]) << UInt64(8 * $1) : $0 }
}
