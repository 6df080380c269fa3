internal import Core

/// How a served model reacts to input that does not match its signature, column by column.
package struct InputPolicy: Sendable, Equatable, Codable {
    /// Reaction to a mismatch: reject the row, treat the value as missing, or warn.
    package enum Reaction: String, Sendable, Codable, CaseIterable {
        /// The request is refused, with the place and the reason.
        case reject
        /// The value counts as missing, without a word; a column that the model does not have is passed over.
        case missing
        /// The value counts as the signature would have it (an unknown category as rare or missing, a missing column as
        /// missing, a value out of range as itself), and the answer says so.
        case warn
    }

    /// What scoring does with one column of a row that is absent, of a wrong type, unknown or out of range.
    package struct Column: Sendable, Equatable, Codable {
        /// Reaction to a category that was not in the training rows.
        package var unknownCategory = Reaction.warn
        /// Reaction to an absent column. A null always counts as missing.
        package var missingColumn = Reaction.reject
        /// Reaction to a value of another type, such as text for a number, a list or an object.
        package var wrongType = Reaction.reject
        /// Reaction to a number outside the bounds.
        package var outOfRange = Reaction.warn
        /// Lower bound for `outOfRange`; `nil`: the minimum of the training rows.
        package var minimum: Double?
        /// Upper bound for `outOfRange`; `nil`: the maximum of the training rows.
        package var maximum: Double?

        package init() {}

        private enum CodingKeys: String, CodingKey {
            case unknownCategory = "unknown_category"
            case missingColumn = "missing_column"
            case wrongType = "wrong_type"
            case outOfRange = "out_of_range"
            case minimum = "min"
            case maximum = "max"
        }

        package init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            unknownCategory = try container.decode(.unknownCategory, or: unknownCategory)
            missingColumn = try container.decode(.missingColumn, or: missingColumn)
            wrongType = try container.decode(.wrongType, or: wrongType)
            outOfRange = try container.decode(.outOfRange, or: outOfRange)
            minimum = try container.decodeIfPresent(Double.self, forKey: .minimum)
            maximum = try container.decodeIfPresent(Double.self, forKey: .maximum)
        }
    }

    /// Reactions for columns without their own entry in `columns`.
    package var standard = Column()
    /// Reactions by column name.
    package var columns: [String: Column] = [:]
    /// Reaction to a column that the model does not have.
    package var unknownColumn = Reaction.warn

    package init() {}

    private enum CodingKeys: String, CodingKey {
        case standard, columns
        case unknownColumn = "unknown_column"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        standard = try container.decode(.standard, or: standard)
        columns = try container.decode(.columns, or: columns)
        unknownColumn = try container.decode(.unknownColumn, or: unknownColumn)
    }

    /// Refuses columns that the signature does not have, and bounds that nothing can keep.
    func check(_ signature: Signature) throws {
        for (name, column) in columns.sorted(by: { $0.key < $1.key }) {
            guard let feature = signature.columns.first(where: { $0.name == name }) else {
                let near = Spelling.nearest(to: name, among: signature.columns.map(\.name))
                throw MartletError(
                    .input, "training.input-column", "input names the column \(name), which is no feature of the model",
                    remedy: near.map { "did you mean \($0)?" })
            }
            guard column.minimum != nil || column.maximum != nil else { continue }
            if feature.type == .category {
                throw MartletError(
                    .input, "training.input-bounds", "input has bounds for \(name), which is a category",
                    remedy: "say unknown_category instead")
            }
            if let least = column.minimum, let greatest = column.maximum, least > greatest {
                throw MartletError(
                    .input, "training.input-bounds", "input has min \(least) above max \(greatest) for \(name)")
            }
        }
    }

    /// The reactions for a column.
    package func column(_ name: String) -> Column { columns[name] ?? standard }
}
