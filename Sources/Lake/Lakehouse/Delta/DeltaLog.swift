internal import Core
internal import Storage

/// Listing of a table's `_delta_log`: the versions of its commits and checkpoints.
package struct DeltaLog: Sendable {
    /// A complete checkpoint of a version.
    package struct Checkpoint: Sendable {
        /// Version of the table whose state the checkpoint holds.
        package var version: Int
        /// Names of its file, or of the files of one in parts.
        package var files: [String]
    }

    /// No table has so many versions; a name beyond it is none of an entry, so that versions can be counted on from.
    private static let end = 1 << 62

    /// Versions whose commit files exist, ascending.
    package private(set) var versions: [Int] = []
    /// Complete checkpoints, ascending.
    package private(set) var checkpoints: [Checkpoint] = []
    /// Names of checkpoint files of a kind that is not supported.
    package private(set) var unread: [String] = []

    /// Takes the names of the log's objects, in any order; other names are passed over.
    package init(_ objects: [String]) {
        var parts: [Int: [Int: [Int: String]]] = [:]
        for name in objects.map(Disk.name) {
            let bytes = name.utf8
            guard bytes.count >= 25, bytes.prefix(20).allSatisfy({ (48...57).contains($0) }),
                let version = Int(name.prefix(20)), version < Self.end
            else { continue }
            let kind = name.dropFirst(20)
            if kind == ".json" {
                versions.append(version)
            } else if kind == ".checkpoint.parquet" {
                checkpoints.append(Checkpoint(version: version, files: [name]))
            } else if kind.hasPrefix(".checkpoint.") {
                let pieces = kind.split(separator: ".")
                if pieces.count == 4, pieces[3] == "parquet", let part = Int(pieces[1]), let of = Int(pieces[2]) {
                    parts[version, default: [:]][of, default: [:]][part] = name
                } else {
                    unread.append(name)
                }
            }
        }
        for (version, sets) in parts where !checkpoints.contains(where: { $0.version == version }) {
            for (of, files) in sets where of > 0 && files.count == of {
                let names = (1...of).compactMap { files[$0] }
                guard names.count == of else { continue }
                checkpoints.append(Checkpoint(version: version, files: names))
                break
            }
        }
        checkpoints.sort { $0.version < $1.version }
    }

    /// Whether the folder has neither a commit nor a complete checkpoint.
    package var isEmpty: Bool { versions.isEmpty && checkpoints.isEmpty }

    /// The highest version of a commit or checkpoint; `nil` for an empty log.
    package var latest: Int? {
        [versions.last, checkpoints.last?.version].compactMap(\.self).max()
    }

    /// Versions whose state can be rebuilt from the files that exist, judged by their names, ascending.
    package var readable: [Int] {
        let anchors = Set(checkpoints.map(\.version))
        var found: [Int] = []
        for version in Set(versions).union(anchors).sorted()
        where anchors.contains(version) || version == 0 || found.last == version - 1 {
            found.append(version)
        }
        return found
    }

    /// The first version from `first` to `last` whose commit is not there.
    func gap(_ first: Int, _ last: Int) -> Int? {
        guard first <= last else { return nil }
        let there = Set(versions)
        return (first...last).first { !there.contains($0) }
    }
}
