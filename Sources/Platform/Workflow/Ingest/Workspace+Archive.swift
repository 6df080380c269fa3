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

    /// The files in an archive, each a file of its own, by name `ARCHIVE.zip/PATH`. Those that the lake does not know are
    /// unpacked. An archive that is damaged is one file, which is refused.
    /// - Parameters:
    ///   - isWanted: also unpacks the files of these digests.
    ///   - scratch: an empty folder for files that nobody keeps.
    func unpack(
        _ path: String, of source: Project.Source, quiet: Int, ready: Int64?, into scratch: String,
        isWanted: (Digest) -> Bool = { _ in false }
    ) throws -> (landed: [LandedFile], unsettled: [IngestReport.File]) {
        let absolute = try settled(path)
        guard let seen = Disk.stamp(absolute, followingLinks: false) else {
            throw MartletError(.missing, "file.missing", "There is no file \(path.visible).")
        }
        let name = PartitionPath.name(of: absolute)
        if let reason = try unsettled([(absolute, seen)], quiet: quiet, ready: ready)[absolute] {
            return ([], [.changing(name, reason)])
        }
        do {
            let archive = try ZipArchive(absolute)
            let members = archive.members.filter { Self.isData($0.name) }
            guard !members.isEmpty else {
                return ([try refused(absolute, name, seen, "it is a ZIP archive without files")], [])
            }
            let cached = try registry.files.cachedDigests(
                of: members.map { ("\(absolute)/\($0.name)", FileStamp(seen)) })
            let digests = zip(members, cached).map { member, digest in
                digest.map { LandedFile.digest(of: $0, "\(name)/\(member.name)") }
            }
            let unknown = try lake.unknownFiles(source.contract, among: digests.compactMap(\.self))
            var landed: [LandedFile] = []
            var fresh: [(path: String, stamp: FileStamp, digest: Digest)] = []
            for (place, member) in members.enumerated() {
                let full = "\(name)/\(member.name)"
                if let content = cached[place], let digest = digests[place], !unknown.contains(digest),
                    !isWanted(digest)
                {
                    landed.append(LandedFile(path: absolute, name: full, content: content))
                    continue
                }
                let target = "\(scratch)/\(context.newID())"
                let content = try unpack(member, of: archive, to: target)
                fresh.append(("\(absolute)/\(member.name)", FileStamp(seen), content))
                landed.append(LandedFile(path: target, name: full, content: content, stamp: Disk.stamp(target)))
            }
            if Disk.stamp(absolute, followingLinks: false) != seen {
                return ([], [.changing(name, "it is still being written")])
            }
            if !fresh.isEmpty { try registry.files.remember(fresh) }
            return (landed, [])
        } catch let error as MartletError where error.code == "file.damaged" {
            return ([try refused(absolute, name, seen, FileRefusal(damage: error).reason)], [])
        }
    }

    /// Whether a file in an archive may be data: none of what systems add.
    private static func isData(_ name: String) -> Bool {
        let parts = name.split(separator: "/")
        return !parts.contains { $0.hasPrefix(".") || $0 == "__MACOSX" }
            && parts.last.map { Landing.noData(String($0)) == nil } ?? false
    }

    /// Writes a file of an archive to a new path; returns the digest of its bytes.
    private func unpack(_ member: ZipArchive.Member, of archive: ZipArchive, to target: String) throws -> Digest {
        if let free = Disk.freeBytes(Disk.parent(of: target)), member.size > UInt64(max(0, free)) {
            throw MartletError(
                .machine, "disk.full", "\(member.name) unpacks to \(member.size) bytes, and \(free) are free.",
                at: .init(file: target), remedy: "Make room, or deliver the file without an archive.")
        }
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
        return LandedFile(path: path, name: name, content: builder.finish(), stamp: seen, refusal: reason)
    }
}
