package import Core
internal import Storage

/// Content-addressed file store: `<home>/artifacts/<first two digits>/<digest>`. Nothing is ever replaced.
///
/// ```swift
/// let store = ArtifactStore(folder: home.artifacts)
/// let digest = try store.put(bytes)
/// let again = try store.get(digest, "model.txt")
/// ```
package struct ArtifactStore: Sendable {
    /// Path of the store's folder, made when the first artifact is stored.
    package let folder: String

    package init(folder: String) { self.folder = folder }

    private func path(_ digest: Digest) -> String { "\(folder)/\(digest.hex.prefix(2))/\(digest.hex)" }

    /// Stores bytes durably and returns their digest; storing the same bytes again does nothing.
    package func put(_ bytes: [UInt8]) throws -> Digest {
        let digest = Digest(of: bytes)
        let path = path(digest)
        if Disk.exists(path) {
            // Bytes that are no longer what their name says are put right.
            if Digest(of: try Disk.read(path)) != digest { try Disk.replaceDurably(path, bytes) }
            return digest
        }
        try Disk.makeDirectory(Disk.parent(of: path))
        _ = try Disk.createDurably(path, bytes)
        return digest
    }

    /// Returns the bytes, or `nil` when they are missing or altered.
    ///
    /// - Throws: where that cannot be determined, as when the disk fails.
    package func intact(_ digest: Digest, _ name: String) throws -> [UInt8]? {
        do { return try get(digest, name) } catch let error as MartletError {
            guard ["artifact.missing", "artifact.altered", "disk.missing"].contains(error.code) else { throw error }
            return nil
        }
    }

    /// Returns the bytes with this digest.
    /// - Throws: `artifact.missing`, or `artifact.altered` when the bytes are no longer those that were stored.
    package func get(_ digest: Digest, _ name: String) throws -> [UInt8] {
        let path = path(digest)
        guard Disk.exists(path) else {
            throw MartletError(
                .missing, "artifact.missing", "The artifact \(name) is gone.", at: .init(file: path),
                remedy: "Restore it from a backup, or train again.")
        }
        let bytes = try Disk.read(path)
        guard Digest(of: bytes) == digest else {
            throw MartletError(
                .input, "artifact.altered", "The artifact \(name) was altered after it was stored.",
                at: .init(file: path), remedy: "Restore it from a backup, or train again.")
        }
        return bytes
    }
}
