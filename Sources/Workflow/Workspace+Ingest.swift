package import Lakehouse
package import Projects
internal import Registry
package import Vocabulary

extension Workspace {
    /// Takes what has arrived in the landing folders.
    package func ingestLanded(progress: (IngestReport.File) -> Void = { _ in }) throws -> [IngestReport] {
        try project.sources.map { source in
            try ingest(try landedFiles(of: source), of: source, progress: progress)
        }
    }

    /// Takes given files into one source.
    package func ingest(
        _ paths: [String], of source: Project.Source, progress: (IngestReport.File) -> Void = { _ in }
    ) throws -> IngestReport {
        let landed = try digests(paths)
        return try lake.ingest(landed, of: source.contract, format: source.format, progress: progress)
    }

    /// The source a file belongs to: by its landing folder, else by its header.
    package func source(of path: String) throws -> Project.Source {
        let absolute = Disk.absolute(path)
        guard Disk.stamp(absolute) != nil else {
            throw MartletError(
                .missing, "file.missing",
                Disk.isDirectory(absolute) ? "\(path) is a folder; name files." : "There is no file \(path).")
        }
        if let source = project.sources.first(where: { absolute.hasPrefix($0.landing + "/") }) { return source }
        if project.sources.count == 1 { return project.sources[0] }
        var fitting: [Project.Source] = []
        for source in project.sources {
            let header = Set((try? lake.engine.header(of: absolute, format: source.format)) ?? [])
            let needed = source.contract.columns.filter { !$0.optional }
            if needed.allSatisfy({ column in column.headerNames.contains { header.contains($0) } }) {
                fitting.append(source)
            }
        }
        if fitting.count == 1 { return fitting[0] }
        throw MartletError(
            .usage, "ingest.which-source",
            fitting.isEmpty ? "The header of \(path) fits no source." : "The header of \(path) fits several sources.",
            remedy: "Say which with --source: \(project.sources.map(\.name).joined(separator: ", ")).")
    }

    /// The source of a file to score: the named one, else as `source(of:)` finds it.
    package func source(named name: String?, for path: String) throws -> Project.Source {
        guard let name else { return try source(of: path) }
        guard let source = project.source(name) else {
            let near = Spelling.nearest(to: name, among: project.sources.map(\.name))
            throw MartletError(
                .missing, "ingest.no-source", "The project has no source \(name).",
                remedy: near.map { "Did you mean \($0)?" }
                    ?? "It has: \(project.sources.map(\.name).joined(separator: ", ")).")
        }
        return source
    }

    /// SHA-256 of each file; files that have not been touched since the last time are not read again.
    private func digests(_ paths: [String]) throws -> [LandedFile] {
        let found = try paths.map { path in
            let absolute = Disk.absolute(path)
            guard let seen = Disk.stamp(absolute) else {
                throw MartletError(.missing, "file.missing", "There is no file \(path).")
            }
            return (path: absolute, seen: seen, stamp: FileStamp(seen))
        }
        var digests = try registry.files.cachedDigests(of: found.map { ($0.path, $0.stamp) })
        var fresh: [(path: String, stamp: FileStamp, digest: Digest)] = []
        for (index, file) in found.enumerated() where digests[index] == nil {
            var builder = DigestBuilder()
            try Disk.scan(file.path) { piece in
                builder.update(piece)
                return true
            }
            let digest = builder.finish()
            digests[index] = digest
            fresh.append((file.path, file.stamp, digest))
        }
        try Failpoint.reach("ingest.digested")
        if !fresh.isEmpty { try registry.files.remember(fresh) }
        return zip(found, digests).compactMap { file, digest in
            digest.map { LandedFile(path: file.path, name: Disk.name(of: file.path), digest: $0, stamp: file.seen) }
        }
    }
}

extension FileStamp {
    init(_ stamp: Disk.Stamp) {
        self.init(
            size: stamp.size, modified: stamp.modified, changed: stamp.changed, inode: Int64(bitPattern: stamp.inode))
    }
}
