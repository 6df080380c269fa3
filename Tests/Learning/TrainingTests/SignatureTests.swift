import Core
import Testing
import Training

@Suite struct `a signature` {
    private let colours = NamedColumn(
        "colour", .category(codes: [0, 1, 0, 2, -1, 1, 0, 3], levels: ["red", "blue", "green", "violet"]))
    private let sizes = NamedColumn("size", .number([1, .nan, 3, 4, 5, 6, 7, 8]))

    private func codes(_ signature: Signature, _ column: NamedColumn) throws -> [Double] {
        try signature.encode([column]).values
    }

    @Test func `has its levels in the order of their names, from training rows only`() throws {
        let signature = try Signature.learn([colours, sizes], trainRows: [0, 1, 3, 4])
        #expect(signature.columns.map(\.name) == ["colour", "size"])
        #expect(signature.columns[0].levels == ["blue", "green", "red"])
        #expect(signature.columns[0].missingCode == 3)
        #expect(signature.columns[0].rareCode == nil)
        let reordered = NamedColumn(
            "colour", .category(codes: [3, 2, 3, 1], levels: ["violet", "green", "blue", "red"]))
        #expect(
            try Signature.learn([reordered], trainRows: [0, 1, 2, 3]).columns[0].levels == ["blue", "green", "red"])
    }

    @Test func `puts rare and unknown levels together`() throws {
        let signature = try Signature.learn([colours], trainRows: Array(0..<8), rareBelow: 2)
        #expect(signature.columns[0].levels == ["blue", "red"])
        #expect(try codes(signature, colours) == [1, 0, 1, 2, 2, 0, 1, 2])
        let fresh = NamedColumn("colour", .category(codes: [0, 1, -1], levels: ["pink", "red"]))
        #expect(try codes(signature, fresh) == [2, 1, 2])
    }

    @Test func `has unknown levels as missing where nothing was rare`() throws {
        let signature = try Signature.learn([colours], trainRows: [0, 1])
        let found = try codes(signature, .init("colour", .category(codes: [0, -1, 1], levels: ["pink", "red"])))
        #expect(found[0].isNaN && found[1].isNaN && found[2] == 1)
    }

    @Test func `has unknown levels as missing where missing has a code and nothing was rare`() throws {
        let signature = try Signature.learn([colours], trainRows: [0, 1, 4])
        #expect(try codes(signature, .init("colour", .category(codes: [0, -1], levels: ["pink"]))) == [2, 2])
    }

    @Test(arguments: [1, 2])
    func `takes levels of any name for themselves`(_ rareBelow: Int) throws {
        let names = ["missing", "rare", "", "nan", "null", "(rare)"]
        // Each name twice, one level once, and two cells without a level.
        let column = NamedColumn(
            "state", .category(codes: (0..<12).map { Int32($0 % 6) } + [6, -1, -1], levels: names + ["once"]))
        let signature = try Signature.learn([column], trainRows: Array(0..<15), rareBelow: rareBelow)
        let found = try codes(signature, column)
        #expect(Set(found[..<6]).count == 6, "six levels, six codes")
        let others = try codes(signature, .init("state", .category(codes: [-1, 0, 1], levels: ["once", "unheard"])))
        #expect(Set(found[..<6]).isDisjoint(with: others), "neither missing nor pooled is one of them")
        #expect(others[0] != others[2] || rareBelow == 1)
        #expect(Set([signature, try roundTrip(signature)].map { $0.columns[0].shownLevels }).count == 1)
        #expect(try roundTrip(signature) == signature)
        #expect(Set(signature.columns[0].shownLevels).count == signature.columns[0].shownLevels.count)
    }

    @Test func `tells levels apart by their bytes, and has them in the order of these`() throws {
        let names = ["Orle\u{301}ans", "Orl\u{E9}ans", "Orlf"]
        let column = NamedColumn("town", .category(codes: [0, 1, 2, 1, 0], levels: names))
        let signature = try Signature.learn([column], trainRows: Array(0..<5))
        #expect(
            signature.columns[0].levels.map { Array($0.utf8) }
                == names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.map { Array($0.utf8) })
        #expect(signature.columns[0].codes == 3)
        #expect(Set(try codes(signature, column)) == [0, 1, 2])
    }

    @Test func `counts infinite numbers as missing`() throws {
        let signature = try Signature.learn([sizes], trainRows: Array(0..<8))
        let found = try codes(signature, .init("size", .number([.infinity, -.infinity, 2])))
        #expect(found[0].isNaN && found[1].isNaN && found[2] == 2)
    }

    @Test func `leaves missing categories to the learner under the native policy`() throws {
        let signature = try Signature.learn([colours], trainRows: Array(0..<8), missing: .native)
        #expect(signature.columns[0].levels == ["blue", "green", "red", "violet"])
        #expect(try codes(signature, colours)[4].isNaN)
    }

    @Test func `takes columns by name, in any order, and ignores others`() throws {
        let signature = try Signature.learn([colours, sizes], trainRows: Array(0..<8))
        let one = try signature.encode([colours, sizes])
        let other = try signature.encode([.init("extra", .number([Double](repeating: 0, count: 8))), sizes, colours])
        #expect(one.names == other.names)
        #expect(one.values.map(\.bitPattern) == other.values.map(\.bitPattern))
        #expect(one.rows([7, 0]).values[2...] == [8, 1])
    }

    @Test func `names the columns that are missing or mistyped`() throws {
        let signature = try Signature.learn([colours, sizes], trainRows: Array(0..<8))
        let absent = #expect(throws: MartletError.self) { try signature.encode([colours]) }
        #expect(absent?.code == "signature.missing-column")
        #expect(absent?.message.contains("\"size\"") == true)
        let mistyped = #expect(throws: MartletError.self) {
            try signature.encode(
                [colours, .init("size", .category(codes: [0], levels: ["1"]))].map {
                    NamedColumn($0.name, $0.name == "size" ? $0.column : .category(codes: [0], levels: ["red"]))
                })
        }
        #expect(mistyped?.code == "signature.type")
        #expect(mistyped?.message.contains("\"size\" should be a number") == true)
    }

    @Test func `has one JSON text and reads it back`() throws {
        let signature = try Signature.learn([colours, sizes], trainRows: Array(0..<8), rareBelow: 2)
        let text = try json(signature)
        #expect(try roundTrip(signature) == signature)
        #expect(
            text == #"{"columns":[{"codes":{"missing":2,"rare":2},"levels":["blue","red"],"missing":"level","#
                + #""name":"colour","type":"category"},{"levels":[],"missing":"native","name":"size","type":"number"}]}"#
        )
    }

    @Test func `refuses no features, a name twice and a rare_below of 0`() {
        #expect(throws: MartletError.self) { try Signature.learn([], trainRows: []) }
        #expect(throws: MartletError.self) { try Signature.learn([sizes, sizes], trainRows: [0]) }
        #expect(throws: MartletError.self) { try Signature.learn([sizes], trainRows: [0], rareBelow: 0) }
    }
}
