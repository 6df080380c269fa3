internal import CLibrary
internal import CPQ
internal import Core
internal import SQLText

/// One connection to a PostgreSQL server.
///
/// Why `@unchecked Sendable` holds: nothing here is locked, but a session is in the pool or with the one transaction that
/// took it out (`PostgresDatabase.idle`, `started`, `giveBack`), so one thread at a time uses it, and libpq keeps no state
/// of threads.
final class PostgresSession: @unchecked Sendable {
    fileprivate let library: PostgresLibrary
    private let handle: OpaquePointer
    let place: String

    /// What the address may override: a server that went away without a word is noticed within half a minute.
    private static let defaults = [
        ("application_name", "martlet"), ("client_encoding", "UTF8"), ("connect_timeout", "5"),
        ("keepalives_count", "3"), ("keepalives_idle", "10"), ("keepalives_interval", "5"),
        ("tcp_user_timeout", "30000"),
    ]

    /// A commit that is acknowledged is on the server's disk, whatever its default; a lock is waited for half a minute.
    private static let setup = """
        SET lock_timeout = '30s'; SET standard_conforming_strings = on;
        SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'
        """

    /// - Throws: `metadata.away` where nobody answers, `metadata.denied` where the server does not let this account in.
    init(_ address: PostgresAddress) throws {
        place = address.place
        library = try PostgresLibrary.load()
        // The first `dbname` is expanded as a connection string; what stands before it are defaults.
        var names: [UnsafePointer<CChar>?] = []
        var values: [UnsafePointer<CChar>?] = []
        var copies: [UnsafeMutablePointer<CChar>?] = []
        defer { for copy in copies { free(copy) } }
        func add(_ name: String, _ value: String) {
            let (name, value) = (strdup(name), strdup(value))
            copies += [name, value]
            names.append(UnsafePointer(name))
            values.append(UnsafePointer(value))
        }
        for (name, value) in Self.defaults { add(name, value) }
        add("dbname", address.connectionString)
        names.append(nil)
        values.append(nil)
        guard let handle = library.connectdbParams(names, values, 1) else {
            throw MartletError(
                .machine, "metadata.failed", "There is no memory for a connection to PostgreSQL.",
                at: .init(file: place))
        }
        guard library.status(handle) == CONNECTION_OK else {
            let reason = text(library.errorMessage(handle))
            library.finish(handle)
            throw MartletError.unconnected(reason, place)
        }
        self.handle = handle
        // Notices ("table exists already") would go to stderr.
        _ = library.setNoticeProcessor(handle, { _, _ in }, nil)
        do { try execute(Self.setup) } catch let fault as PostgresFault { throw MartletError(fault, place) }
    }

    deinit { library.finish(handle) }

    /// Whether the connection can still be used, as far as this side knows.
    var isOpen: Bool { library.status(handle) == CONNECTION_OK }

    /// Whether a transaction is open.
    var isInTransaction: Bool { library.transactionStatus(handle) != PQTRANS_IDLE }

    /// Runs statements without values.
    /// - Returns: the rows that the last one changed.
    @discardableResult
    func execute(_ text: String) throws -> Int {
        try PostgresResult(library.exec(handle, text), of: self).changed
    }

    /// Commits the open transaction.
    /// - Throws: also where a statement in it failed and its error was lost: the server then undoes the transaction, and
    ///   says so in nothing but the name of what it did.
    func commit() throws {
        let result = try PostgresResult(library.exec(handle, "COMMIT"), of: self)
        guard result.command == "COMMIT" else {
            throw PostgresFault(
                state: "25P02", text: "a statement of the transaction had failed, so it was undone", isLost: false)
        }
    }

    /// Runs one statement.
    func run(_ sql: SQL) throws -> PostgresResult {
        let values = sql.values
        guard !values.isEmpty else { return try PostgresResult(library.exec(handle, sql.text), of: self) }
        let parameters = try values.map { try PostgresParameter($0, place) }
        let texts = parameters.map { $0.text.map { strdup($0) } ?? nil }
        defer { for text in texts { free(text) } }
        let pointers = texts.map { UnsafePointer($0) }
        return try PostgresResult(
            library.execParams(
                handle, sql.text { "$\($0)" }, Int32(values.count), parameters.map(\.type), pointers, nil, nil, 0),
            of: self)
    }

    /// The server's process for this connection.
    var processID: Int32 { library.backendPID(handle) }

    /// What the server or libpq said last.
    var message: String { text(library.errorMessage(handle)) }
}

