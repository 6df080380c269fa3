internal import Vocabulary

/// What a model expects of its input: the columns in order, their types, their category levels and what becomes of
/// missing and rare values. It is learned from training rows only and stored with the model.
package struct Signature: Sendable, Equatable, Codable {
    /// How a missing category is encoded. Missing numbers are always NaN, which tree learners split on.
    package enum MissingPolicy: String, Sendable, Codable, CaseIterable {
        /// Missing is a level of its own, called "missing".
        case level
        /// Missing is NaN, and the learner's own treatment applies.
        case native
    }

    /// One expected column.
    package struct Feature: Sendable, Equatable, Codable {
        package enum Kind: String, Sendable, Codable { case number, category }

        package let name: String
        package let type: Kind
        /// The level names in code order; empty for numbers.
        package let levels: [String]
        package let missing: MissingPolicy
        /// The level that stands for rare and for unknown values, if the training rows had any rare ones.
        package let rare: String?

        package init(name: String, type: Kind, levels: [String], missing: MissingPolicy, rare: String?) {
            self.name = name
            self.type = type
            self.levels = levels
            self.missing = missing
            self.rare = rare
        }
    }

    package static let missingLevel = "missing"
    package static let rareLevel = "rare"

    package let columns: [Feature]

    package init(columns: [Feature]) { self.columns = columns }

    /// Learns the signature from the training rows of a table.
    ///
    /// Kept levels are in the order of their names and "rare" is the last, so that the codes do not depend on the
    /// order of the rows. A level in fewer than `rareBelow` training rows joins "rare", and so does missing.
    package static func learn(
        _ columns: [NamedColumn], trainRows: [Int], rareBelow: Int = 1, missing: MissingPolicy = .level
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
            case .number:
                return Feature(name: named.name, type: .number, levels: [], missing: .native, rare: nil)
            case .category(let codes, let levels):
                let (kept, rare) = learnLevels(codes, levels, trainRows, rareBelow, missing)
                return Feature(
                    name: named.name, type: .category, levels: kept, missing: missing, rare: rare ? rareLevel : nil)
            }
        }
        return Signature(columns: features)
    }

    private static func learnLevels(
        _ codes: [Int32], _ levels: [String], _ trainRows: [Int], _ rareBelow: Int, _ missing: MissingPolicy
    ) -> (kept: [String], rare: Bool) {
        var tally = [Int](repeating: 0, count: levels.count + 1)
        for row in trainRows {
            let code = Int(codes[row])
            tally[code >= 0 && code < levels.count ? code : levels.count] += 1
        }
        var counts: [String: Int] = [:]
        for (code, name) in levels.enumerated() where tally[code] > 0 { counts[name, default: 0] += tally[code] }
        if missing == .level, tally[levels.count] > 0 { counts[missingLevel, default: 0] += tally[levels.count] }
        var kept = counts.filter { $0.value >= rareBelow && $0.key != rareLevel }.map(\.key).sorted()
        let rare = counts.contains { $0.value < rareBelow || $0.key == rareLevel }
        if rare { kept.append(rareLevel) }
        return (kept, rare)
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
