/// How batches are worked on.
package struct BatchSettings: Sendable {
    /// Threads that read, score and write rows, for all batches together.
    package var threads = 1
    /// Batches at once; a further one is told to come again.
    package var atOnce = 8
    /// Batches of one client at once.
    package var atOnceEach = 3
    /// Seconds for which one waits for its place before it is refused.
    package var placeSeconds = 2.0
    /// Bytes of the input that are worked on as one.
    package var blockBytes = 256 << 10
    /// The most bytes of one record.
    package var recordBytes = 1 << 20
    /// Bytes of an answer that wait in memory for a client that does not read; what is more waits on the disk.
    package var waitingBytes = 1 << 20
    /// Bytes on the disk for answers that are not read yet and for uploads, of all batches together.
    package var spoolBytes = 16 << 30
    /// Seconds for which a batch waits for room there while its client reads nothing.
    package var spoolSeconds = 30.0
    /// The most rows of a batch.
    package var rows = 20_000_000
    /// What a batch may add to the prediction log: so many bytes, and so many times those that it has itself.
    package var logBytes = 64 << 20
    package var logFactor = 100
    /// What the batches of one client may add to it in an hour, in bytes.
    package var logBytesPerHour = 8 << 30
    /// Seconds for which a batch waits for a prediction log that does not keep up.
    package var logSeconds = 30.0
    /// The folder of files that answers wait in.
    package var scratch: String
    /// Reads and writes Parquet; `nil` where there is none.
    package var converter: (any BatchConverter)?
    /// Conversions at once, one of a client; others wait for their turn: each is a process with memory of its own. One
    /// of more columns than these needs so much that it is alone.
    package var conversions = 2
    package var wideColumns = 100
    /// Seconds for which a batch waits for its turn.
    package var conversionSeconds = 120.0
    /// Is told why an answer was cut off.
    package var cutOff: @Sendable (_ requestID: String, _ reason: String) -> Void = { _, _ in }
    /// Lets the thread that calls it work when others do not.
    package var yield: @Sendable () -> Void = {}

    package init(scratch: String) {
        self.scratch = scratch
        room = SpoolRoom(spoolBytes)
        quota = LogQuota(perHour: logBytesPerHour)
    }

    /// Shared by all batches, by the limits above as they are when ``share()`` is called.
    private(set) var room: SpoolRoom
    private(set) var quota: LogQuota

    mutating func share() {
        room = SpoolRoom(spoolBytes)
        quota = LogQuota(perHour: logBytesPerHour)
    }

    /// Rows that are worked on as one: what they take by the model's columns and by those that are passed through, in
    /// memory and in the log, is bounded as their text is. A record of the log has at most so many bytes beside its
    /// numbers.
    static func blockRows(width: Int, passing: Int) -> Int { max(1, (3 << 20) / (8 * (width + passing) + 512)) }
}