/// What libpq points at; empty where it points at nothing.
private func text(_ pointer: UnsafePointer<CChar>?) -> String { pointer.map { String(cString: $0) } ?? "" }

private func text(_ pointer: UnsafeMutablePointer<CChar>?) -> String { text(UnsafePointer(pointer)) }

/// A bound value in libpq's text format, with its type.
private struct PostgresParameter {
    /// An object id of `pg_type`; 0 lets the server infer it.
    let type: Oid
    let text: String?

    init(_ value: SQLValue, _ place: String) throws {
        switch value {
        case .null: (type, text) = (0, nil)
        case .integer(let number): (type, text) = (PostgresType.int8, String(number))
        case .real(let number): (type, text) = (PostgresType.float8, "\(number)")
        case .text(let string):
            guard !string.utf8.contains(0) else {
                throw MartletError(
                    .input, "metadata.failed", "A text with a NUL character in it cannot be stored.",
                    at: .init(file: place))
            }
            (type, text) = (PostgresType.text, string)
        case .blob(let bytes):
            let digits = Array("0123456789abcdef".utf8)
            let hex = bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
            (type, text) = (PostgresType.bytea, "\\x" + String(decoding: hex, as: UTF8.self))
        }
    }
}

/// Object ids of built-in types (`pg_type.dat`); they are the same in every PostgreSQL.
enum PostgresType {
    static let bool: Oid = 16
    static let bytea: Oid = 17
    static let int8: Oid = 20
    static let int2: Oid = 21
    static let int4: Oid = 23
    static let text: Oid = 25
    static let float4: Oid = 700
    static let float8: Oid = 701
    static let numeric: Oid = 1700
}

/// The result of a statement, freed with the value.
struct PostgresResult: ~Copyable {
    private let library: PostgresLibrary
    private let handle: OpaquePointer

    /// - Throws: what the server refused, as a `MartletError` or a ``PostgresFault``.
    fileprivate init(_ handle: OpaquePointer?, of session: PostgresSession) throws {
        let library = session.library
        guard let handle else {
            throw PostgresFault(state: nil, text: session.message, isLost: !session.isOpen)
        }
        let status = library.resultStatus(handle)
        guard status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY else {
            // The message alone: the detail may tell values.
            let state = library.resultErrorField(handle, Int32(UInt8(ascii: "C"))).map { String(cString: $0) }
            let primary = library.resultErrorField(handle, Int32(UInt8(ascii: "M"))).map { String(cString: $0) }
            let constraint = library.resultErrorField(handle, Int32(UInt8(ascii: "n"))).map { String(cString: $0) }
            library.clear(handle)
            throw PostgresFault(
                state: state, text: primary ?? session.message, constraint: constraint, isLost: !session.isOpen)
        }
        self.library = library
        self.handle = handle
    }

    deinit { library.clear(handle) }

    /// The name of what was done: `COMMIT`, `INSERT 0 1`.
    var command: String { text(library.cmdStatus(handle)) }

    /// Rows that an INSERT, UPDATE or DELETE changed.
    var changed: Int { Int(text(library.cmdTuples(handle))) ?? 0 }

    func rows() throws -> [SQLRow] {
        let width = library.nfields(handle)
        let columns = (0..<width).map { text(library.fname(handle, $0)) }
        let types = (0..<width).map { library.ftype(handle, $0) }
        return (0..<library.ntuples(handle)).map { row in
            SQLRow(columns: columns, values: (0..<width).map { value(row, $0, types[Int($0)]) })
        }
    }

    private func value(_ row: Int32, _ column: Int32, _ type: Oid) -> SQLValue {
        guard library.getisnull(handle, row, column) == 0, let start = library.getvalue(handle, row, column) else {
            return .null
        }
        let text = String(cString: start)
        switch type {
        case PostgresType.int8, PostgresType.int4, PostgresType.int2:
            return Int64(text).map { .integer($0) } ?? .text(text)
        case PostgresType.bool: return .integer(text == "t" ? 1 : 0)
        case PostgresType.float8, PostgresType.float4, PostgresType.numeric:
            return Double(text).map { .real($0) } ?? .text(text)
        case PostgresType.bytea:
            let hex = Array(text.utf8.dropFirst(2))
            func digit(_ byte: UInt8) -> UInt8 { byte < 58 ? byte - 48 : byte - 87 }
            return .blob(
                stride(from: 0, to: hex.count - 1, by: 2).map { digit(hex[$0]) << 4 | digit(hex[$0 + 1]) })
        default: return .text(text)
        }
    }
}
