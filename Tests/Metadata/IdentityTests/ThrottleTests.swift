import Core
import Identity
import Testing

struct ThrottleTests {
    private let throttle = LoginThrottle()
    private func at(_ seconds: Int64) -> Timestamp { Timestamp(microseconds: seconds * 1_000_000) }

    @Test func `a name waits longer with each failure, whatever the address`() {
        for try1 in 0..<5 { #expect(throttle.enter(name: "ada", address: "10.0.0.\(try1)", at: at(0)) == nil) }
        #expect(throttle.enter(name: "ada", address: "10.0.0.9", at: at(0)) == 2)
        #expect(throttle.enter(name: "bob", address: "10.0.0.9", at: at(0)) == nil)
        #expect(throttle.enter(name: "ada", address: "10.0.0.9", at: at(2)) == nil)
        #expect(throttle.enter(name: "ada", address: "10.0.0.8", at: at(2)) == 4)
        #expect(throttle.enter(name: "ada", address: "10.0.0.8", at: at(6)) == nil)
        #expect(throttle.enter(name: "ada", address: "10.0.0.8", at: at(6)) == 8)
    }

    @Test func `an address waits too, with more patience`() {
        for index in 0..<20 { #expect(throttle.enter(name: "n\(index)", address: "10.0.0.1", at: at(0)) == nil) }
        #expect(throttle.enter(name: "other", address: "10.0.0.1", at: at(0)) == 2)
        #expect(throttle.enter(name: "other", address: "10.0.0.2", at: at(0)) == nil)
    }

    @Test func `the right password clears the name; a quiet time clears both; waits have an end`() {
        for _ in 0..<4 { _ = throttle.enter(name: "ada", address: "a", at: at(0)) }
        throttle.succeeded(name: "ada", address: "a")
        for _ in 0..<5 { #expect(throttle.enter(name: "ada", address: "a", at: at(0)) == nil) }
        var now: Int64 = 0
        for _ in 0..<40 { now += Int64(throttle.enter(name: "ada", address: "b", at: at(now)) ?? 0) }
        #expect(throttle.enter(name: "ada", address: "b", at: at(now)).map { $0 <= 900 } ?? true)
        #expect(throttle.enter(name: "ada", address: "b", at: at(now + 5000)) == nil)
    }

    @Test func `many names do not fill the memory`() {
        for index in 0..<50_000 { _ = throttle.enter(name: "n\(index)", address: "a\(index)", at: at(Int64(index))) }
        #expect(throttle.count <= 20_000)
    }
}
