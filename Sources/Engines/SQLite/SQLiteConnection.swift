internal import Core
internal import Foundation
internal import GRDB
internal import SQLText

/// The `SQLConnection` of a pool connection inside a transaction.
struct SQLiteConnection: SQLConnection {
    let database: Database
    let path: String

    func execute(_ sql: SQLText.SQL) throws -> Int {
        try MartletError.from(path) {
            let values = sql.values
            if values.isEmpty {
                try database.execute(sql: sql.text)
            } else {
                let statement = try database.cachedStatement(sql: sql.text)
                try statement.execute(arguments: arguments(values))
            }
            return database.changesCount
        }
    }

    func rows(_ sql: SQLText.SQL) throws -> [SQLRow] {
        try MartletError.from(path) {
            let statement = try database.cachedStatement(sql: sql.text)
            let columns = statement.columnNames
            let cursor = try Row.fetchCursor(statement, arguments: arguments(sql.values))
            var rows: [SQLRow] = []
            while let row = try cursor.next() {
                rows.append(SQLRow(columns: columns, values: row.databaseValues.map { SQLValue($0) }))
            }
            return rows
        }
    }

    func hasTable(_ name: String) throws -> Bool {
        try MartletError.from(path) { try database.tableExists(name) }
    }

    /// A writing transaction is the only one there is.
    func lock(_ scope: SQLScope) {}

    /// Refuses a text with a NUL character, which would be read back cut off there.
    private func arguments(_ values: [SQLValue]) throws -> StatementArguments {
        StatementArguments(
            try values.map { value -> (any DatabaseValueConvertible)? in
                switch value {
                case .null: nil
                case .integer(let number): number
                case .real(let number): number
                case .text(let text):
                    if text.utf8.contains(0) {
                        throw MartletError(
                            .input, "metadata.failed", "A text with a NUL character in it cannot be stored.",
                            at: .init(file: path))
                    } else {
                        text
                    }
                case .blob(let bytes): Data(bytes)
                }
            })
    }
}

extension SQLValue {
    fileprivate init(_ value: DatabaseValue) {
        switch value.storage {
        case .null: self = .null
        case .int64(let number): self = .integer(number)
        case .double(let number): self = .real(number)
        case .string(let text): self = .text(text)
        case .blob(let data): self = .blob([UInt8](data))
        }
    }
}
