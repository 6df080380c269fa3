import Testing
import Training

@Suite struct `Features that tell the target alone` {
    private let labels: [UInt8?] = (0..<1000).map { $0 % 5 == 0 ? 1 : 0 }

    private func found(_ column: Column, rows: Range<Int> = 0..<1000) -> LeakageWarning? {
        LeakageWarning.find([NamedColumn("c", column)], labels: labels, rows: Array(rows)).first
    }

    private func number(_ value: (Int, Bool) -> Double) -> Column {
        .number(labels.enumerated().map { value($0, $1 == 1) })
    }

    private func category(_ value: (Int, Bool) -> Int32, _ levels: [String]) -> Column {
        .category(codes: labels.enumerated().map { value($0, $1 == 1) }, levels: levels)
    }

    @Test func `a number that orders the classes, in either direction`() throws {
        #expect(found(number { row, yes in Double(row % 97) + (yes ? 100 : 0) })?.auc == 1)
        #expect(found(number { row, yes in Double(row % 97) - (yes ? 100 : 0) })?.auc == 1)
        #expect(found(number { row, _ in Double(row % 97) }) == nil)
        #expect(found(number { row, yes in Double(row % 97) + (yes ? 60 : 0) }) == nil, "strong, and no proof")
    }

    @Test func `a number that is missing for one class`() {
        #expect(found(number { row, yes in yes ? Double(row % 13) : .nan })?.auc == 1)
        #expect(found(number { row, _ in row % 3 == 0 ? .nan : Double(row % 97) }) == nil)
    }

    @Test func `a flag of a part of the rarer class`() throws {
        let flag = try #require(found(number { row, yes in yes && row % 4 == 0 ? 1 : 0 }))
        #expect(flag.level == "1" && flag.rows == 50 && flag.rate == 1 && flag.auc == nil)
        #expect(flag.sentence == "c = 1 alone tells the target: 100.0 % of 50 training rows")
        #expect(found(number { row, yes in !yes && row % 4 == 0 ? 1 : 0 }) == nil, "of the commoner class it is usual")
        #expect(found(number { row, _ in row < 15 ? 1 : 0 }) == nil, "too few rows")
    }

    @Test func `a category by the rates of its levels, and not by many small levels`() throws {
        let levels = (0..<1000).map { "l\($0)" }
        #expect(found(category({ row, _ in Int32(row) }, levels)) == nil, "an identifier tells nothing of new rows")
        #expect(try #require(found(category({ _, yes in yes ? 1 : 0 }, levels))).auc == 1)
        #expect(found(category({ row, _ in Int32(row % 7) }, levels)) == nil)
        let level = try #require(found(category({ row, yes in yes && row % 4 == 0 ? -1 : Int32(row % 3) }, levels)))
        #expect(level.level == "(missing)")
    }

    @Test func `only training rows count, and one class tells nothing`() {
        let late = number { row, yes in row >= 500 && yes ? 1 : 0 }
        #expect(found(late, rows: 0..<500) == nil)
        #expect(found(late) != nil)
        #expect(
            LeakageWarning.find([NamedColumn("c", late)], labels: labels.map { _ in 1 }, rows: Array(0..<1000)).isEmpty)
    }
}
