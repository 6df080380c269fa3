package import Core

/// What a model says of one row: for a binary model probability, band and decision.
package protocol Outcome: Sendable, Equatable {
    /// The number that ranks outcomes, and by which a serving implementation is verified; the first of `cells`.
    var score: Double { get }
    /// One value for each of the rule's columns; null where the outcome has none.
    var cells: [JSONValue] { get }
}

/// Turns the raw scores of a learner's model into outcomes. Fitted on validation rows and stored in the model record.
///
/// As JSON it is members of the record; `encode` writes them and nothing else.
package protocol OutcomeRule: Sendable, Equatable, Codable {
    associatedtype Outcome: Training.Outcome

    /// The columns of outcomes in files and tables; the first is the score.
    var columns: [OutcomeColumn] { get }
    /// Rows about the rule for the table of a model card.
    var facts: [(name: String, value: String)] { get }

    /// Returns one outcome a row.
    func outcomes(of scores: [Double]) throws -> [Outcome]
    /// Describes many outcomes.
    func summary(of outcomes: [any Training.Outcome]) -> OutcomeSummary
    /// The bytes by which the rule enters a model's hash.
    func canonicalBytes() throws -> [UInt8]
}

extension OutcomeRule {
    package var facts: [(name: String, value: String)] { [] }

    package func summary(of outcomes: [any Training.Outcome]) -> OutcomeSummary { OutcomeSummary() }

    package func canonicalBytes() throws -> [UInt8] { try JSON.encode(self) }
}

/// A column of outcomes or labels in files and tables.
package struct OutcomeColumn: Sendable {
    /// Type of the column's cells.
    package enum Kind: Sendable {
        case number, integer, flag
        /// One of these texts.
        case text([String])
    }

    /// Name of the column: "probability".
    package let name: String
    /// Type of the cells, which may be null besides.
    package let kind: Kind

    package init(_ name: String, _ kind: Kind) {
        self.name = name
        self.kind = kind
    }
}

/// Description of many outcomes: figures by name, and a clause of a sentence.
package struct OutcomeSummary: Sendable {
    /// Figures by their names in JSON.
    package var figures: [String: JSONValue] = [:]
    /// Continues "12 of 20 records scored by readmission@3": "5 at or above the threshold of 0.3".
    package var clause: String?
}
