import Serving
import Testing
import Training

@Suite struct `Levels of a served model` {
    private func values(_ feature: Signature.Feature, _ cells: [String]) throws -> [Double] {
        let schema = RowSchema(Signature(columns: [feature, .init(number: "x")]))
        let bytes = Array(("c,x\n" + cells.map { "\($0),1\n" }.joined()).utf8)
        let batch = RowBatch(schema)
        batch.isByRow = true
        var splitter = BatchSplitter(.csv, blockBytes: 1 << 16, recordBytes: 1 << 16)
        try bytes.withUnsafeBytes { try splitter.append($0) }
        let slice = try splitter.rest()
        var reader = BatchReader(.csv, passing: [])
        let start = try reader.begin(slice, schema)
        _ = try reader.read(slice, from: start, into: batch, PassthroughCells([], form: .csv))
        return batch.rows.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
    }

    @Test func `are told apart by their bytes`() throws {
        let spellings = ["Orle\u{301}ans", "Orl\u{E9}ans", "Rom"]
        let feature = Signature.Feature(
            category: "c", levels: spellings, missing: .level, missingCode: nil, rareCode: nil)
        #expect(try values(feature, spellings) == [0, 1, 2])
    }

    @Test func `may be called missing and rare`() throws {
        let feature = Signature.Feature(
            category: "c", levels: ["missing", "rare"], missing: .level, missingCode: 3, rareCode: 2)
        #expect(try values(feature, ["missing", "rare", "", "unheard"]) == [0, 1, 3, 2])
        let unpooled = Signature.Feature(
            category: "c", levels: ["missing", "rare"], missing: .level, missingCode: 2, rareCode: nil)
        #expect(try values(unpooled, ["missing", "rare", "", "unheard"]) == [0, 1, 2, 2])
    }

    @Test func `of a version of before mean what they did`() throws {
        let feature = Signature.Feature(
            name: "c", type: .category, levels: ["a", "missing", "rare"], missing: .level, rare: "rare")
        #expect(try values(feature, ["a", "missing", "rare", "", "unheard"]) == [0, 1, 2, 1, 2])
        let unpooled = Signature.Feature(
            name: "c", type: .category, levels: ["a", "missing"], missing: .level, rare: nil)
        let found = try values(unpooled, ["a", "missing", "", "unheard"])
        #expect(found[..<3] == [0, 1, 1] && found[3].isNaN)
    }
}
