internal import ArgumentParser
package import HTTPAPI

/// Command-line options for batch limits.
package struct BatchOptions: ParsableArguments {
    @Option(
        name: .customLong("batch-threads"),
        help: ArgumentHelp("Threads for batches, beside those for single requests.", valueName: "n"))
    var threads = 1

    @Option(name: .customLong("batch-rows"), help: ArgumentHelp("Largest number of rows of a batch.", valueName: "n"))
    var rows = 20_000_000

    @Option(
        name: .customLong("batch-log"),
        help: ArgumentHelp(
            "MiB that the batches of one client may add to the prediction logs in an hour.", valueName: "mib"))
    var logMiB = 8192

    @Option(
        name: .customLong("batch-spool"),
        help: ArgumentHelp(
            "MiB on the disk for uploads and for answers that their clients do not read yet, of all batches; a tenth of the disk stays free in any case.",
            valueName: "mib"))
    var spoolMiB = 16_384

    package init() {}

    package func validate() throws {
        if !(1...256).contains(threads) { throw ValidationError("--batch-threads must be from 1 to 256.") }
        if !(1...1_000_000_000_000).contains(rows) { throw ValidationError("--batch-rows must be at least 1.") }
        for (name, mib) in [("--batch-log", logMiB), ("--batch-spool", spoolMiB)] where !(1...1 << 40).contains(mib) {
            throw ValidationError("\(name) must be at least 1.")
        }
    }

    /// Sets the settings that have an option: threads, rows, log bytes per hour and spool bytes; MiB become bytes.
    package func apply(to settings: inout BatchSettings) {
        settings.threads = threads
        settings.rows = rows
        settings.logBytesPerHour = logMiB << 20
        settings.spoolBytes = spoolMiB << 20
    }
}
