internal import Core
internal import Lakehouse
internal import SourceFormats

/// State of one acceptance: the files in the staging table, and the results so far.
final class AcceptJob {
    /// A file, or a slice of one, in the staging table.
    struct Staged {
        /// Its place in the request.
        var file: Int
        var path: String
        /// The records where they are in memory: the slice, or all of a small file.
        var piece: (any RecordPiece)?
        /// Records that the reader has found, broken ones included; `nil` where the engine reads the file.
        var received: Int?
        /// Rows in the table.
        var rows = 0
    }

    /// Files of one layout that were read by one statement; their rows stand one after the other.
    struct Group {
        var layout: HeaderReader.Layout
        /// Places in `staged`.
        var members: Range<Int>
    }

    let request: AcceptRequest
    let kind: SourceFormatDescriptor
    /// By place in the request.
    var results: [Acceptance]
    var refusals: [String?]
    var layouts: [HeaderReader.Layout?]
    /// Files of one kind can be read by one statement.
    var kinds: [[String]]
    /// Rows that break a promise that only warns: by file, by number of the rule.
    var warned: [[Int: Int]]
    var hasStrictBreach: [Bool]

    var staged: [Staged] = []
    var groups: [Group] = []
    /// All records of small files, by place in the request.
    var pieces: [Int: any RecordPiece] = [:]
    /// Whether files are small enough together to stay in memory, and else how much of one is read at a time.
    var keepsPieces = true
    var pieceBytes: Int?
    /// Whether the reader of the file's header goes on with its records, as that of a sliced file.
    var keepsReader = false
    var reader: (any SourceReader)?
    /// Rows of the sliced file in the slices before this one, broken ones included.
    var rowsBefore: Int64 = 0
    var written: [WrittenFile] = []
    /// Whether anything stands in the table `aside`.
    var hasDetails = false
    /// Whether anything stands in the table `outside`: rows that are not written because of their keys.
    var hasOutside = false

    init(_ request: AcceptRequest) throws {
        self.request = request
        kind = try SourceFormats.find(request.format.kind)
        let count = request.files.count
        results = Array(repeating: Acceptance(), count: count)
        refusals = Array(repeating: nil, count: count)
        layouts = Array(repeating: nil, count: count)
        kinds = Array(repeating: [], count: count)
        warned = Array(repeating: [:], count: count)
        hasStrictBreach = Array(repeating: false, count: count)
    }

    var contract: Contract { request.contract }

    /// Whether the records come from a reader, one by one, and not from the engine.
    var readsRecords: Bool { if case .records = kind.reading { true } else { false } }

    /// Opens a file; `nil` where the engine reads it.
    func reader(_ path: String, _ target: Int?) throws -> (any SourceReader)? {
        guard case .records(let open) = kind.reading else { return nil }
        return try open(path, request.format, target)
    }

    /// The values that the folders of a file give to all its rows.
    func partition(_ file: Int) -> [(name: String, value: String?)] {
        PartitionPath.values(of: request.files[file].name)
    }

    var isReject: Bool { contract.onKeyConflict == .reject }

    func sql(_ layout: HeaderReader.Layout) -> ContractSQL {
        ContractSQL(
            contract: contract, present: layout.present, absent: layout.absent, tellsEmptyRows: true,
            numbers: NumberForm(request.format))
    }

    /// The records of staged files.
    /// - Parameter picked: by place among the members, the numbers of those that are wanted; `nil` for all.
    func texts(
        of members: [Staged], _ layout: HeaderReader.Layout, picked: [Int: Set<Int64>]? = nil
    ) -> StagedTexts {
        var place = 0
        var reader: (any SourceReader)?
        let target = pieceBytes ?? 24 << 20
        return StagedTexts(cells: layout.fileCells, picked: picked) { [self] in
            while place < members.count {
                if let piece = members[place].piece {
                    place += 1
                    return (place - 1, piece)
                }
                guard let open = try reader ?? self.reader(members[place].path, target) else { return nil }
                reader = open
                if let piece = try open.next() { return (place, piece) }
                guard open.isExhausted else {
                    throw FileRefusal("not all of it was read, which is a fault of Martlet; nothing of it is taken")
                }
                reader = nil
                place += 1
            }
            return nil
        }
    }

    /// Goes on where another job over the same request stands; what is staged stays its own.
    func takeOver(_ other: AcceptJob) {
        results = other.results
        refusals = other.refusals
        layouts = other.layouts
        kinds = other.kinds
        warned = other.warned
        hasStrictBreach = other.hasStrictBreach
        rowsBefore = other.rowsBefore
        written = other.written
        hasDetails = other.hasDetails
    }

    /// Why a file with these counts is refused whole; `nil` when it is taken.
    func verdict(_ file: Int) -> String? {
        let result = results[file]
        guard result.rejectedRows > 0, result.rowsRead > 0 else { return nil }
        let share = Double(result.rejectedRows) / Double(result.rowsRead)
        let most = contract.maxRejected ?? Contract.usualShare
        if share > most, contract.maxRejected != nil || result.rowsRead >= Contract.fewRows {
            results[file].isBeyondShare = true
            return "\(result.rejectedRows) of its \(result.rowsRead) rows (\(percent(share))) break the contract, "
                + "more than \(percent(most))"
        }
        guard hasStrictBreach[file] || contract.onViolation == .rejectFile else { return nil }
        return "\(result.rejectedRows) of its \(result.rowsRead) rows break the contract, and it says reject-file"
    }

    private func percent(_ share: Double) -> String {
        if share > 0, share < 0.0005 { return "less than 0.1 %" }
        let tenths = (share * 1000).rounded() / 10
        return tenths == tenths.rounded() ? "\(Int(tenths)) %" : "\(tenths) %"
    }
}
