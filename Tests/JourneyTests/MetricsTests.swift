import Core
import Foundation
import Testing

/// Prometheus itself says whether it can read what the server tells.
@Suite(.needsInterop, .needsPrometheus) struct MetricsTests {
    @Test func `promtool finds nothing to say, and a real Prometheus scrapes`() throws {
        let place = try LookAlikes.downtime()
        let server = try RunningServer(place)
        let outcome = try Program.interop(
            "metrics.py", [try #require(Program.prometheus), "\(server.port)", server.token, place.path("prometheus")])
        #expect(outcome.code == 0, "\(outcome)")
    }
}

extension Program {
    /// The folder of prometheus and promtool; scripts/prometheus makes it.
    static let prometheus = ProcessInfo.processInfo.environment["MARTLET_PROMETHEUS"].flatMap { $0.isEmpty ? nil : $0 }
}

extension Trait where Self == ConditionTrait {
    static var needsPrometheus: Self {
        .enabled(
            if: Program.prometheus != nil, "MARTLET_PROMETHEUS is not set; `make test` sets it where apt-get has one")
    }
}
