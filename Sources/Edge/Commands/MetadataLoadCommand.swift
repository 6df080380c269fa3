internal import ArgumentParser
internal import CommandComposition
internal import Composition
internal import Core
internal import Dispatch
internal import Foundation
internal import Registry
internal import Synchronization
internal import Workflow

/// Hidden load test of the metadata database, for `scripts/torture.d/metadata.py`.
///
/// Writes from many threads as fast as writes are acknowledged: jobs that are submitted and cancelled, and, where the
/// project has a registered model, champions that change. Its options may change in any release.
struct MetadataLoadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load", abstract: "Write to the metadata from many threads.", shouldDisplay: false)

    @OptionGroup var place: ProjectOptions
    @Option(help: "Threads that write.") var writers = 8
    @Option(help: "Ends after so many seconds.") var seconds = 10.0
    @Option(help: "The model whose champion changes.") var model: String?

    func run() throws {
        let composition = try place.composition()
        let tally = Mutex(Tally())
        try composition.withSharedRegistry { registry in
            let end = composition.context.uptime() + seconds
            let group = DispatchGroup()
            for number in 0..<writers {
                group.enter()
                Thread.detachNewThread {
                    defer { group.leave() }
                    var turn = 0
                    while composition.context.uptime() < end {
                        turn += 1
                        do {
                            let line = try write(registry, number, turn)
                            tally.withLock { $0.acknowledged += 1 }
                            Output.print(line)
                        } catch {
                            let code = (error as? MartletError)?.code ?? "\(error)"
                            tally.withLock { $0.errors[code, default: 0] += 1 }
                        }
                    }
                }
            }
            group.wait()
        }
        Output.note(try JSON.text(tally.withLock { $0 }))
    }

    private struct Tally: Encodable {
        var acknowledged = 0
        var errors: [String: Int] = [:]
    }

    /// - Returns: what was acknowledged.
    private func write(_ registry: ModelRegistry, _ number: Int, _ turn: Int) throws -> String {
        if let model, turn.isMultiple(of: 4) {
            let version = 1 + (number + turn / 4) % 2
            let moved = try registry.models.promote(ModelReference(model: model, selector: .version(version)))
            return "champion \(moved.to)"
        }
        let job = try registry.jobs.submit(JobOrder(.verify(VerifyJob(model: "load")), maxAttempts: 1)).job
        _ = try registry.jobs.cancel(job.id, reason: "load")
        return "job \(job.id)"
    }
}
