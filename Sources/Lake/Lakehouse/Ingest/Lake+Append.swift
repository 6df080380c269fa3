internal import Core
package import SQLLineage

extension Lake {
    /// Appends the rows of a written Parquet file to a table, exactly once by application id and version.
    ///
    /// The table is created if needed, and gets columns that it does not have; the file's columns may be in any order.
    /// Nothing happens when the table already has a transaction of this application with this version or a later one.
    ///
    /// - Returns: the version that was committed; `nil` when the rows were there already.
    package func append(
        _ file: WrittenFile, to name: TableName, once application: String, upTo number: Int64
    ) throws -> Int? {
        let table = table(name)
        return try commit(name) { current in
            if let known = current?.transactions[application], known >= number { return nil }
            let before = try current.map { try runningHash(of: name, at: $0.version) } ?? ContentHash()
            let known = try current?.metadata?.fields() ?? []
            let names = Set(known.map(\.name))
            var actions = [commitInfo("WRITE", ["contentHash": .text((before + file.hash).description)])]
            actions += try schemaChange(current, to: known + file.fields.filter { !names.contains($0.name) })
            actions.append(mark(application, version: number))
            actions.append(try add(file, to: table))
            return actions
        }
    }

    /// Returns the highest version that an application has committed to a table; `nil` when none.
    package func committedNumber(of application: String, in name: TableName) throws -> Int64? {
        try table(name).exists ? snapshot(of: name).transactions[application] : nil
    }

    /// Returns the columns of a table; none when it does not exist.
    package func fields(of name: TableName) throws -> [DeltaField] {
        try table(name).exists ? snapshot(of: name).metadata?.fields() ?? [] : []
    }
}
