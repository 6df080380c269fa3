internal import Core

/// What becomes of a row that does not fit the signature of the model it is sent to, column by column.
package struct InputPolicy: Sendable, Equatable, Codable {
    package enum Reaction: String, Sendable, Codable, CaseIterable {
        /// The request is refused, with the place and the reason.
        case reject
        /// The value counts as missing, without a word; a column that the model does not have is passed over.
        case missing
        /// The value counts as the signature would have it (an unknown category as rare or missing, a missing column as
        /// missing, a value out of range as itself), and the answer says so.
        case warn
    }

    /// Reactions for one column.
    package struct Column: Sendable, Equatable, Codable {
        /// A category that training never saw.
        package var unknownCategory = Reaction.warn
        /// The column is not there at all. A null always counts as missing.
        package var missingColumn = Reaction.reject
        /// A text where a number belongs, a list, an object.
        package var wrongType = Reaction.reject
        /// A number outside the bounds.
        package var outOfRange = Reaction.warn
        /// Bounds for `outOfRange`; `nil` takes what training saw.
        package var minimum: Double?
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

    /// For columns without their own.
    package var standard = Column()
    package var columns: [String: Column] = [:]
    /// A column that the model does not have.
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

    package func column(_ name: String) -> Column { columns[name] ?? standard }
}
