import Core
import Testing

@Suite struct `Did you mean` {
    static let keys = ["columns", "nullable", "description", "key", "on_violation", "on_key_conflict", "min", "max"]

    @Test(arguments: [
        ("nullible", "nullable"), ("nulable", "nullable"), ("colunms", "columns"), ("Columns", "columns"),
        ("kye", "key"),
        ("on_violaton", "on_violation"), ("descripiton", "description"), ("mni", "min"),
    ])
    func `finds the nearest word`(typed: String, meant: String) {
        #expect(Spelling.nearest(to: typed, among: Self.keys) == meant)
    }

    @Test(arguments: ["", "wholly_else", "xyz", "q", "keeping"])
    func `says nothing when nothing is near`(typed: String) {
        #expect(Spelling.nearest(to: typed, among: Self.keys) == nil)
    }

    @Test func `does not depend on the order of the candidates`() {
        for word in ["mix", "kez", "on_kiolation"] {
            #expect(
                Spelling.nearest(to: word, among: Self.keys) == Spelling.nearest(to: word, among: Self.keys.reversed()))
        }
        #expect(Spelling.nearest(to: "a", among: [String]()) == nil)
    }
}
