/// A kind of file that sources may have: how a project names it, how it is recognised, and how it is read.
///
/// Each kind brings its own; ``SourceFormats`` lists them.
///
/// ```swift
/// extension SourceFormatDescriptor {
///     static let jsonLines = SourceFormatDescriptor(
///         kind: "jsonl", title: "a JSON Lines file", about: "how its cells are read", options: SourceOption.cells,
///         reading: .records { try JSONLinesReader($0, $1, target: $2) })
/// }
/// ```
package struct SourceFormatDescriptor: Sendable {
    /// Opens a file.
    /// - Parameter target: about how many bytes of text a piece has; `nil` for all of the file in one.
    package typealias Open =
        @Sendable (_ path: String, _ format: SourceFormat, _ target: Int?) throws ->
        any SourceReader

    /// Takes a single record apart.
    /// - Parameters:
    ///   - header: the names of its file's columns.
    ///   - isStrict: refuses a quote that is not closed.
    package typealias Cells =
        @Sendable (
            _ record: String, _ format: SourceFormat, _ header: [String], _ isStrict: Bool
        ) throws -> [String]

    /// Who reads the files.
    package enum Reading: Sendable {
        /// A reader of this module, record by record.
        case records(Open)
        /// The SQL engine itself.
        case engine
    }

    /// Name of the kind in a project: "jsonl".
    package let kind: String
    /// Name of the kind for people: "a JSON Lines file".
    package let title: String
    /// Description of the setting of the same name in a project.
    package let about: String
    /// What that setting may say.
    package let options: [SourceOption]
    /// The bytes that every such file begins with; empty for text.
    package let signature: [UInt8]
    /// How many times larger than the file its content may be; 1 for plain text.
    package let expansion: Int64
    /// Who reads the files, and how.
    package let reading: Reading
    /// Takes a record apart as the source says now that its files are written. Throws ``FileRefusal`` with the reason.
    /// `nil` where records have no bytes of their own.
    package let cells: Cells?

    init(
        kind: String, title: String, about: String, options: [SourceOption], signature: [UInt8] = [],
        expansion: Int64 = 1, reading: Reading, cells: Cells? = nil
    ) {
        self.kind = kind
        self.title = title
        self.about = about
        self.options = options
        self.signature = signature
        self.expansion = expansion
        self.reading = reading
        self.cells = cells
    }
}

/// A setting of a kind of file in a project.
package struct SourceOption: Sendable {
    /// What may be set.
    package enum Value: Sendable {
        case text, flag, texts
        /// A number from 0 to a largest one.
        case count(Int)
    }

    /// Name of the setting: "delimiter".
    package let name: String
    package let value: Value
    /// Description of the setting, with its default.
    package let about: String

    init(_ name: String, _ value: Value, _ about: String) {
        self.name = name
        self.value = value
        self.about = about
    }

    /// What may be said of the cells of any text.
    static let cells = [
        SourceOption("missing", .texts, "texts that mean missing; an empty cell always does"),
        SourceOption("trim", .flag, "drop blanks around cells (default false)"),
    ]
}
