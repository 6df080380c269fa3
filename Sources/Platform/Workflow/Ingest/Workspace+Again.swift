internal import Core
internal import Lakehouse
internal import Projects
internal import Registry
internal import Storage

extension Workspace {
    /// Ingests all files that a source's tables know again, under the present contract.
    ///
    /// Their bytes come from the landing folder, from where they were ingested, or from quarantine; files are found by
    /// digest.
    func ingestAgain(_ source: Project.Source) throws -> IngestReport {
        var known = try lake.knownFiles(source.name)
        guard !known.isEmpty else { return IngestReport(source: source.name, version: nil, files: []) }
        let wanted = Set(known.map(\.digest))
        return try withScratch { scratch in
            var paths: [Digest: String] = [:]
            for delivery in deliveries(try landing(of: source).files) {
                let landed =
                    switch delivery {
                    case .files(let files): try digests(files, of: source, quiet: 0, ready: nil).landed
                    case .archive(let path):
                        try unpack(
                            path, of: source, into: scratch, .wanted { wanted.contains($0) && paths[$0] == nil }
                        ).landed
                    }
                for file in landed where wanted.contains(file.digest) && Disk.exists(file.path) {
                    paths[file.digest] = file.path
                }
            }
            for index in known.indices where known[index].path == nil {
                let digest = known[index].digest
                let kept = lake.keptFile(digest, of: source.name)
                known[index].path = try paths[digest] ?? (Disk.exists(kept) ? kept : rememberedPath(of: digest))
            }
            let folder = "\(scratch)/again"
            try Disk.makeDirectory(folder)
            return try lake.again(known, of: source.contract, format: source.format, scratch: folder, by: actor)
        }
    }

    /// Where a file of this digest was read from, if it still lies there untouched.
    private func rememberedPath(of digest: Digest) throws -> String? {
        try registry.files.paths(of: digest).first { path in
            guard let seen = Disk.stamp(path, followingLinks: false) else { return false }
            return try registry.files.cachedDigests(of: [(path, FileStamp(seen))]).first == digest
        }
    }
}
