import Core
import Lakehouse
import PredictionLog
import ProjectTestKit
import TestSupport
import Testing
import Workflow

/// Which sources a job takes files of.
@Suite struct `An ingest job` {
    private let place: TestHome
    private let clock = VirtualClock(step: 1)

    init() throws {
        place = try TestHome.wards(
            (old: "sources:\n", new: "sources:\n  trips:\n    contract: contracts/visits.yaml\n"))
        for source in ["visits", "trips"] { try place.land(source, "first.csv", Wards.first) }
    }

    private func taken(_ job: IngestJob) throws -> [String: [String]] {
        let result = try job.perform(
            in: OneWorkspace(workspace: try place.workspace(clock)), observer: JobObserver())
        return Dictionary(
            uniqueKeysWithValues: result.reports.map { report in
                (report.source, report.files.filter { $0.outcome == .ingested }.map(\.name))
            })
    }

    @Test func `without a source takes what has arrived for all of them`() throws {
        #expect(try taken(IngestJob()) == ["visits": ["first.csv"], "trips": ["first.csv"]])
    }

    @Test func `with a source and no files takes what has arrived for this one`() throws {
        #expect(try taken(IngestJob(source: "trips")) == ["trips": ["first.csv"]])
        #expect(try taken(IngestJob()) == ["visits": ["first.csv"], "trips": []])
    }

    @Test(arguments: [[], ["first.csv"]])
    func `of a source that the project does not have is refused`(files: [String]) throws {
        let error = #expect(throws: MartletError.self) { _ = try taken(IngestJob(files: files, source: "trip")) }
        #expect(error?.code == "ingest.no-source" && error?.remedy?.contains("trips") == true)
    }
}

/// An environment around one workspace.
struct OneWorkspace: JobEnvironment {
    var workspace: Workspace

    func configured(splitSeed: Int?, threads: JobThreads) -> OneWorkspace { self }
    func withWorkspace<T>(_ body: (Workspace) throws -> T) throws -> T { try body(workspace) }
    func withReadingWorkspace<T>(_ body: (Workspace) throws -> T) throws -> T { try body(workspace) }
    func compactPredictions(
        keepSegments: Bool, retention: PredictionLogPolicy?
    ) throws -> PredictionCompaction.Report { .init() }
}
