internal import Core
package import Lakehouse
package import Projects
internal import Registry
internal import SourceFormats
internal import Storage

extension Workspace {
    /// Takes what has arrived for one source, as far as it is complete.
    func ingestLanded(_ source: Project.Source) throws -> IngestReport {
        let landing = try landing(of: source)
        var report = try ingest(landing.files, of: source, quiet: source.quiet, ready: landing.ready)
        report.files += landing.noData.map {
            IngestReport.File(name: $0.name, digest: nil, outcome: .ignored, warnings: [$0.reason])
        }
        report.ignored = landing.others
        report.waitsFor = landing.waitsFor
        return report
    }

    /// Ingests given files into one source.
    ///
    /// A file that a process has open for writing is skipped for now, and so is one that was changed within `quiet`
    /// seconds, or was written after the moment `ready`.
    package func ingest(
        _ paths: [String], of source: Project.Source, quiet: Int = 0, ready: Int64? = nil
    ) throws -> IngestReport {
        var report = IngestReport(source: source.name, version: nil, files: [])
        var unsettled: [IngestReport.File] = []
        for delivery in deliveries(paths) {
            switch delivery {
            case .files(let paths):
                let found = try digests(paths, of: source, quiet: quiet, ready: ready)
                report.add(try lake.ingest(found.landed, of: source.contract, format: source.format))
                unsettled += found.unsettled
            case .archive(let path):
                try withScratch { scratch in
                    let found = try unpack(path, of: source, quiet: quiet, ready: ready, into: scratch)
                    report.add(try lake.ingest(found.landed, of: source.contract, format: source.format))
                    unsettled += found.others
                }
            }
        }
        report.files += unsettled
        return report
    }

    /// Returns the source that a file belongs to: by its landing folder, else by its header.
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

    /// Returns the source of a file to score: the named one, else as `source(of:)` finds it.
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

    /// The whole path of a file that is to be read. A link that somebody names is followed, but in a landing folder.
    func settled(_ path: String) throws -> String {
        let absolute = Disk.absolute(path)
        guard Disk.kind(absolute, followingLinks: false) == .link else { return absolute }
        if let source = project.sources.first(where: { absolute.hasPrefix($0.landing + "/") }) {
            throw MartletError(
                .input, "file.link", "\(path.visible) is a symbolic link; links in a landing folder are not followed.",
                remedy: "Land the file itself in landing/\(source.name), or name the file that the link leads to.")
        }
        return Disk.resolved(absolute)
    }

    /// The name of a file in reports and tables. Folders of partitions belong to it below the landing folder only:
    /// elsewhere nobody has said what a folder's name means.
    func name(of path: String, in source: Project.Source) -> String {
        path.hasPrefix(source.landing + "/") ? PartitionPath.name(of: path) : Disk.name(of: path)
    }

    /// SHA-256 of each file; files that have not been touched since the last time are not read again, and those that
    /// are still written are not read at all.
    func digests(
        _ paths: [String], of source: Project.Source, quiet: Int, ready: Int64?
    ) throws -> (landed: [LandedFile], unsettled: [IngestReport.File]) {
        let found = try paths.map { path in
            let absolute = try settled(path)
            // From here on no link is followed, so that nobody can put one in the file's place.
            guard let seen = Disk.stamp(absolute, followingLinks: false) else {
                throw MartletError(.missing, "file.missing", "There is no file \(path.visible).")
            }
            return (path: absolute, seen: seen, stamp: FileStamp(seen))
        }
        var digests = try registry.files.cachedDigests(of: found.map { ($0.path, $0.stamp) })
        let unknown = found.indices.filter { digests[$0] == nil }
        let waiting = try unsettled(unknown.map { (found[$0].path, found[$0].seen) }, quiet: quiet, ready: ready)
        var fresh: [(path: String, stamp: FileStamp, digest: Digest)] = []
        for index in unknown where waiting[found[index].path] == nil {
            let file = found[index]
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
        let landed = zip(found, digests).compactMap { file, digest in
            digest.map {
                LandedFile(path: file.path, name: name(of: file.path, in: source), content: $0, stamp: file.seen)
            }
        }
        return (
            landed,
            waiting.sorted { $0.key < $1.key }.map { path, reason in
                .changing(name(of: path, in: source), reason)
            }
        )
    }
}

extension IngestReport {
    /// Adds what came of further files of the source.
    fileprivate mutating func add(_ other: IngestReport) {
        files += other.files
        version = other.version ?? version
    }
}

extension IngestReport.File {
    /// A file that is not complete yet.
    static func changing(_ name: String, _ reason: String) -> IngestReport.File {
        IngestReport.File(
            name: name, digest: nil, outcome: .changing, warnings: ["\(reason); nothing of it was taken yet"])
    }
}

extension FileStamp {
    init(_ stamp: Disk.Stamp) {
        self.init(
            size: stamp.size, modified: stamp.modified, changed: stamp.changed, inode: Int64(bitPattern: stamp.inode))
    }
}
