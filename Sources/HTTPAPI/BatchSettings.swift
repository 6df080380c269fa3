/// How batches are worked on.
package struct BatchSettings: Sendable {
    /// Threads that read, score and write rows, for all batches together.
    package var threads = 1
    /// Batches at once; a further one is told to come again.
    package var atOnce = 8
    /// Batches of one client at once.
    package var atOnceEach = 3
    /// Bytes of the input that are worked on as one.
    package var blockBytes = 256 << 10
    /// The most bytes of one record.
    package var recordBytes = 1 << 20
    /// Bytes of an answer that wait in memory for a client that does not read; what is more waits on the disk.
    package var waitingBytes = 1 << 20
    /// Seconds for which a batch waits for a prediction log that does not keep up.
    package var logSeconds = 30.0
    /// The folder of files that answers wait in.
    package var scratch: String
    /// Reads and writes Parquet; `nil` where there is none.
    package var converter: (any BatchConverter)?
    /// Lets a task sleep.
    package var pause: @Sendable (Double) async throws -> Void
    /// Lets the thread that calls it work when others do not.
    package var yield: @Sendable () -> Void = {}

    package init(scratch: String, pause: @escaping @Sendable (Double) async throws -> Void) {
        self.scratch = scratch
        self.pause = pause
    }
}
