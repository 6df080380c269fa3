internal import Core

extension Signature {
    /// One expected input column: its type, category levels and codes.
    ///
    /// Levels have the codes 0, 1, … in their order. Missing and pooled values have codes of their own beyond these, so
    /// that a level may have any name, "missing" and "rare" too.
    package struct Feature: Sendable, Equatable {
        /// Whether a feature is a number or a category.
        package enum Kind: String, Sendable, Codable { case number, category }

        /// Name of the column, in training tables and in requests.
        package let name: String
        /// Whether the column holds numbers or categories.
        package let type: Kind
        /// Level names in code order; empty for numbers.
        package let levels: [String]
        /// How a missing category is encoded.
        package let missing: MissingPolicy
        /// Code of a missing category; `nil` is NaN. Where too few training rows had none, that of the rare pool.
        package let missingCode: Int?
        /// Code shared by rare levels, if training pooled any.
        package let rareCode: Int?
        /// Code of a level not seen in training: that of the rare pool, else that of missing; `nil` is NaN.
        package let unknownCode: Int?

        /// A numeric feature.
        package init(number name: String) {
            self.name = name
            type = .number
            levels = []
            missing = .native
            missingCode = nil
            rareCode = nil
            unknownCode = nil
        }

        /// A categorical feature.
        package init(category name: String, levels: [String], missing: MissingPolicy, missingCode: Int?, rareCode: Int?)
        {
            self.name = name
            type = .category
            self.levels = levels
            self.missing = missing
            self.missingCode = missingCode
            self.rareCode = rareCode
            unknownCode = rareCode ?? missingCode
        }

        static let missingLevel = "missing"
        static let rareLevel = "rare"

        /// A feature from the first stored form of signatures.
        ///
        /// The level called "missing" is what missing counts as, and `rare` names the pool. An unknown level of such a
        /// column is NaN where nothing was pooled.
        package init(name: String, type: Kind, levels: [String], missing: MissingPolicy, rare: String?) {
            func code(_ level: String) -> Int? { levels.firstIndex { $0.isSameBytes(as: level) } }
            self.name = name
            self.type = type
            self.levels = levels
            self.missing = missing
            let pool = rare.flatMap { code($0) }
            rareCode = pool
            unknownCode = pool
            missingCode = type == .category && missing == .level ? code(Self.missingLevel) ?? pool : nil
        }

        /// Number of codes.
        package var codes: Int { max(levels.count, (missingCode ?? -1) + 1, (rareCode ?? -1) + 1) }

        /// Whether missing or pooled values go by a level's code.
        var namesItsCodes: Bool { [missingCode, rareCode].contains { $0.map { $0 < levels.count } ?? false } }

        /// Display name of each code but a missing value's own, in code order.
        ///
        /// The level's name; for the pool "rare", in parentheses where a level has that name.
        package var shownLevels: [String] {
            guard let rareCode, rareCode == levels.count else { return levels }
            var pool = Self.rareLevel
            while levels.contains(where: { $0.isSameBytes(as: pool) }) { pool = "(\(pool))" }
            return levels + [pool]
        }
    }
}

extension Signature.Feature: Codable {
    private enum CodingKeys: String, CodingKey { case name, type, levels, missing, rare, codes }

    private struct Codes: Codable {
        var missing: Int?
        var rare: Int?
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let name = try container.decode(String.self, forKey: .name)
        let type = try container.decode(Kind.self, forKey: .type)
        let levels = try container.decodeIfPresent([String].self, forKey: .levels) ?? []
        let missing = try container.decodeIfPresent(Signature.MissingPolicy.self, forKey: .missing) ?? .native
        guard type == .category, let codes = try container.decodeIfPresent(Codes.self, forKey: .codes) else {
            let rare = try container.decodeIfPresent(String.self, forKey: .rare)
            self.init(name: name, type: type, levels: levels, missing: missing, rare: rare)
            return
        }
        guard [codes.missing, codes.rare].allSatisfy({ (0...levels.count + 1).contains($0 ?? 0) }) else {
            throw DecodingError.dataCorruptedError(
                forKey: .codes, in: container, debugDescription: "the codes of \(name) are not next to its levels")
        }
        self.init(
            category: name, levels: levels, missing: missing, missingCode: codes.missing, rareCode: codes.rare)
    }

    /// Encodes the feature, with codes only where the first stored form would not decode the same.
    ///
    /// So the hash of older models is unchanged.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        try container.encode(type, forKey: .type)
        try container.encode(levels, forKey: .levels)
        try container.encode(missing, forKey: .missing)
        let rare = rareCode.flatMap { levels.indices.contains($0) ? levels[$0] : nil }
        if Self(name: name, type: type, levels: levels, missing: missing, rare: rare) == self {
            try container.encodeIfPresent(rare, forKey: .rare)
        } else {
            try container.encode(Codes(missing: missingCode, rare: rareCode), forKey: .codes)
        }
    }
}
