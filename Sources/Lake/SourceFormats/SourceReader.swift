package import Core

/// Reads the records of one file in their order, piece by piece, so that memory does not grow with the file.
///
/// Used by one thread at a time. Its calls throw ``FileRefusal`` for what the file is to blame for, and `MartletError`
/// for the machine.
///
/// ```swift
/// guard case .records(let open) = try SourceFormats.find("jsonl").reading else { return }
/// let reader = try open("landing/visits/2026-01.jsonl", format, 24 << 20)
/// while let piece = try reader.next() {
///     let records = piece.records(cells: reader.header?.count ?? 0)
///     while records.next() { print(records.cells().all[0].count) }
/// }
/// ```
package protocol SourceReader: AnyObject {
    /// The names that the file gives its columns, or without a header the cells of its first record; `nil` when it has
    /// no record at all.
    var header: [String]? { get }
    /// How the file is packed: "gzip"; `nil` when it is not.
    var packing: String? { get }
    /// Whether every record of the file has been given out in a piece.
    var isExhausted: Bool { get }

    /// The next records; `nil` when there are none left.
    func next() throws -> (any RecordPiece)?
}

/// Some whole records of a file in memory, one after the other.
package protocol RecordPiece: AnyObject, Sendable {
    /// Begins to read the records.
    /// - Parameter cells: how many a sound record has: as many as the header.
    func records(cells: Int) -> any RecordCursor
}

/// Goes through the records of a piece. What it shows stays where it is until the cursor goes.
package protocol RecordCursor: AnyObject {
    /// Moves on to the next record; `false` behind the last.
    func next() -> Bool
    /// Why the record cannot be taken apart; `nil` for a sound one.
    var fault: String? { get }
    /// The cells of a sound record, as many as were asked for, and whether one of them may begin or end with a blank.
    /// Asked for once a record, after `fault`.
    func cells() -> (all: UnsafeBufferPointer<SourceCell>, arePadded: Bool)
    /// The record as it came, where it is bytes of its own; at least 12 more can be read behind them.
    var bytes: UnsafeRawBufferPointer? { get }
    /// The text of a record with a fault, in UTF-8 where it has any; at least 12 more bytes can be read behind it.
    var text: UnsafeRawBufferPointer { get }
}

/// A cell as UTF-8. One of no bytes is missing. At least 12 more bytes can be read behind it.
package struct SourceCell {
    /// Its first byte; `nil` only for a cell of no bytes.
    package var start: UnsafePointer<UInt8>?
    /// Number of bytes.
    package var count: Int

    package init(_ start: UnsafePointer<UInt8>?, _ count: Int) {
        self.start = start
        self.count = count
    }
}

/// Thrown when a whole file is refused; the reason is the second half of a sentence: "it is empty".
package struct FileRefusal: Error {
    /// Why the file is refused.
    package let reason: String
    /// Whether the header can be read but does not bring what the contract asks for.
    package var isAboutNames = false

    package init(_ reason: String, isAboutNames: Bool = false) {
        self.reason = reason
        self.isAboutNames = isAboutNames
    }

    /// The refusal of a file for an error `file.damaged`.
    package init(damage error: MartletError) {
        let what = error.message.hasSuffix(".") ? error.message.dropLast() : error.message[...]
        self.init(what.hasPrefix("The file is ") ? "it is " + what.dropFirst("The file is ".count) : String(what))
    }

    /// Reports a damaged compressed file as the file's own fault, which costs no other file.
    static func ofDamage<T>(_ body: () throws -> T) throws -> T {
        do { return try body() } catch let error as MartletError where error.code == "file.damaged" {
            throw FileRefusal(damage: error)
        }
    }
}
