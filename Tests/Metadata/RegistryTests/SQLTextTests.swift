import Core
import SQLText
import Testing

struct SQLTextTests {
    @Test func `binds values and quotes identifiers`() {
        let name = "it's"
        let missing: Int? = nil
        let sql: SQL = "SELECT \(identifier: "a\"b") FROM t WHERE x = \(name) AND y > \(3) AND z = \(missing)"
        #expect(sql.text == #"SELECT "a""b" FROM t WHERE x = ? AND y > ? AND z = ?"#)
        #expect(sql.values == [.text("it's"), .integer(3), .null])
        #expect(sql.text { "$\($0)" }.hasSuffix("x = $1 AND y > $2 AND z = $3"))
    }

    @Test func `joins pieces without losing the order of values`() {
        let pieces = (1...3).map { SQL("a = \($0)") }
        var sql: SQL = "WHERE \(pieces.joined(by: " AND "))"
        sql += " OR b IN (\(list: ["x", "y"]))"
        #expect(sql.text == "WHERE a = ? AND a = ? AND a = ? OR b IN (?, ?)")
        #expect(sql.values == [.integer(1), .integer(2), .integer(3), .text("x"), .text("y")])
    }

    @Test func `an empty list matches nothing and is still SQL`() {
        let sql: SQL = "a IN (\(list: [Int]()))"
        #expect(sql.text == "a IN (?)")
        #expect(sql.values == [.null])
    }

    @Test func `stores what is not a number as null, truth as 0 and 1, time as microseconds`() {
        #expect(Double.nan.sqlValue == .null)
        #expect(true.sqlValue == .integer(1))
        #expect(Timestamp(microseconds: 7).sqlValue == .integer(7))
    }

    @Test func `a row names the column that is absent or of another type`() throws {
        let row = SQLRow(
            columns: ["n", "t", "z", "d"], values: [.integer(2), .text("x"), .null, .text("not a digest")])
        #expect(try row.int("n") == 2)
        #expect(try row.real("n") == 2.0)
        #expect(try row.optionalText("z") == nil)
        #expect(caught { _ = try row.text("q") }?.message.contains("no column q") == true)
        for (wrong, column) in [
            (caught { _ = try row.int("t") }, "t"), (caught { _ = try row.text("z") }, "z"),
            (caught { _ = try row.bool("n") }, "n"), (caught { _ = try row.digest("d") }, "d"),
            (caught { _ = try row.real("z") }, "z"),
        ] {
            #expect(wrong?.code == "metadata.corrupt")
            #expect(wrong?.message.contains("in \(column)") == true)
        }
    }
}
