package import Core
internal import SourceFormats
package import Storage

/// A file in a landing folder that is to be ingested.
package struct LandedFile: Sendable {
    /// Path where the landed file is read.
    package var path: String
    /// File name for reports, the log and quarantine: without its folders but for those named `key=value`, which give
    /// their values to all its rows.
    package let name: String
    /// SHA-256 of the file's bytes.
    package let content: Digest
    /// The digest by which tables know the file; one that they know is not ingested again.
    package let digest: Digest
    /// Size and times of the file before its digest was computed.
    package var stamp: Disk.Stamp?
    /// Why the file is refused without a look at it; `nil` to read it.
    package var refusal: String?

    package init(
        path: String, name: String, content: Digest, stamp: Disk.Stamp? = nil, refusal: String? = nil
    ) {
        self.path = path
        self.name = name
        self.content = content
        digest = Self.digest(of: content, name)
        self.stamp = stamp
        self.refusal = refusal
    }

    /// The digest by which tables know a file of these bytes and this name: that of the bytes, and where folders give
    /// values to its rows, one of the bytes and the values, since the same bytes are other rows in another folder.
    package static func digest(of content: Digest, _ name: String) -> Digest {
        let values = PartitionPath.values(of: name)
        guard !values.isEmpty else { return content }
        let lines = values.map { "\($0.name)=\($0.value ?? PartitionPath.missing)\n" }
        return Digest(of: "\(content.hex)\n" + lines.joined())
    }
}
