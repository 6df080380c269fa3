internal import Core
package import SQLLineage

extension Lake {
    /// Adds the rows of a written file, its columns in whatever order, to a table, which is made when needed and gets the
    /// columns that it does not have. Exactly once: a transaction of this application with this version or a later one
    /// that is in the table already makes it do nothing.
    ///
    /// - Returns: the version that was committed; `nil` when the rows were there already.
    package func append(
        _ file: WrittenFile, to name: TableName, once application: String, upTo number: Int64
    ) throws -> Int? {
        let table = table(name)
        return try commit(name) { current in
            if let known = current?.transactions[application], known >= number { return nil }
            let before = try current.map { try reference(to: name, at: $0.version).hash } ?? ContentHash()
            let known = try current?.metadata?.fields() ?? []
            let names = Set(known.map(\.name))
            var actions = [commitInfo("WRITE", ["contentHash": .text((before + file.hash).description)])]
            actions += try schemaChange(current, to: known + file.fields.filter { !names.contains($0.name) })
            actions.append(mark(application, version: number))
            actions.append(try add(file, to: table))
            return actions
        }
    }

    /// The highest version that an application has committed to a table; `nil` when it has not.
    package func committedNumber(of application: String, in name: TableName) throws -> Int64? {
        try table(name).exists ? snapshot(of: name).transactions[application] : nil
    }

    /// The columns of a table; none when there is no table.
    package func fields(of name: TableName) throws -> [DeltaField] {
        try table(name).exists ? snapshot(of: name).metadata?.fields() ?? [] : []
    }
}
