import Core
import Testing
import Training

private struct Splits: Decodable {
    let keys: [String]
    let groups: [String]
    let y: [UInt8]
    let hash_key: [UInt8]
    let hash_group: [UInt8]
    let stratified: [UInt8]
    let stratified_folds: [Int]
    let group_folds: [Int]
}

@Suite struct `a split` {
    private let reference: Splits
    private let rows: SplitRows

    init() throws {
        reference = try fixture("splits")
        rows = SplitRows(classes: reference.y, keys: reference.keys, groups: reference.groups)
    }

    private func plan(_ kind: SplitPlan.Kind, by: SplitPlan.Unit? = nil) -> SplitPlan {
        SplitPlan(kind: kind, seed: 42, train: 0.6, validation: 0.2, test: 0.2, by: by)
    }

    @Test func `by hash can be rebuilt with SHA-256 alone`() throws {
        #expect(try Split.parts(of: rows, by: plan(.hash, by: .key)).map(\.rawValue) == reference.hash_key)
        #expect(try Split.parts(of: rows, by: plan(.hash)).map(\.rawValue) == reference.hash_group)
    }

    @Test func `gives the page's example`() {
        // docs/training.md: part(42, 8222157) is "train".
        #expect(portableUniform(seed: 42, key: "8222157") < 0.7)
    }

    @Test func `keeps a group on one side`() throws {
        let parts = try Split.parts(of: rows, by: plan(.hash))
        let sides = Dictionary(grouping: zip(reference.groups, parts), by: \.0).mapValues { Set($0.map(\.1)) }
        #expect(sides.values.allSatisfy { $0.count == 1 })
    }

    @Test func `stratified can be rebuilt and has the shares in each class`() throws {
        let parts = try Split.parts(of: rows, by: plan(.stratified, by: .key))
        #expect(parts.map(\.rawValue) == reference.stratified)
    }

    @Test func `does not depend on the order of the rows`() throws {
        let order = Array(reference.keys.indices.reversed())
        let turned = SplitRows(classes: order.map { reference.y[$0] }, keys: order.map { reference.keys[$0] })
        let parts = try Split.parts(of: turned, by: plan(.stratified))
        #expect(Array(parts.reversed()).map(\.rawValue) == reference.stratified)
    }

    @Test func `into folds can be rebuilt`() throws {
        #expect(try Split.stratifiedFolds(of: rows, .init(folds: 5)) == reference.stratified_folds)
        #expect(try Split.groupFolds(of: rows, .init(folds: 3)) == reference.group_folds)
    }

    @Test func `has keys and groups by their bytes`() throws {
        let keys = ["caf\u{E9}", "cafe\u{301}"]
        let u = Split.uniforms(keys, seed: 42)
        #expect(u == keys.map { portableUniform(seed: 42, key: $0) } && u[0] != u[1])
        let rows = keys + ["a", "b"]
        let input = TrainingInput<UInt8>(
            columns: [NamedColumn("x", .number([1, 2, 3, 4]))], labels: [0, 1, 0, 1], keys: rows)
        #expect(throws: Never.self) { try input.check() }
        let found = try BinaryEvaluation(
            labels: [0, 1, 0, 1], probabilities: [0.1, 0.2, 0.3, 0.4], threshold: 0.5, groups: rows, bootstrap: nil)
        #expect(found.clusters == 4)
    }

    @Test func `by time never parts equal times`() throws {
        let times: [Int64?] = (0..<100).map { Int64($0 / 7) }
        let rows = SplitRows(
            classes: (0..<100).map { UInt8($0 % 2) }, keys: (0..<100).map { "\($0)" }, eventTimes: times)
        let parts = try Split.parts(of: rows, by: plan(.time))
        var byTime: [Int64: Set<SplitPart>] = [:]
        for (time, part) in zip(times, parts) { byTime[try #require(time), default: []].insert(part) }
        #expect(byTime.values.allSatisfy { $0.count == 1 })
        #expect(zip(parts, parts.dropFirst()).allSatisfy { $0.rawValue <= $1.rawValue })
        #expect(parts.count { $0 == .train } == 63)
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        let code: String
        let plan: SplitPlan
        let rows: SplitRows
        var testDescription: String { code }
    }

    static let few = SplitRows(classes: [0, 1, 0, 1, 1, 0], keys: ["a", "b", "c", "d", "e", "f"])

    @Test(arguments: [
        Refusal(code: "split.shares", plan: .init(kind: .hash, train: 0.7, validation: 0.2, test: 0.2), rows: few),
        Refusal(code: "split.shares", plan: .init(kind: .hash, train: 1, validation: 0, test: 0), rows: few),
        Refusal(code: "split.shares", plan: .init(kind: .hash, train: 1.2, validation: -0.4, test: 0.2), rows: few),
        Refusal(code: "split.no-group", plan: .init(kind: .hash, by: .group), rows: few),
        Refusal(code: "split.no-event-time", plan: .init(kind: .time), rows: few),
        Refusal(
            code: "split.event-time-missing", plan: .init(kind: .time),
            rows: .init(classes: [0, 1], keys: ["a", "b"], eventTimes: [1, nil])),
        Refusal(
            code: "split.group", plan: .init(kind: .stratified),
            rows: .init(classes: [0, 1], keys: ["a", "b"], groups: ["x", "y"])),
        Refusal(
            code: "split.empty", plan: .init(kind: .hash, train: 0.5, validation: 0, test: 0.5),
            rows: .init(classes: [0, 1], keys: ["a", "b"], groups: ["x", "x"])),
        Refusal(
            code: "split.single-class", plan: .init(kind: .time, train: 0.5, validation: 0, test: 0.5),
            rows: .init(classes: [0, 0, 1, 1], keys: ["a", "b", "c", "d"], eventTimes: [1, 2, 3, 4])),
        Refusal(
            code: "split.empty", plan: .init(kind: .time, train: 0.5, validation: 0, test: 0.5),
            rows: .init(classes: [0, 1], keys: ["a", "b"], eventTimes: [5, 5])),
    ])
    func `refuses what it cannot do`(_ refusal: Refusal) {
        let error = #expect(throws: MartletError.self) { try Split.parts(of: refusal.rows, by: refusal.plan) }
        #expect(error?.code == refusal.code)
    }

    @Test(arguments: [1, 0, 101, 40])
    func `refuses a count of folds it cannot fill`(_ folds: Int) {
        #expect(throws: MartletError.self) { try Split.stratifiedFolds(of: Self.few, .init(folds: folds)) }
    }
}
