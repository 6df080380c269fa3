internal import Core
internal import Storage

/// One difference between a file's schema and what its contract, or the table so far, expects.
package struct SchemaDrift: Sendable, Equatable, Encodable {
    /// The kind of difference; a stable name, part of every JSON report.
    package enum Kind: String, Sendable, Encodable {
        /// A column that the contract does not know.
        case new
        /// A column that the contract asks for and the file lacks.
        case missing
        /// A column under another name.
        case renamed
        /// Most values can no longer be of the contract's type.
        case retyped
        /// Most values are no longer among the allowed ones.
        case recoded
        /// Values in another unit.
        case unit
        /// A header name in other letter case.
        case headerCase = "header-case"
        /// Columns in another order.
        case order
        /// Cells parted by another character.
        case delimiter
        /// Text in another encoding.
        case encoding
        /// The first line is data.
        case noHeader = "no-header"
    }

    /// Kind of the difference; it decides what `column` and `found` refer to.
    package var kind: Kind
    /// The contract's column concerned, if any.
    package var column: String?
    /// What the file has instead.
    package var found: String?
    /// Evidence for the difference, with figures.
    package var evidence: String
    /// Suggested change, with the contract's line when known.
    package var suggestion: String?

    package init(
        _ kind: Kind, column: String? = nil, found: String? = nil, evidence: String, suggestion: String? = nil
    ) {
        self.kind = kind
        self.column = column
        self.found = found
        self.evidence = evidence
        self.suggestion = suggestion
    }

    /// The difference as one line: "unit of cutting: …".
    package var sentence: String {
        let what =
            switch kind {
            case .new: "new column \(quoted(found))"
            case .missing: "missing column \(column ?? "")"
            case .renamed: "\(column ?? "") looks renamed to \(quoted(found))"
            case .retyped: "\(column ?? "") has another type"
            case .recoded: "\(column ?? "") has other values"
            case .unit: "\(column ?? "") looks like another unit"
            case .headerCase: "\(column ?? "") is written \(quoted(found))"
            case .order: "columns in another order"
            case .delimiter: "another delimiter"
            case .encoding: "another encoding"
            case .noHeader: "no header"
            }
        return "\(what): \(evidence)"
    }

    private func quoted(_ text: String?) -> String { "\"\(text ?? "")\"" }
}

extension Contract {
    /// Returns where a contract defines a column: "contracts/visits.yaml:12, columns.weight".
    ///
    /// Without the line when it is not found.
    package func place(of column: String) -> String {
        let bytes = (try? Disk.read(file)) ?? []
        let lines = bytes.split(separator: 10, omittingEmptySubsequences: false)
        let line = lines.firstIndex { line in
            let text = String(decoding: line, as: UTF8.self).drop { $0 == " " || $0 == "\"" }
            return text.hasPrefix("\(column):") || text.hasPrefix("\(column)\":")
        }
        let path = Disk.name(of: Disk.parent(of: file)) + "/" + Disk.name(of: file)
        return "\(path)\(line.map { ":\($0 + 1)" } ?? ""), columns.\(column)"
    }
}
