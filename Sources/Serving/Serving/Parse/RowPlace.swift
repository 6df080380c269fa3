/// Where the rows are in a body, to report a value's location as JSONPath (RFC 9535) or CSV line.
enum RowPlace: Sendable, Equatable {
    /// `$.record.age`: a row that is the member of this name itself.
    case member(String)
    /// `$.records[0].age`: rows as objects in the list of this name.
    case objects(String)
    /// `$.columns.age[0]`: a list a column in the object of this name.
    case columns(String)
    /// `$.dataframe_split.data[0][2]`: rows as lists, `order` telling for each column its place in the row.
    case lists(String)
    /// `$.inputs[2].data[0]`: tensors.
    case tensors
    /// `row 1, line 2, column age`: CSV, where a row may have several lines.
    case lines
    /// `column age`: a line whose number is told beside.
    case fields
    /// `$.age`: a line that is an object, its number told beside.
    case line

    /// Whether the row came in Martlet's own form of JSON.
    var isOwnForm: Bool { [.member("record"), .objects("records"), .columns("columns")].contains(self) }

    /// Whether the body names its columns once, for all rows, and not in each of them.
    var namesColumnsOnce: Bool {
        switch self {
        case .columns, .lists, .tensors, .lines, .fields: true
        case .member, .objects, .line: false
        }
    }

    /// - Parameters:
    ///   - row: from 0; -1 for the header of CSV.
    ///   - column: its name.
    ///   - place: the column's place in the body, where columns are known by place.
    ///   - line: the line of CSV that the row begins with, from 1.
    func path(row: Int, column: String, place: Int, line: Int = 1) -> String {
        switch self {
        case .member(let name): "$.\(name)\(Self.member(column))"
        case .objects(let name): "$.\(name)[\(row)]\(Self.member(column))"
        case .columns(let name): "$.\(name)\(Self.member(column))[\(row)]"
        case .lists(let name): "$.\(name)[\(row)][\(place)]"
        case .tensors: "$.inputs[\(place)].data[\(row)]"
        case .fields: "column \(column)"
        case .line: "$\(Self.member(column))"
        case .lines: row < 0 ? "line \(line), column \(column)" : "row \(row + 1), line \(line), column \(column)"
        }
    }

    /// `.age`, or `['age in years']` for a name that cannot stand by itself.
    static func member(_ name: String) -> String {
        let isPlain =
            name.unicodeScalars.first.map { $0 == "_" || $0.properties.isAlphabetic } ?? false
            && name.unicodeScalars.allSatisfy { $0 == "_" || $0.properties.isAlphabetic || ("0"..."9").contains($0) }
        if isPlain { return ".\(name)" }
        return "['\(name.replacing("\\", with: "\\\\").replacing("'", with: "\\'"))']"
    }
}
