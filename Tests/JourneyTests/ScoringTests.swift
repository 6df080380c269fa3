import Testing

/// Real clients of the protocols that the server speaks hear what its own form says.
@Suite(.needsInterop) struct `Clients of other protocols` {
    @Test func `get the same probabilities, to the bit`() throws {
        let server = try RunningServer(try LookAlikes.downtime())
        let outcome = try Program.interop("scoring.py", [server.base, server.token, "downtime"])
        #expect(outcome.code == 0 && outcome.all.contains("the reasons add up"), "\(outcome)")
    }
}
