/// Limits and resources of batch predictions.
///
/// ```swift
/// var settings = BatchSettings(scratch: scratch)
/// settings.threads = 2
/// ```
package struct BatchSettings: Sendable {
    /// Number of threads that parse, score and write rows, for all batches together.
    package var threads = 1
    /// Largest number of concurrent batches; a further one is refused with Retry-After.
    package var atOnce = 8
    /// Largest number of concurrent batches of one client.
    package var atOnceEach = 3
    /// Seconds that a batch waits for its turn before it is refused.
    package var placeSeconds = 2.0
    /// Size in bytes of the input blocks that are processed as one.
    package var blockBytes = 256 << 10
    /// Most bytes of one record.
    package var recordBytes = 1 << 20
    /// Bytes of an answer buffered in memory for a slow client; more is buffered on disk.
    package var waitingBytes = 1 << 20
    /// Most bytes on disk for unread answers and uploads, of all batches together.
    package var spoolBytes = 16 << 30
    /// Seconds that a batch waits for disk space while its client reads nothing.
    package var spoolSeconds = 30.0
    /// Most rows of a batch.
    package var rows = 20_000_000
    /// Bytes that a batch may always add to the prediction log.
    package var logBytes = 64 << 20
    /// Bytes that a batch may add to the prediction log, as a multiple of its own size.
    package var logFactor = 100
    /// Bytes that the batches of one client may add to the prediction log in an hour.
    package var logBytesPerHour = 8 << 30
    /// Seconds that a batch waits for a prediction log that does not keep up.
    package var logSeconds = 30.0
    /// Folder of the files with buffered answers.
    package var scratch: String
    /// Converts Parquet; `nil` when Parquet is not supported.
    package var converter: (any BatchConverter)?
    /// Largest number of concurrent Parquet conversions, one of a client; others wait.
    ///
    /// Each is a process with memory of its own.
    package var conversions = 2
    /// Number of columns above which a conversion runs alone, as it needs much memory.
    package var wideColumns = 100
    /// Seconds that a batch waits for its conversion to start.
    package var conversionSeconds = 120.0
    /// Called with the reason when an answer is cut off.
    package var cutOff: @Sendable (_ requestID: String, _ reason: String) -> Void = { _, _ in }
    /// Lowers the priority of the calling thread.
    package var yield: @Sendable () -> Void = {}

    package init(scratch: String) {
        self.scratch = scratch
        room = SpoolBudget(spoolBytes)
        quota = LogQuota(perHour: logBytesPerHour)
    }

    /// Shared by all batches, by the limits above as they are when ``share()`` is called.
    private(set) var room: SpoolBudget
    private(set) var quota: LogQuota

    mutating func share() {
        room = SpoolBudget(spoolBytes)
        quota = LogQuota(perHour: logBytesPerHour)
    }

    /// Rows that are worked on as one: what they take by the model's columns and by those that are passed through, in
    /// memory and in the log, is bounded as their text is. A record of the log has at most so many bytes beside its
    /// numbers.
    static func blockRows(width: Int, passing: Int) -> Int { max(1, (3 << 20) / (8 * (width + passing) + 512)) }
}
