package import Core
package import Storage

/// Content-addressed store: objects named `<first two digits>/<digest>`. Nothing is ever replaced.
///
/// ```swift
/// let store = ArtifactStore(folder: home.artifacts)
/// let digest = try store.put(bytes)
/// let again = try store.get(digest, "model.txt")
/// ```
package struct ArtifactStore: Sendable {
    /// Path of the store's folder, for messages.
    package let folder: String
    private let objects: any ObjectStore

    /// Makes a store of a folder, `<home>/artifacts` in a project; it is made when the first artifact is stored.
    /// - Parameter objects: keeps the artifacts; the folder itself when `nil`.
    package init(folder: String, objects: (any ObjectStore)? = nil) {
        self.folder = folder
        self.objects = objects ?? LocalObjectStore(folder)
    }

    private func objectName(_ digest: Digest) -> String { "\(digest.hex.prefix(2))/\(digest.hex)" }

    /// Stores bytes durably and returns their digest; storing the same bytes again does nothing.
    package func put(_ bytes: [UInt8]) throws -> Digest {
        let digest = Digest(of: bytes)
        let object = objectName(digest)
        if try objects.exists(object) {
            // Bytes that are no longer what their name says are put right.
            if Digest(of: try objects.read(object)) != digest { try objects.replace(object, bytes) }
            return digest
        }
        _ = try objects.create(object, bytes)
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
        let object = objectName(digest)
        let path = "\(folder)/\(object)"
        guard try objects.exists(object) else {
            throw MartletError(
                .missing, "artifact.missing", "The artifact \(name) is gone.", at: .init(file: path),
                remedy: "Restore it from a backup, or train again.")
        }
        let bytes = try objects.read(object)
        guard Digest(of: bytes) == digest else {
            throw MartletError(
                .input, "artifact.altered", "The artifact \(name) was altered after it was stored.",
                at: .init(file: path), remedy: "Restore it from a backup, or train again.")
        }
        return bytes
    }
}
