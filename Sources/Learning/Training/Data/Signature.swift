internal import Core

/// The input signature of a model: columns in order, types, category levels, encoding of missing and rare values.
///
/// It is learned from training rows only and stored with the model.
///
/// ```swift
/// let signature = try Signature.learn(columns, trainRows: rows, rareBelow: 20)
/// let matrix = try signature.encode(others)
/// ```
package struct Signature: Sendable, Equatable, Codable {
    /// How a missing category is encoded. Missing numbers are always NaN, which tree learners split on.
    package enum MissingPolicy: String, Sendable, Codable, CaseIterable {
        /// Missing has a code of its own.
        case level
        /// Missing is NaN, and the learner's own treatment applies.
        case native
    }

    /// How the codes of missing and pooled values are assigned when a signature is learned.
    package enum Coding: Sendable {
        /// Behind those of the levels, whatever the levels are called.
        case outside
        /// As the levels "missing" and "rare" among the others: only to rebuild a version of before.
        case named
    }

    /// The expected columns in order.
    package let columns: [Feature]

    package init(columns: [Feature]) { self.columns = columns }

    /// The coding that this signature uses, as far as its columns show.
    package var coding: Coding { columns.contains { $0.namesItsCodes } ? .named : .outside }

    /// Learns the signature from the training rows of a table.
    ///
    /// Kept levels are in the order of their bytes, so that the codes do not depend on the order of the rows. A level in
    /// fewer than `rareBelow` training rows joins the pool of rare levels, and so does missing.
    package static func learn(
        _ columns: [NamedColumn], trainRows: [Int], rareBelow: Int = 1, missing: MissingPolicy = .level,
        coding: Coding = .outside
    ) throws -> Signature {
        guard !columns.isEmpty else {
            throw MartletError(
                .input, "training.no-features", "the model has no features",
                remedy: "include at least one column under features")
        }
        guard rareBelow >= 1 else {
            throw MartletError(.input, "training.rare-below", "rare_below must be 1 or more; it is \(rareBelow)")
        }
        _ = try commonLength(columns)
        var seen: Set<String> = []
        let features = try columns.map { named in
            guard seen.insert(named.name).inserted else {
                throw MartletError(.input, "signature.duplicate", "the column \"\(named.name)\" comes twice")
            }
            switch named.column {
            case .number: return Feature(number: named.name)
            case .category(let codes, let levels):
                let counts = LevelCounts(codes, levels, trainRows, missing)
                return switch coding {
                case .outside: counts.feature(named.name, rareBelow, missing)
                case .named: counts.featureOfBefore(named.name, rareBelow, missing)
                }
            }
        }
        return Signature(columns: features)
    }

    /// The one length of all columns.
    static func commonLength(_ columns: [NamedColumn]) throws -> Int {
        guard let first = columns.first else { return 0 }
        for other in columns where other.column.count != first.column.count {
            throw MartletError(
                .defect, "signature.ragged",
                "\"\(other.name)\" has \(other.column.count) rows and \"\(first.name)\" has \(first.column.count)")
        }
        return first.column.count
    }
}

/// How many training rows have each level of a category, and how many none.
private struct LevelCounts {
    private var levels: [ByteText: Int] = [:]
    private var missing = 0

    init(_ codes: [Int32], _ names: [String], _ rows: [Int], _ policy: Signature.MissingPolicy) {
        var tally = [Int](repeating: 0, count: names.count + 1)
        for row in rows {
            let code = Int(codes[row])
            tally[code >= 0 && code < names.count ? code : names.count] += 1
        }
        for (code, name) in names.enumerated() where tally[code] > 0 {
            levels[ByteText(name), default: 0] += tally[code]
        }
        if policy == .level { missing = tally[names.count] }
    }

    func feature(_ name: String, _ rareBelow: Int, _ policy: Signature.MissingPolicy) -> Signature.Feature {
        let kept = levels.filter { $0.value >= rareBelow }.keys.sorted().map(\.text)
        let poolsMissing = missing > 0 && missing < rareBelow
        let rare = poolsMissing || kept.count < levels.count ? kept.count : nil
        var own: Int?
        if policy == .level { own = missing >= rareBelow ? kept.count + (rare == nil ? 0 : 1) : rare }
        return Signature.Feature(category: name, levels: kept, missing: policy, missingCode: own, rareCode: rare)
    }

    func featureOfBefore(_ name: String, _ rareBelow: Int, _ policy: Signature.MissingPolicy) -> Signature.Feature {
        let rareLevel = Signature.Feature.rareLevel
        var counts: [String: Int] = [:]
        for (level, count) in levels { counts[level.text, default: 0] += count }
        if missing > 0 { counts[Signature.Feature.missingLevel, default: 0] += missing }
        var kept = counts.filter { $0.value >= rareBelow && $0.key != rareLevel }.map(\.key).sorted()
        let rare = counts.contains { $0.value < rareBelow || $0.key == rareLevel }
        if rare { kept.append(rareLevel) }
        return Signature.Feature(
            name: name, type: .category, levels: kept, missing: policy, rare: rare ? rareLevel : nil)
    }
}
