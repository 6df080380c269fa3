internal import Core

/// The part of a split that a row belongs to: train, validation or test.
package enum SplitPart: UInt8, Sendable, CaseIterable, Codable {
    /// Rows the learner sees.
    case train = 0
    /// Held-out rows for early stopping, calibration and the threshold.
    case validation = 1
    /// Untouched rows for the reported metrics.
    case test = 2

    /// The part's name in reports and JSON.
    package var name: String {
        switch self {
        case .train: "train"
        case .validation: "validation"
        case .test: "test"
        }
    }
}

/// Settings of the division of labelled rows into parts. The shares sum to 1.
///
/// ```swift
/// let parts = try Split.parts(of: rows, by: SplitPlan(kind: .stratified, seed: 42))
/// ```
package struct SplitPlan: Sendable, Equatable, Codable {
    /// The method of the split: by hash of the key, stratified by class, or by event time.
    package enum Kind: String, Sendable, Codable, CaseIterable {
        /// By the portable uniform number of the key or group: u < train, u < train + validation, else test.
        case hash
        /// The same shares of each class, within it ordered by the portable uniform number.
        case stratified
        /// Ordered by event time: the latest rows are the test part.
        case time
    }

    /// What is never divided between parts: a row by its key, or a group of rows.
    package enum Unit: String, Sendable, Codable, CaseIterable { case key, group }

    /// Whether rows are divided by hash, by class or by event time.
    package var kind: Kind
    /// Seed of the portable uniform numbers, 42 by default; a split by time does not use it.
    package var seed: Int
    /// Share of the training part.
    package var train: Double
    /// Share of the validation part.
    package var validation: Double
    /// Share of the test part.
    package var test: Double
    /// Unit of the split; `nil`: the group if the model has one, else the key.
    package var by: Unit?

    package init(
        kind: Kind, seed: Int = 42, train: Double = 0.7, validation: Double = 0.1, test: Double = 0.2,
        by: Unit? = nil
    ) {
        self.kind = kind
        self.seed = seed
        self.train = train
        self.validation = validation
        self.test = test
        self.by = by
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        kind = try container.decode(Kind.self, forKey: .kind)
        seed = try container.decode(.seed, or: 42)
        train = try container.decode(.train, or: 0.7)
        validation = try container.decode(.validation, or: 0.1)
        test = try container.decode(.test, or: 0.2)
        by = try container.decodeIfPresent(Unit.self, forKey: .by)
    }

    private enum CodingKeys: String, CodingKey { case kind, seed, train, validation, test, by }

    /// Throws when the shares do not sum to 1, or the train or test part is empty.
    package func check() throws {
        let shares = [train, validation, test]
        guard shares.allSatisfy({ $0 >= 0 && $0 <= 1 }), abs(shares.reduce(0, +) - 1) < 1e-9 else {
            throw MartletError(
                .input, "split.shares",
                "the split's shares must be between 0 and 1 and sum to 1; "
                    + "train \(train), validation \(validation), test \(test) sum to \(shares.reduce(0, +))")
        }
        guard train > 0, test > 0 else {
            throw MartletError(
                .input, "split.shares", "the train and test shares of the split must be above 0",
                remedy: "only the validation share may be 0")
        }
    }
}

/// Settings of a cross-validation over all labelled rows.
///
/// Its folds follow the split: a rolling origin under a split by time, disjoint groups where a group stays on one side,
/// and stratified otherwise.
package struct CrossValidationPlan: Sendable, Equatable, Codable {
    /// Rows or time left out between the training and test rows of a fold, under a split by time.
    package enum Gap: Sendable, Equatable {
        /// So many rows before the first test row, as scikit-learn's `TimeSeriesSplit(gap:)`.
        case rows(Int)
        /// Rows less than so many seconds before the first test row.
        case seconds(Int)
    }

    /// Number of folds, 2 to 100.
    package var folds: Int
    /// Seed of the portable uniform numbers, 42 by default; folds by time do not use it.
    package var seed: Int
    /// Rows or time left out between the training and test rows of each fold, under a split by time; `nil` for none.
    package var gap: Gap?

    package init(folds: Int, seed: Int = 42, gap: Gap? = nil) {
        self.folds = folds
        self.seed = seed
        self.gap = gap
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        folds = try container.decode(Int.self, forKey: .folds)
        seed = try container.decode(.seed, or: 42)
        gap = try container.decodeIfPresent(Gap.self, forKey: .gap)
    }

    private enum CodingKeys: String, CodingKey { case folds, seed, gap }

    /// Throws for a number of folds or a gap that cannot be used.
    package func check() throws {
        guard (2...100).contains(folds) else {
            throw MartletError(
                .input, "cross-validation.folds", "cross-validation needs 2 to 100 folds; it is given \(folds)")
        }
    }
}

extension CrossValidationPlan.Gap: Codable {
    private enum CodingKeys: String, CodingKey { case rows, seconds }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        if let rows = try container.decodeIfPresent(Int.self, forKey: .rows) {
            self = .rows(rows)
        } else {
            self = .seconds(try container.decode(Int.self, forKey: .seconds))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .rows(let rows): try container.encode(rows, forKey: .rows)
        case .seconds(let seconds): try container.encode(seconds, forKey: .seconds)
        }
    }
}
