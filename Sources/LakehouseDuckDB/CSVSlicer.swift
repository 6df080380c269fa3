internal import Dispatch
internal import Lakehouse
internal import Vocabulary

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Cuts a large CSV file between records, so that its slices can be read one after the other in little memory.
///
/// A line break is the end of a record unless it stands in quotes, and what stands in quotes is only sure as long as
/// every quote opens at the beginning of a cell and closes at its end. Anything else is for the CSV reader to judge.
final class CSVSlicer {
    /// The file cannot be cut safely.
    struct Irregular: Error {}

    private let path: String
    private let size: Int64
    private let quote: UInt8?
    private let delimiter: UInt8
    private let target: Int64
    private var linesToSkip: Int

    private var offset: Int64 = 0
    private var isQuoted = false
    /// The byte before the next one; a line break at the beginning of the file.
    private var last: UInt8 = 10
    /// A quote inside quotes was the last byte: it closed the cell, or the next quote makes it a character.
    private var mayClose = false

    /// `nil` when the file is too small to be cut, or of a form that cannot be.
    /// - Parameter target: bytes of a slice, about.
    init?(_ path: String, _ format: SourceFormat, target: Int64) {
        guard format.kind == .csv, let size = Disk.stamp(path)?.size, size > target + target / 2,
            format.delimiter.utf8.count == 1, let delimiter = format.delimiter.utf8.first,
            format.quote.utf8.count <= 1
        else { return nil }
        self.path = path
        self.size = size
        quote = format.quote.utf8.first
        self.delimiter = delimiter
        self.target = max(1, target)
        linesToSkip = format.skipLines
    }

    /// Writes the next slice into a file. Gives `false`, and writes nothing, when the source has come to its end.
    func cut(into slice: String) throws -> Bool {
        guard offset < size else { return false }
        // Slices of about the same size, rather than a small one at the end.
        let left = (size - offset + target - 1) / target
        var wanted = (size - offset + left - 1) / left
        let wrote = try Disk.copyPart(of: path, from: offset, to: slice) { piece in
            let end = try advance(piece, atLeast: Int(min(wanted, Int64(piece.count) + 1)))
            wanted -= Int64(end ?? piece.count)
            return end
        }
        offset += wrote
        if offset >= size, isQuoted, !mayClose { throw Irregular() }
        return wrote > 0
    }

    /// Goes through a piece to its end, or up to the end of the first record at or after `atLeast`.
    private func advance(_ piece: UnsafeRawBufferPointer, atLeast: Int) throws(Irregular) -> Int? {
        var place = 0
        if offset == 0, place == 0, piece.starts(with: [0xEF, 0xBB, 0xBF]) { place = 3 }
        while linesToSkip > 0, let end = find(10, in: piece, from: place) {
            place = end + 1
            linesToSkip -= 1
        }
        if linesToSkip > 0 { throw Irregular() }
        while place < piece.count {
            if mayClose {
                mayClose = false
                let byte = piece[place]
                if byte == quote {
                    place += 1
                    continue
                }
                guard byte == delimiter || byte == 10 || byte == 13 else { throw Irregular() }
                isQuoted = false
                last = quote ?? 0
                continue
            }
            let next = quote.flatMap { find($0, in: piece, from: place) }
            if isQuoted {
                guard let next else { return nil }
                mayClose = true
                place = next + 1
                continue
            }
            // No quotes up to here: every line break ends a record.
            let plain = next ?? piece.count
            if plain > atLeast || plain == piece.count,
                let end = find(10, in: piece, from: max(place, atLeast - 1)), end < plain
            {
                last = 10
                return end + 1
            }
            guard let next else {
                last = piece[piece.count - 1]
                return nil
            }
            let before = next > 0 ? piece[next - 1] : last
            guard before == delimiter || before == 10 || (next == 3 && offset == 0) else { throw Irregular() }
            isQuoted = true
            place = next + 1
        }
        if !isQuoted, !mayClose, let byte = piece.last { last = byte }
        return nil
    }

    private func find(_ byte: UInt8, in piece: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard start < piece.count, let base = piece.baseAddress,
            let found = memchr(base.advanced(by: start), Int32(byte), piece.count - start)
        else { return nil }
        return UnsafeRawPointer(found) - base
    }
}

/// Cuts the next slice on a thread of its own while the one before is worked on.
///
/// Why `@unchecked Sendable` holds: one thread at a time calls (`SliceTurns` does so under its lock), one cuts, and
/// never both at once touch the same field. From `queue.async` to `done.signal()` the cutting thread alone uses `slicer`
/// and `outcome`; the caller touches them only after `done.wait()`, which the signal happens before. `number` and
/// `isCutting` are the caller's alone, and `files` never changes.
final class SliceQueue: @unchecked Sendable {
    private let slicer: CSVSlicer
    private let files: [String]
    private let queue = DispatchQueue(label: "martlet.slices")
    private let done = DispatchSemaphore(value: 0)
    private var outcome: Result<Bool, any Error> = .success(false)
    private var number = 0
    private var isCutting = false

    /// - Parameters:
    ///   - file: name of the slices' files, without ending.
    ///   - readers: how many slices are worked on at the same time.
    init(_ slicer: CSVSlicer, file: String, readers: Int) {
        self.slicer = slicer
        files = (0...max(1, readers)).map { "\(file)-\($0).csv" }
        start()
    }

    private func start() {
        isCutting = true
        let file = files[number % files.count]
        queue.async { [self] in
            outcome = Result { try slicer.cut(into: file) }
            done.signal()
        }
    }

    /// The file with the next slice, which stays until the one `readers` after it is asked for; `nil` after the last.
    func next() throws -> String? {
        guard isCutting else { return nil }
        done.wait()
        isCutting = false
        guard try outcome.get() else { return nil }
        let file = files[number % files.count]
        number += 1
        start()
        return file
    }

    /// Ends the cutting and removes the slices.
    func close() {
        if isCutting { done.wait() }
        isCutting = false
        for file in files { Disk.remove(file) }
    }
}
