import Core
import Foundation
import Testing

/// A server that keeps its promises is one that schemathesis cannot catch.
@Suite(.needsInterop) struct `The server and its document` {
    @Test func `every route keeps what its document says, and a planted field is found`() throws {
        let place = try LookAlikes.downtime()
        let server = try RunningServer(place)
        let fair = try Program.interop("openapi.py", [server.base, server.token, "downtime", "--examples", "10"])
        #expect(fair.code == 0, "\(fair)")
        let planted = try Program.interop(
            "openapi.py", [server.base, server.token, "downtime", "--examples", "2", "--plant"])
        #expect(planted.code == 1 && planted.all.contains("planted"), "\(planted.all.suffix(2000))")
    }
}
