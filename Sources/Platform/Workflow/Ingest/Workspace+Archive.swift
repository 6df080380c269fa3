internal import Core
internal import Lakehouse
internal import Projects
internal import Registry
internal import SourceFormats
internal import Storage

/// Files that are ingested together: those named one after the other, or those in one ZIP archive.
enum Delivery {
    case files([String])
    case archive(String)
}

extension Workspace {
    /// Parts paths into files and archives, in their order. An archive is told by its name, `.zip`.
    func deliveries(_ paths: [String]) -> [Delivery] {
        var deliveries: [Delivery] = []
        var files: [String] = []
        for path in paths {
            guard path.lowercased().hasSuffix(".zip") else {
                files.append(path)
                continue
            }
            if !files.isEmpty { deliveries.append(.files(files)) }
            files = []
            deliveries.append(.archive(path))
        }
        if !files.isEmpty || deliveries.isEmpty { deliveries.append(.files(files)) }
        return deliveries
    }

    /// Which files of an archive are unpacked.
    enum Unpacking {
        /// Those that the lake does not know.
        case unknown
        /// Those of these digests.
        case wanted((Digest) -> Bool)
    }

    /// The files in an archive, each a file of its own, by name `ARCHIVE.zip/PATH`. An archive that is damaged is one
    /// file, which is refused.
    /// - Parameter scratch: a folder for files that nobody keeps.
    func unpack(
        _ path: String, of source: Project.Source, quiet: Int = 0, ready: Int64? = nil, into scratch: String,
        _ unpacking: Unpacking = .unknown
    ) throws -> (landed: [LandedFile], others: [IngestReport.File]) {
        let absolute = try settled(path)
        guard let seen = Disk.stamp(absolute, followingLinks: false) else {
            throw MartletError(.missing, "file.missing", "There is no file \(path.visible).")
        }
        let name = name(of: absolute, in: source)
        if let reason = try unsettled([(absolute, seen)], quiet: quiet, ready: ready)[absolute] {
            return ([], [.changing(name, reason)])
        }
        // Its own digest is remembered only when it was refused whole.
        if let content = try registry.files.cachedDigests(of: [(absolute, FileStamp(seen))]).first ?? nil,
            try lake.unknownFiles(source.contract, among: [LandedFile.digest(of: content, name)]).isEmpty
        {
            return ([LandedFile(path: absolute, name: name, content: content, stamp: seen)], [])
        }
        do {
            let found = try members(of: absolute, name, seen, source, scratch, unpacking)
            guard Disk.stamp(absolute, followingLinks: false) == seen else {
                return ([], [.changing(name, "it is still being written")])
            }
            return found
        } catch let error as MartletError where error.code == "file.damaged" {
            return ([try refused(absolute, name, seen, FileRefusal(damage: error).reason)], [])
        }
    }

    private func members(
        of path: String, _ name: String, _ seen: Disk.Stamp, _ source: Project.Source, _ scratch: String,
        _ unpacking: Unpacking
    ) throws -> (landed: [LandedFile], others: [IngestReport.File]) {
        let archive = try ZipArchive(path)
        var others: [IngestReport.File] = []
        let members = archive.members.filter { member in
            guard let reason = Self.noData(member.name) else { return true }
            if !reason.isEmpty {
                others.append(
                    .init(name: "\(name)/\(member.name)", digest: nil, outcome: .ignored, warnings: [reason]))
            }
            return false
        }
        guard !members.isEmpty else {
            return ([try refused(path, name, seen, "it is a ZIP archive without files")], [])
        }
        func place(_ member: ZipArchive.Member) -> String { "\(path)/\(member.place)/\(member.name)" }
        func digest(_ content: Digest, _ member: ZipArchive.Member) -> Digest {
            LandedFile.digest(of: content, "\(name)/\(member.name)")
        }
        let cached = try registry.files.cachedDigests(of: members.map { (place($0), FileStamp(seen)) })
        let known = zip(members, cached).compactMap { member, content in content.map { digest($0, member) } }
        let unknown = try lake.unknownFiles(source.contract, among: known)
        func isToUnpack(_ digest: Digest) -> Bool {
            switch unpacking {
            case .unknown: unknown.contains(digest)
            case .wanted(let isWanted): isWanted(digest)
            }
        }
        var landed: [LandedFile] = []
        var fresh: [(path: String, stamp: FileStamp, digest: Digest)] = []
        try refuseTooLarge(
            zip(members, cached).filter { member, content in content.map { isToUnpack(digest($0, member)) } ?? true }
                .map(\.0), scratch)
        for (member, content) in zip(members, cached) {
            let full = "\(name)/\(member.name)"
            if let content, !isToUnpack(digest(content, member)) {
                landed.append(LandedFile(path: place(member), name: full, content: content))
                continue
            }
            let target = "\(scratch)/\(context.newID())"
            let found = try unpack(member, of: archive, to: target)
            fresh.append((place(member), FileStamp(seen), found))
            if case .wanted(let isWanted) = unpacking, !isWanted(digest(found, member)) {
                Disk.remove(target)
                continue
            }
            landed.append(LandedFile(path: target, name: full, content: found, stamp: Disk.stamp(target)))
        }
        if !fresh.isEmpty { try registry.files.remember(fresh) }
        return (landed, others)
    }

    /// Why a file in an archive is no data; empty for what systems add, of which nobody need be told.
    private static func noData(_ name: String) -> String? {
        let parts = name.split(separator: "/").filter { $0 != "." && $0 != ".." }
        if parts.contains(where: { $0.hasPrefix(".") || $0 == "__MACOSX" }) { return "" }
        return parts.last.map { Landing.noData(String($0)) } ?? ""
    }

    /// Refuses files that would leave less than a tenth of the free space.
    private func refuseTooLarge(_ members: [ZipArchive.Member], _ scratch: String) throws {
        guard let free = Disk.freeBytes(scratch).map({ UInt64(max(0, $0)) }) else { return }
        var size: UInt64 = 0
        for member in members {
            size = size.addingReportingOverflow(member.size).overflow ? .max : size + member.size
        }
        guard size > free - free / 10 else { return }
        throw MartletError(
            .machine, "disk.full", "An archive unpacks to \(size) bytes, and \(free) are free.",
            at: .init(file: scratch), remedy: "Make room, or deliver its files without an archive.")
    }

    /// Writes a file of an archive to a new path; returns the digest of its bytes.
    private func unpack(_ member: ZipArchive.Member, of archive: ZipArchive, to target: String) throws -> Digest {
        var builder = DigestBuilder()
        try Disk.append(target, [])
        try archive.read(member) { piece in
            builder.update(piece)
            try Disk.append(target, Array(piece))
        }
        return builder.finish()
    }

    private func refused(_ path: String, _ name: String, _ seen: Disk.Stamp, _ reason: String) throws -> LandedFile {
        var builder = DigestBuilder()
        try Disk.scan(path) { piece in
            builder.update(piece)
            return true
        }
        let content = builder.finish()
        try registry.files.remember(content, of: path, stamp: FileStamp(seen))
        return LandedFile(path: path, name: name, content: content, stamp: seen, refusal: reason)
    }
}
