internal import NIOPosix
internal import Synchronization

/// An answer that is converted from CSV to Parquet.
final class ParquetAnswer: Sendable {
    /// What is sent.
    let spool: AnswerSpool
    private let conversion: any BatchConversion
    private let threads: NIOThreadPool
    /// Why the CSV is not complete.
    private let fault = Mutex<(any Error)?>(nil)

    /// - Parameter threads: those that may wait for the conversion.
    init(_ conversion: any BatchConversion, _ spool: AnswerSpool, threads: NIOThreadPool) {
        self.conversion = conversion
        self.spool = spool
        self.threads = threads
    }

    /// Converts all that the other spool gives.
    func run(_ source: AnswerSpool) async {
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await self.feed(source) }
                group.addTask { try await self.collect() }
                try await group.waitForAll()
            }
            await spool.finish(.success(()))
        } catch {
            await spool.finish(.failure(fault.withLock { $0 } ?? error))
        }
    }

    /// Ends the conversion.
    func kill() { conversion.kill() }

    private func feed(_ source: AnswerSpool) async throws {
        let (conversion, threads) = (conversion, threads)
        while true {
            let piece: [UInt8]?
            do { piece = try await source.next() } catch {
                fault.withLock { $0 = error }
                conversion.kill()
                throw error
            }
            guard let piece else { break }
            // What it does not take it gives the reason for to the one who reads.
            guard try await threads.runIfActive({ conversion.write(piece) }) else { return }
        }
        conversion.endInput()
    }

    private func collect() async throws {
        let (conversion, threads) = (conversion, threads)
        do {
            while true {
                let bytes = try await threads.runIfActive { try conversion.read(256 << 10) }
                if bytes.isEmpty { return }
                try await spool.add(bytes)
            }
        } catch {
            // Whoever feeds it would wait for a converter that nobody reads from.
            conversion.kill()
            throw error
        }
    }
}
