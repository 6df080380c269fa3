package import Core
package import Projects
package import Registry
package import SQLText
internal import Storage
package import TestSupport

/// A project in a folder of its own, with a home for its state, that goes when the test ends: its files, what lands in it,
/// and its metadata. Paths below the home come from ``ProjectHome``.
///
/// ```swift
/// let place = try TestHome.wards()
/// try place.land("visits", "first.csv", Wards.first)
/// let report = try place.workspace(clock).run(journal: place.journal(clock))
/// #expect(Disk.exists(place.home.lake))
/// ```
package final class TestHome: Sendable {
    /// The project's folder; what a test throws away may be beside the project's files.
    package let folder: TemporaryFolder
    package let home: ProjectHome

    /// A project's folder without files.
    package init() throws {
        folder = try TemporaryFolder()
        home = ProjectHome(ofProject: folder.path)
        try Disk.makeDirectory(home.folder)
    }

    /// The project ``Wards``, nothing landed.
    /// - Parameter changes: texts of martlet.yaml, and what stands there instead.
    package static func wards(_ changes: (old: String, new: String)...) throws -> TestHome { try wards(changes) }

    package static func wards(_ changes: [(old: String, new: String)]) throws -> TestHome {
        let place = try TestHome()
        try place.configure(Wards.configuration, changes)
        try place.folder.write("contracts/visits.yaml", Wards.contract)
        try place.folder.write("transforms/silver/visits.sql", Wards.silver)
        try place.folder.write("transforms/gold/visits.sql", Wards.gold)
        return place
    }

    /// Writes martlet.yaml, with the address of the test's metadata where they are in PostgreSQL.
    package func configure(_ text: String = Wards.configuration, _ changes: (old: String, new: String)...) throws {
        try configure(text, changes)
    }

    private func configure(_ text: String, _ changes: [(old: String, new: String)]) throws {
        var text = text
        for (old, new) in changes {
            guard text.ranges(of: old).count == 1 else {
                throw MartletError(.defect, "test.change", "\(old) is not in martlet.yaml exactly once.")
            }
            text = text.replacing(old, with: new)
        }
        if let address = try TestDatabase.address(of: home.folder) { text += "metadata: \"\(address)\"\n" }
        try folder.write("martlet.yaml", text)
    }

    /// Lets a file arrive.
    package func land(_ source: String, _ name: String, _ text: String) throws {
        try folder.write("landing/\(source)/\(name)", text)
    }

    /// The project as its files say now.
    package func project() throws -> Project { try Project.load(folder.path, learners: Self.learners()) }

    /// The metadata of the home.
    package func database() throws -> any SQLDatabase { try TestDatabase.open(home.folder) }

    /// The registry of the project `name`, its schema brought up to date.
    package func registry(_ clock: VirtualClock, project name: String) throws -> ModelRegistry {
        try ModelRegistry.open(database(), project: name, context: clock.context())
    }

    /// Where the bytes of an artifact are.
    package func path(of artifact: Digest) -> String {
        "\(home.artifacts)/\(artifact.hex.prefix(2))/\(artifact.hex)"
    }

    /// Takes the bytes of an artifact away.
    package func remove(_ artifact: Digest) throws { try folder.remove(path(of: artifact)) }

    /// Makes the bytes of an artifact others than those that were stored.
    package func alter(_ artifact: Digest) throws {
        try Disk.replaceDurably(path(of: artifact), Disk.read(path(of: artifact)) + [32])
    }

    /// Takes metadata of a SQLite file away, as if somebody had removed it.
    package func loseMetadata() throws {
        for end in ["", "-wal", "-shm"] where Disk.exists(home.database + end) {
            try folder.remove(home.database + end)
        }
    }
}
