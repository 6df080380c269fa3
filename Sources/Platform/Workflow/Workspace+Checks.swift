internal import Core
internal import Lakehouse
package import Projects
internal import Registry
internal import SQLLineage
internal import SourceFormats
internal import Storage

// What `martlet doctor` looks at besides SQL and tables. Each gives sentences; none changes anything.

extension Workspace {
    /// Returns the registered versions whose artifacts are missing or altered.
    package func artifactProblems() throws -> [(version: String, problem: String)] {
        try registry.models.list().flatMap { try registry.models.versions(of: $0.model) }.reversed().flatMap {
            version in
            let name = "\(version.model)@\(version.version)"
            let lost = try registry.runs.show(version.run).artifacts.compactMap { kept -> String? in
                do {
                    _ = try artifacts.get(kept.digest, kept.name)
                    return nil
                } catch {
                    return
                        "\((error as? MartletError)?.message ?? "\(error)") [\((error as? MartletError)?.code ?? "")]"
                }
            }
            return lost.isEmpty
                ? []
                : [
                    (
                        name,
                        "\(lost.joined(separator: " ")) Restore \(artifacts.folder) from a backup; `martlet run` brings back what belongs to the newest training."
                    )
                ]
        }
    }

    /// Returns landed files not yet ingested whose header does not fit the contract.
    package func misfits(of source: Project.Source) throws -> [(file: String, problem: String)] {
        let files = try landing(of: source).files.compactMap { path in
            Disk.stamp(path, followingLinks: false).map { (path, $0) }
        }
        let digests = try registry.files.cachedDigests(of: files.map { ($0.0, FileStamp($0.1)) })
        let table = lake.table(TableName(.bronze, source.name))
        let taken = try table.exists ? Set(lake.ingestedFiles(source.name).map(\.digest)) : []
        let dropped = try lake.droppedFiles(source.name, among: digests.compactMap(\.self))
        return zip(files, digests).compactMap { file, digest in
            if let digest, taken.contains(digest) || dropped.contains(digest) { return nil }
            return problem(of: file.0, source).map { (Disk.name(of: file.0), $0) }
        }
    }

    private func problem(of path: String, _ source: Project.Source) -> String? {
        let contract = source.contract
        let header: [String]
        do { header = try lake.engine.header(of: path, format: source.format) } catch {
            return (error as? MartletError)?.message ?? "\(error)"
        }
        let place = "contracts/\(source.name).yaml"
        if !source.format.header {
            let needed = contract.columns.lastIndex { !$0.optional }.map { $0 + 1 } ?? 0
            return (needed...max(needed, contract.columns.count)).contains(header.count)
                ? nil : "its first line has \(header.count) cells; the contract has \(contract.columns.count) columns"
        }
        let missing = contract.columns.filter { column in
            !column.optional && !column.headerNames.contains { header.contains($0) }
        }
        guard !missing.isEmpty else { return nil }
        let names = missing.map { column in
            let near = Spelling.nearest(to: column.headerNames[0], among: header)
            return "\"\(column.headerNames[0])\"" + (near.map { " (it has \"\($0)\")" } ?? "")
        }
        return
            "its header lacks \(names.prefix(4).joined(separator: ", "))\(names.count > 4 ? " and \(names.count - 4) more" : ""); "
            + "correct the file, or name the header under from: in \(place)"
    }

    /// Returns non-empty folders in landing/ that belong to no source.
    package func strayFolders() throws -> [(folder: String, problem: String)] {
        try project.unclaimedLanding().filter { $0.files > 0 }.map { path, files in
            let near = Spelling.nearest(to: Disk.name(of: path), among: project.sources.map(\.name))
            return (
                path,
                "\(counted(files, "file")) of no source: nothing takes \(files == 1 ? "it" : "them"); "
                    + (near.map { "did you mean landing/\($0)?" }
                        ?? "declare a source, or move \(files == 1 ? "it" : "them")")
            )
        }
    }

    /// Returns how a source's table differs from what its contract says by now; `nil` when it does not.
    /// - Returns: the sentence, and whether queries see it: tables with other columns, not only rows judged otherwise.
    package func lag(of source: Project.Source) throws -> (sentence: String, isWrong: Bool)? {
        let name = TableName(.bronze, source.name)
        guard try lake.table(name).exists else { return nil }
        let snapshot = try lake.snapshot(of: name)
        let have = Dictionary(try snapshot.metadata?.fields().map { ($0.name, $0.type) } ?? []) { first, _ in first }
        let fields = source.contract.fields
        let new = fields.filter { have[$0.name] == nil }.map(\.name)
        let other = fields.filter { field in have[field.name].map { $0 != field.type } ?? false }.map(\.name)
        let gone = have.keys.filter { name in !fields.contains { $0.name == name } }.sorted()
        var parts: [String] = []
        if !new.isEmpty { parts.append("it has no \(new.joined(separator: ", "))") }
        if !other.isEmpty { parts.append("\(other.joined(separator: ", ")) had another type") }
        if !gone.isEmpty { parts.append("it has \(gone.joined(separator: ", ")) besides") }
        let isWrong = !parts.isEmpty
        if parts.isEmpty {
            let (behind, lost) = try lake.filesBehind(source.contract)
            if behind.isEmpty {
                guard let file = lost.first else { return nil }
                return (
                    "\(counted(lost.count, "file")) in \(name) (\(file.name)\(lost.count > 1 ? ", …" : "")) came in under "
                        + "an earlier contract, and the bytes are gone: the rows are as they were judged then. "
                        + "To have them judged anew, land the file again", false
                )
            }
            parts.append("\(counted(behind.count, "file")) came in under the one of before")
        }
        return (
            "\(name) was made under another contract than contracts/\(source.name).yaml is now: \(parts.joined(separator: "; ")). "
                + "`martlet ingest --again` takes the known files again under it", isWrong
        )
    }

    /// Returns the warnings of the newest training of a model that passed its gates.
    package func warnings(of model: Project.Model) throws -> [String] {
        guard let run = try registry.runs.list(model: model.name, status: .finished, limit: 1).first else { return [] }
        return try checks(ofRun: run.id)?.warnings ?? []
    }
}
