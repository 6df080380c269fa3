internal import CLibrary
internal import CPQ
internal import Core

/// Function pointers of libpq, loaded at run time when a PostgreSQL database is first named.
///
/// Most projects have none, and the library brings twenty others into every process that links it: six megabytes of
/// memory.
struct PostgresLibrary: Sendable {
    let backendPID: PQbackendPIDFunction
    let clear: PQclearFunction
    let cmdStatus: PQcmdStatusFunction
    let cmdTuples: PQcmdTuplesFunction
    let connectdbParams: PQconnectdbParamsFunction
    let conninfoFree: PQconninfoFreeFunction
    let conninfoParse: PQconninfoParseFunction
    let errorMessage: PQerrorMessageFunction
    let exec: PQexecFunction
    let execParams: PQexecParamsFunction
    let finish: PQfinishFunction
    let fname: PQfnameFunction
    let freemem: PQfreememFunction
    let ftype: PQftypeFunction
    let getisnull: PQgetisnullFunction
    let getvalue: PQgetvalueFunction
    let nfields: PQnfieldsFunction
    let ntuples: PQntuplesFunction
    let resultErrorField: PQresultErrorFieldFunction
    let resultStatus: PQresultStatusFunction
    let setNoticeProcessor: PQsetNoticeProcessorFunction
    let status: PQstatusFunction
    let transactionStatus: PQtransactionStatusFunction

    private static let result = Result { try PostgresLibrary() }

    /// - Throws: `metadata.library` where the machine has no libpq.
    static func load() throws -> PostgresLibrary { try result.get() }

    private static let files = [
        "libpq.so.5", "libpq.5.dylib", "/opt/homebrew/opt/libpq/lib/libpq.5.dylib",
        "/usr/local/opt/libpq/lib/libpq.5.dylib",
    ]

    private init() throws {
        guard let library = Self.files.lazy.compactMap({ dlopen($0, RTLD_NOW | RTLD_LOCAL) }).first else {
            throw MartletError(
                .machine, "metadata.library", "PostgreSQL's client library, libpq, is not on this machine.",
                remedy: "Install it: apt-get install libpq5, or brew install libpq.")
        }
        /// The type is that of the header by which this was compiled.
        func function<Function>(_ name: String) throws -> Function {
            guard let found = dlsym(library, name) else {
                throw MartletError(
                    .machine, "metadata.library", "libpq on this machine has no \(name): it is too old.",
                    remedy: "Install that of PostgreSQL 15 or later.")
            }
            return unsafeBitCast(found, to: Function.self)
        }
        backendPID = try function("PQbackendPID")
        clear = try function("PQclear")
        cmdStatus = try function("PQcmdStatus")
        cmdTuples = try function("PQcmdTuples")
        connectdbParams = try function("PQconnectdbParams")
        conninfoFree = try function("PQconninfoFree")
        conninfoParse = try function("PQconninfoParse")
        errorMessage = try function("PQerrorMessage")
        exec = try function("PQexec")
        execParams = try function("PQexecParams")
        finish = try function("PQfinish")
        fname = try function("PQfname")
        freemem = try function("PQfreemem")
        ftype = try function("PQftype")
        getisnull = try function("PQgetisnull")
        getvalue = try function("PQgetvalue")
        nfields = try function("PQnfields")
        ntuples = try function("PQntuples")
        resultErrorField = try function("PQresultErrorField")
        resultStatus = try function("PQresultStatus")
        setNoticeProcessor = try function("PQsetNoticeProcessor")
        status = try function("PQstatus")
        transactionStatus = try function("PQtransactionStatus")
    }
}
