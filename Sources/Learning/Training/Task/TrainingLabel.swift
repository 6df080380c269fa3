package import Core

/// A label of a training row.
package protocol TrainingLabel: Sendable, Equatable {
    /// Type of a column of labels.
    static var kind: OutcomeColumn.Kind { get }
    /// The label as a cell of such a column.
    var cell: JSONValue { get }
}

/// The number of a class, from 0; in binary models 1 is the positive class.
extension UInt8: TrainingLabel {
    package static var kind: OutcomeColumn.Kind { .integer }
    package var cell: JSONValue { .integer(Int64(self)) }
}

/// A target column as texts, from which a task reads its labels.
package struct TargetColumn: Sendable {
    /// Index into `levels` of each row's value; negative for null.
    package let codes: [Int32]
    /// The distinct values as text.
    package let levels: [String]
    /// Name of the column.
    package let name: String
    /// Name of the table, for messages.
    package let table: String
    /// The value that the model declares positive.
    package let positive: String

    package init(codes: [Int32], levels: [String], name: String, table: String, positive: String) {
        self.codes = codes
        self.levels = levels
        self.name = name
        self.table = table
        self.positive = positive
    }
}
