import Core
import Lakehouse
import ProjectTestKit
import Projects
import TestSupport
import Testing
import Workflow

/// ZIP archives and folders of partitions in a landing folder.
@Suite struct `A delivery` {
    private let place: TestHome
    private let clock = VirtualClock(step: 1)

    init() throws { place = try TestHome.wards() }

    private func taken() throws -> [String] {
        let result = try IngestJob().perform(
            in: OneWorkspace(workspace: try place.workspace(clock)), observer: JobObserver())
        return result.reports.flatMap(\.files).map { "\($0.name) \($0.outcome.rawValue) \($0.rowsAccepted)" }
    }

    private func land(_ name: String, _ bytes: [UInt8]) throws {
        try place.folder.write("landing/visits/\(name)", bytes)
    }

    @Test func `in a ZIP archive is taken file by file, once`() throws {
        var archive = ZipWriter()
        archive.add("2026/first.csv", Wards.first)
        archive.add("__MACOSX/2026/._first.csv", "x")
        archive.add(".DS_Store", "x")
        try land("all.zip", archive.finished())
        #expect(try taken() == ["all.zip/2026/first.csv ingested 600"])
        #expect(try taken() == ["all.zip/2026/first.csv already-known 0"])
        // The same file without an archive, and in another one.
        try land("first.csv", Array(Wards.first.utf8))
        try land("more.zip", archive.finished())
        #expect(
            try taken() == [
                "all.zip/2026/first.csv already-known 0", "first.csv already-known 0",
                "more.zip/2026/first.csv already-known 0",
            ])
    }

    @Test(arguments: [0, 1, 2]) func `in a damaged archive is refused whole, and kept`(fault: Int) throws {
        var archive = ZipWriter()
        archive.add("first.csv", Array(Wards.first.utf8), flags: fault == 1 ? 1 : 0, crc: fault == 2 ? 7 : nil)
        var bytes = archive.finished()
        if fault == 0 { bytes.removeLast(30) }
        try land("all.zip", bytes)
        #expect(try taken() == ["all.zip refused 0"])
        #expect(try taken() == ["all.zip refused 0"])
        // Sent again, whole.
        archive = ZipWriter()
        archive.add("first.csv", Wards.first)
        try land("all.zip", archive.finished())
        #expect(try taken().first?.hasPrefix("all.zip/first.csv ingested") == true)
    }

    @Test func `in an archive has the partitions of its folders, and not those of the archive's name`() throws {
        var archive = ZipWriter()
        archive.add("./hour=7/first.csv", Wards.first)
        for day in 5...6 { try land("day=2026-01-0\(day)/a.zip", archive.finished()) }
        try land("day=2026-01-07.zip", archive.finished())
        let taken = try taken()
        #expect(
            taken.map { $0.prefix { $0 != " " } } == [
                "day=2026-01-05/a.zip/./hour=7/first.csv", "day=2026-01-06/a.zip/./hour=7/first.csv",
                "day=2026-01-07.zip/./hour=7/first.csv",
            ])
        // The same bytes under another day are other rows: here their keys come again.
        #expect(!taken.contains { $0.contains("already-known") })
    }

    @Test func `tells files of one name apart, and those that are no data`() throws {
        var archive = ZipWriter()
        archive.add("a.csv", Wards.first)
        archive.add("a.csv", Wards.unlabelled)
        archive.add("b.csv.part", "x")
        try land("all.zip", archive.finished())
        let first = try taken()
        #expect(first.map { $0.split(separator: " ")[1] } == ["ingested", "ingested", "ignored"])
        #expect(try taken().map { $0.split(separator: " ")[1] } == ["already-known", "already-known", "ignored"])
    }

    @Test func `in an archive whose files share bytes is refused`() throws {
        var archive = ZipWriter()
        archive.add("a.csv", Wards.first)
        try land("all.zip", archive.finished(repeating: 3))
        #expect(try taken() == ["all.zip refused 0"])
    }

    @Test func `of a file that lies elsewhere is known by its bytes alone`() throws {
        let other = try TemporaryFolder()
        for folder in ["run=1", "run=2"] { try other.write("\(folder)/first.csv", Wards.first) }
        let workspace = try place.workspace(clock)
        let source = try #require(workspace.project.source("visits"))
        let outcomes = try ["run=1", "run=2"].flatMap { folder in
            try workspace.ingest(["\(other.path)/\(folder)/first.csv"], of: source).files
        }
        #expect(outcomes.map(\.outcome) == [.ingested, .alreadyKnown])
        #expect(outcomes.map(\.name) == ["first.csv", "first.csv"])
    }

    @Test func `below a folder of a partition is found, below another folder not`() throws {
        try land("day=2026-01-05/first.csv", Array(Wards.first.utf8))
        try land("old/first.csv", Array(Wards.first.utf8))
        #expect(try taken().map { $0.prefix { $0 != " " } } == ["day=2026-01-05/first.csv"])
    }
}
