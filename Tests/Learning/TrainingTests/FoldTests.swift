import Core
import Testing
import Training

private struct Reference: Decodable {
    struct Rolling: Decodable, Sendable {
        let folds: Int
        let gap: Int
        let train: [[Int]]
        let test: [[Int]]
    }

    let times: [Int64]
    let y: [UInt8]
    let groups: [String]
    let rolling: [Rolling]
    /// By count of folds: the rows of each class in the folds, in ascending order.
    let stratified: [String: [[Int]]]
    let groups_apart: Bool
}

@Suite struct `The folds of a cross-validation` {
    private let reference: Reference
    private let rows: SplitRows

    init() throws {
        reference = try fixture("folds")
        rows = SplitRows(
            classes: reference.y, keys: reference.y.indices.map { "k\($0)" }, groups: reference.groups,
            eventTimes: reference.times.map { $0 * 1_000_000 })
    }

    private func split(_ kind: SplitPlan.Kind, validation: Double = 0, by: SplitPlan.Unit? = nil) -> SplitPlan {
        SplitPlan(kind: kind, train: 0.8 - validation, validation: validation, test: 0.2, by: by)
    }

    @Test(arguments: 0..<4)
    func `under a split by time are scikit-learn's rolling origin, gap and all`(_ place: Int) throws {
        let wanted = reference.rolling[place]
        let found = try Split.folds(
            of: rows, .init(folds: wanted.folds, gap: wanted.gap > 0 ? .rows(wanted.gap) : nil), under: split(.time))
        #expect(found.map(\.train) == wanted.train)
        #expect(found.map(\.test) == wanted.test)
        #expect(found.allSatisfy { $0.validation.isEmpty })
    }

    @Test func `under a split by time leave out a length of time`() throws {
        let found = try Split.folds(of: rows, .init(folds: 3, gap: .seconds(20)), under: split(.time))
        for fold in found {
            let first = fold.test.map { reference.times[$0] }.min() ?? 0
            let last = fold.train.map { reference.times[$0] }.max() ?? 0
            #expect(first - last >= 20)
            let left = reference.times.filter { $0 < first && $0 > last }
            #expect(left.allSatisfy { first - $0 < 20 }, "no more than asked")
        }
    }

    @Test func `under a split by time hold out the latest of their training rows`() throws {
        let found = try Split.folds(of: rows, .init(folds: 3), under: split(.time, validation: 0.2))
        for fold in found {
            let ends = [fold.train, fold.validation, fold.test].map { part in part.map { reference.times[$0] } }
            #expect(try #require(ends[0].max()) < #require(ends[1].min()))
            #expect(try #require(ends[1].max()) < #require(ends[2].min()))
            #expect(abs(Double(fold.validation.count) / Double(fold.validation.count + fold.train.count) - 0.25) < 0.03)
        }
    }

    @Test func `never part rows of one time`() throws {
        let times: [Int64?] = (0..<90).map { Int64($0 / 7) }
        let rows = SplitRows(classes: (0..<90).map { UInt8($0 % 2) }, keys: (0..<90).map { "\($0)" }, eventTimes: times)
        for fold in try Split.folds(of: rows, .init(folds: 4), under: split(.time, validation: 0.2)) {
            let sets = [fold.train, fold.validation, fold.test].map { part in Set(part.map { times[$0] }) }
            #expect(sets[0].isDisjoint(with: sets[1].union(sets[2])) && sets[1].isDisjoint(with: sets[2]))
        }
    }

    @Test(arguments: [2, 5, 7])
    func `under a stratified split have as many rows of each class as scikit-learn's`(_ count: Int) throws {
        let found = try Split.folds(of: rows, .init(folds: count), under: split(.stratified, by: .key))
        for label in [UInt8(0), 1] {
            let sizes = found.map { fold in fold.test.count { reference.y[$0] == label } }.sorted()
            #expect(sizes == reference.stratified["\(count)"]?[Int(label)])
            #expect(try #require(sizes.last) - #require(sizes.first) <= 1)
        }
        #expect(found.flatMap(\.test).sorted() == Array(reference.y.indices), "each row is tested once")
    }

    @Test func `keep a group in one fold, as scikit-learn's do`() throws {
        #expect(reference.groups_apart)
        let found = try Split.folds(of: rows, .init(folds: 3), under: split(.hash, validation: 0.2))
        for fold in found {
            let names = [fold.train, fold.validation, fold.test].map { part in Set(part.map { reference.groups[$0] }) }
            #expect(names[0].isDisjoint(with: names[1].union(names[2])) && names[1].isDisjoint(with: names[2]))
        }
        #expect(found.flatMap(\.test).sorted() == Array(reference.y.indices))
    }

    @Test func `by key part groups, where the split does`() throws {
        let found = try Split.folds(of: rows, .init(folds: 3), under: split(.hash, by: .key))
        #expect(
            found.contains { fold in
                !Set(fold.train.map { reference.groups[$0] }).isDisjoint(with: fold.test.map { reference.groups[$0] })
            })
    }

    @Test func `refuse a gap without time, and a fold to be fitted to one class`() throws {
        var plan = TrainingPlan(split: split(.hash), learner: LearnerPlan(kind: "lightgbm"), task: BinaryTask())
        plan.crossValidation = .init(folds: 3, gap: .rows(2))
        #expect(#expect(throws: MartletError.self) { try plan.check() }?.code == "cross-validation.gap")
        var late = rows
        late.classes = zip(reference.times, reference.y).map { $0 < 100 ? 0 : $1 }
        let error = #expect(throws: MartletError.self) {
            try Split.folds(of: late, .init(folds: 4), under: split(.time))
        }
        #expect(error?.code == "split.single-class" && error?.message.contains("training rows of fold 1") == true)
    }
}
