import Core
import TestSupport
import Testing

struct FreshnessTests {
    @Test func `what was confirmed is believed for the limit, and again once it is confirmed again`() {
        let clock = VirtualClock()
        let freshness = Freshness(limit: 900, clock: clock)
        #expect(!freshness.isStale)
        clock.advance(seconds: 900)
        #expect(!freshness.isStale)
        clock.advance(seconds: 1)
        #expect(freshness.isStale)
        freshness.confirm()
        #expect(!freshness.isStale && freshness.age == 0)
    }
}
