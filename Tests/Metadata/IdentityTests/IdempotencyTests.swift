import Core
import Identity
import SQLText
import TestSupport
import Testing

struct IdempotencyTests {
    @Test func `a request that another server has done meanwhile is not done again`() throws {
        let gate = try Gate()
        let mark = IdempotencyKey(project: "lab", actor: "user:ada", key: "k", digest: Digest(of: "the request"))
        let (first, second) = (gate.later(0), gate.later(1))
        let keys = IdempotencyTable(gate.database)
        // Both looked, and found that it was not done.
        #expect(try keys.find(mark, at: first) == nil)
        try gate.database.write { connection in
            // Each event of one change notes it.
            for _ in 0..<2 { try IdempotencyTable.write(mark, at: first, connection) }
        }
        let refused = code {
            try gate.database.write { connection in
                try IdempotencyTable.write(mark, at: second, connection)
            }
        }
        #expect(refused == "request.underway")
        try keys.keep(mark, status: 200, answer: "done", at: first)
        #expect(try keys.find(mark, at: second)?.answer == "done")
    }
}
