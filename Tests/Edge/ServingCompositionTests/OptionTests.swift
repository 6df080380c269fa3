import ArgumentParser
import HTTPAPI
import PredictionLog
import ServingComposition
import Testing

/// What `martlet serve` takes for options, and what it makes of them.
@Suite struct `The options of a server` {
    /// What is said of options that are refused; `nil` where they are taken.
    private func complaint(_ arguments: [String]) -> String? {
        do {
            _ = try ServeCommand.parse(arguments)
            return nil
        } catch {
            return ServeCommand.message(for: error)
        }
    }

    @Test(
        arguments: [
            ([], nil), (["--port", "0"], nil), (["--port", "65535"], nil), (["--port", "65536"], "--port"),
            (["--port", "-1"], "--port"), (["--drain-seconds", "3600"], nil),
            (["--drain-seconds", "3601"], "--drain-seconds"),
            (["--stale-limit", "0"], nil), (["--stale-limit", "86401"], "--stale-limit"),
            (["--stale-limit", "nan"], "--stale-limit"), (["--workers", "0"], nil),
            (["--workers", "257"], "--workers"),
            (["--loops", "0"], "--loops"), (["--loops", "256"], nil), (["--log", "strict"], nil),
            (["--log", "best-effort"], nil), (["--log", "loud"], "--log must be strict, written or best-effort"),
            (["a", "b"], nil), (["--home", "h", "a"], nil), (["--home", "h", "a", "b"], "--home is for one project"),
            (["--no-such"], "--no-such"),
        ] as [([String], String?)])
    func `are taken, or refused by name`(_ arguments: [String], _ expected: String?) {
        let complaint = complaint(arguments)
        if let expected {
            #expect(complaint?.contains(expected) == true, "\(arguments): \(complaint ?? "taken")")
        } else {
            #expect(complaint == nil, "\(arguments)")
        }
    }

    @Test(
        arguments: [
            (["--host", "0.0.0.0"], "tokens must not cross a network in the clear"), (["--host", "::1"], nil),
            (["--host", "localhost"], nil), (["--host", "0.0.0.0", "--behind-proxy"], nil),
            (["--host", "0.0.0.0", "--tls-certificate", "c", "--tls-key", "k"], nil),
            (["--tls-certificate", "c"], "go together"), (["--tls-key", "k"], "go together"),
            (["--tls-certificate", "c", "--tls-key", "k", "--behind-proxy"], "TLS ends here, or at the proxy"),
            (["--rate-limit", "none"], nil), (["--rate-limit", "2000/300"], nil),
            (["--rate-limit", "fast"], "--rate-limit"),
            (["--rate-limit", "0/300"], "--rate-limit"), (["--max-connections", "0"], "--max-connections"),
            (["--max-requests", "0"], "--max-requests"), (["--client-timeout", "0"], "--client-timeout"),
            (["--idle-timeout", "3601"], "--idle-timeout"), (["--slow-ms", "-1"], "--slow-ms"),
            (["--slow-ms", "0"], nil),
            (["--batch-threads", "0"], "--batch-threads"), (["--batch-rows", "0"], "--batch-rows"),
            (["--batch-log", "0"], "--batch-log"), (["--batch-spool", "0"], "--batch-spool"),
            (["--log-share", "1.01"], "--log-share"), (["--log-keep-days", "-1"], "--log-keep-days"),
            (["--log-keep-bytes", "10"], "--log-keep-bytes"), (["--log-keep-bytes", "0"], nil),
            (["--log-keep-share", "0.0001"], "--log-keep-share"), (["--log-keep-share", "0"], nil),
            (["--compact-minutes", "-1"], "--compact-minutes"),
        ] as [([String], String?)])
    func `of the network, of batches and of the log are taken, or refused by name`(
        _ arguments: [String], _ expected: String?
    ) {
        let complaint = complaint(arguments)
        if let expected {
            #expect(complaint?.contains(expected) == true, "\(arguments): \(complaint ?? "taken")")
        } else {
            #expect(complaint == nil, "\(arguments)")
        }
    }

    @Test func `without a limit given only strangers are held, and none means nobody`() throws {
        let usual = try EdgeOptions.parse([]).limits
        #expect(usual.known == nil && usual.strangers?.requests == 2000 && usual.strangers?.seconds == 300)
        let given = try EdgeOptions.parse(["--rate-limit", "5/10"]).limits
        #expect(given.known?.requests == 5 && given.strangers?.seconds == 10)
        let none = try EdgeOptions.parse(["--rate-limit", "none"]).limits
        #expect(none.known == nil && none.strangers == nil)
    }

    @Test func `of timeouts are those of heads, bodies and answers; idle connections have their own`() throws {
        let timeouts = try EdgeOptions.parse(["--client-timeout", "3", "--idle-timeout", "9"]).timeouts
        #expect([timeouts.head, timeouts.body, timeouts.write, timeouts.idle] == [3, 3, 3, 9])
        #expect(try !EdgeOptions.parse([]).isSecure && EdgeOptions.parse(["--behind-proxy"]).isSecure)
    }

    @Test func `of the log bound it by days, bytes and share, and 0 lifts a bound`() throws {
        let usual = try LogOptions.parse([]).policy
        #expect(usual.keepSeconds == 90 * 86_400 && usual.keepBytes == 10 << 30 && usual.keepShare == 0.5)
        #expect(usual.share == 1 && !usual.keepsDecisions)
        let lifted = try LogOptions.parse([
            "--log-keep-days", "0", "--log-keep-bytes", "0", "--log-keep-share", "0", "--compact-minutes", "0",
            "--log-share", "0.25", "--log-positives",
        ])
        #expect(lifted.policy.keepSeconds == nil && lifted.policy.keepBytes == nil && lifted.policy.keepShare == nil)
        #expect(lifted.policy.share == 0.25 && lifted.policy.keepsDecisions && lifted.compactSeconds == nil)
        #expect(try LogOptions.parse(["--compact-minutes", "2"]).compactSeconds == 120)
    }

    @Test func `of batches reach their settings`() throws {
        var settings = BatchSettings(scratch: "/nowhere")
        try BatchOptions.parse(["--batch-threads", "3", "--batch-rows", "7", "--batch-log", "2", "--batch-spool", "4"])
            .apply(to: &settings)
        #expect(settings.threads == 3 && settings.rows == 7)
        #expect(settings.logBytesPerHour == 2 << 20 && settings.spoolBytes == 4 << 20)
    }
}
