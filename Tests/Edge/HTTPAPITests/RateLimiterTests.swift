import HTTPAPI
import Testing

struct RateLimiterTests {
    @Test func `a client may spend all at once, then one at a time`() throws {
        let limiter = RateLimiter(try #require(RateLimit("10/5")))
        #expect((0..<10).allSatisfy { _ in limiter.enter("a", at: 100) == nil })
        #expect(limiter.enter("a", at: 100) == 1)
        #expect(limiter.enter("b", at: 100) == nil)
        // Half a second a request.
        #expect(limiter.enter("a", at: 100.4) == 1)
        #expect(limiter.enter("a", at: 100.5) == nil)
        #expect(limiter.enter("a", at: 100.6) == 1)
        #expect((0..<10).allSatisfy { _ in limiter.enter("a", at: 106) == nil })
        #expect(limiter.enter("a", at: 106) != nil)
    }

    @Test func `what is taken back counts once`() throws {
        let limiter = RateLimiter(try #require(RateLimit("10/5")))
        for _ in 0..<20 {
            _ = limiter.enter("a", at: 100)
            limiter.leave("a")
        }
        #expect((0..<10).allSatisfy { _ in limiter.enter("a", at: 100) == nil })
        #expect(limiter.enter("a", at: 100) == 1)
    }

    @Test func `over a long time no more than the rate is taken`() throws {
        let limiter = RateLimiter(try #require(RateLimit("2000/300")))
        var taken = 0
        for tick in 0..<90_000 where limiter.enter("a", at: Double(tick) / 100) == nil { taken += 1 }
        // A whole bucket, and 900 s at 2000 in 300 s.
        #expect((7990...8001).contains(taken), "\(taken)")
    }

    @Test func `memory is bounded however many clients there are`() throws {
        let limiter = RateLimiter(try #require(RateLimit("2/3600")))
        for client in 0..<250_000 { _ = limiter.enter("client \(client)", at: 1) }
        #expect(limiter.count <= 100_001)
    }

    @Test(arguments: ["", "10", "10/", "/5", "0/5", "5/0", "-1/5", "1/2/3", "1.5/2", "a/b", "1/90000"])
    func `what is no limit is refused`(_ text: String) { #expect(RateLimit(text) == nil) }
}
