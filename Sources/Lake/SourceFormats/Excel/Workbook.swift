internal import Core

/// The parts of an Excel workbook (ECMA-376, Office Open XML) that reading a sheet needs.
struct Workbook {
    /// A sheet by its name and its place in the archive.
    struct Sheet {
        let name: String
        let part: ZipArchive.Member
        let isHidden: Bool
    }

    let archive: ZipArchive
    /// The sheets of cells, in the order of their tabs.
    let sheets: [Sheet]
    /// The texts that cells refer to by number.
    let texts: SharedTexts
    let formats: CellFormats

    /// - Throws: ``FileRefusal``, and `MartletError` for the machine.
    init(_ path: String) throws {
        let archive = try FileRefusal.ofDamage { try ZipArchive(path) }
        self.archive = archive
        let parts = Dictionary(archive.members.map { ($0.name, $0) }) { first, _ in first }
        func read<Handler: XMLHandler>(_ name: String, _ handler: Handler) throws -> Handler {
            if let member = parts[name] { try Self.parse(archive, member, handler) }
            return handler
        }
        let top = try read("_rels/.rels", Relations(in: ""))
        let main = top.targets.values.first { $0.type.hasSuffix("/officeDocument") }?.path ?? "xl/workbook.xml"
        guard parts[main] != nil else {
            throw FileRefusal(
                main.hasSuffix(".bin")
                    ? "it is a binary workbook (.xlsb); save it as .xlsx" : "it is a ZIP archive without a workbook")
        }
        let folder = main.lastIndex(of: "/").map { String(main[...$0]) } ?? ""
        let name = main.dropFirst(folder.count)
        let relations = try read("\(folder)_rels/\(name).rels", Relations(in: folder))
        let list = try read(main, SheetList())
        sheets = list.sheets.compactMap { sheet in
            guard let target = relations.targets[sheet.relation], target.type.hasSuffix("/worksheet"),
                let part = parts[target.path]
            else { return nil }
            return Sheet(name: sheet.name, part: part, isHidden: sheet.isHidden)
        }
        func target(_ type: String) -> String? { relations.targets.values.first { $0.type.hasSuffix(type) }?.path }
        texts = try read(target("/sharedStrings") ?? "", SharedTexts())
        formats = CellFormats(try read(target("/styles") ?? "", Styles()), isFrom1904: list.isFrom1904)
    }

    static func parse<Handler: XMLHandler>(
        _ archive: ZipArchive, _ member: ZipArchive.Member, _ handler: Handler
    ) throws {
        let parser = try XMLParser(handler)
        try FileRefusal.ofDamage { try archive.read(member) { try parser.feed($0) } }
        try parser.feed(UnsafeRawBufferPointer(start: nil, count: 0), isLast: true)
    }

    /// The sheet of this name, or without one the first that is not hidden.
    func sheet(_ name: String?) throws(FileRefusal) -> Sheet {
        guard let name else {
            guard let first = sheets.first(where: { !$0.isHidden }) ?? sheets.first else {
                throw FileRefusal("it has no sheet of cells")
            }
            return first
        }
        guard let found = sheets.first(where: { $0.name == name }) else {
            let names = sheets.map { "\"\($0.name)\"" }.joined(separator: ", ")
            throw FileRefusal("it has no sheet \"\(name)\"; its sheets are \(names)")
        }
        return found
    }
}

/// Relations of a part to others (ECMA-376 part 2, 9.3).
private final class Relations: XMLHandler {
    private let folder: String
    private(set) var targets: [String: (type: String, path: String)] = [:]

    init(in folder: String) { self.folder = folder }

    func begin(_ name: UnsafePointer<CChar>, _ attributes: XMLAttributes) {
        guard same(name, "Relationship"), let id = attributes["Id"], let target = attributes["Target"] else { return }
        targets[id] = (attributes["Type"] ?? "", path(target))
    }

    func end(_ name: UnsafePointer<CChar>) {}
    func text(_ bytes: UnsafeRawBufferPointer) {}

    private func path(_ target: String) -> String {
        if target.hasPrefix("/") { return String(target.dropFirst()) }
        var parts: [Substring] = []
        for part in (folder + target).split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return parts.joined(separator: "/")
    }
}

/// The sheets that a workbook lists.
private final class SheetList: XMLHandler {
    private(set) var sheets: [(name: String, relation: String, isHidden: Bool)] = []
    private(set) var isFrom1904 = false

    func begin(_ name: UnsafePointer<CChar>, _ attributes: XMLAttributes) {
        // Extensions have elements of the same name.
        if same(name, "workbookPr"), let flag = attributes["date1904"] { isFrom1904 = ["1", "true"].contains(flag) }
        guard same(name, "sheet"), let title = attributes["name"], let relation = attributes["id"] else { return }
        sheets.append((title, relation, ["hidden", "veryHidden"].contains(attributes["state"])))
    }

    func end(_ name: UnsafePointer<CChar>) {}
    func text(_ bytes: UnsafeRawBufferPointer) {}
}

/// The texts that cells refer to by number (ECMA-376 part 1, 18.4).
final class SharedTexts: XMLHandler {
    private var arena = TextArena()
    private(set) var texts: [SourceCell] = []
    private(set) var isTooLarge = false
    private var current: [UInt8] = []
    private var bytes = 0
    /// In a text that is shown; readings of Japanese texts are not.
    private var isText = false
    private var isPhonetic = false

    func begin(_ name: UnsafePointer<CChar>, _ attributes: XMLAttributes) {
        if same(name, "si") { current.removeAll(keepingCapacity: true) }
        if same(name, "rPh") { isPhonetic = true }
        if same(name, "t") { isText = !isPhonetic }
    }

    func end(_ name: UnsafePointer<CChar>) {
        if same(name, "t") { isText = false }
        if same(name, "rPh") { isPhonetic = false }
        guard same(name, "si") else { return }
        count(16)
        texts.append(isTooLarge ? SourceCell(nil, 0) : arena.keep(CellText.unescaped(current)))
    }

    func text(_ bytes: UnsafeRawBufferPointer) {
        guard isText else { return }
        count(bytes.count)
        if !isTooLarge { current.append(contentsOf: bytes) }
    }

    private func count(_ more: Int) {
        bytes += more
        isTooLarge = isTooLarge || bytes > 1 << 30
    }

    var refusal: FileRefusal? { isTooLarge ? FileRefusal("its texts have more than 1 GiB") : nil }
}

/// The number formats of a workbook's cell styles (ECMA-376 part 1, 18.8).
final class Styles: XMLHandler {
    /// Formats that the workbook defines, by their number.
    private(set) var custom: [Int: String] = [:]
    /// The format's number of each cell style.
    private(set) var styles: [Int] = []
    private var isInCellStyles = false

    func begin(_ name: UnsafePointer<CChar>, _ attributes: XMLAttributes) {
        if same(name, "numFmt"), let id = attributes["numFmtId"].flatMap({ Int($0) }) {
            custom[id] = attributes["formatCode"] ?? ""
        }
        if same(name, "cellXfs") { isInCellStyles = true }
        if same(name, "xf"), isInCellStyles { styles.append(attributes["numFmtId"].flatMap { Int($0) } ?? 0) }
    }

    func end(_ name: UnsafePointer<CChar>) {
        if same(name, "cellXfs") { isInCellStyles = false }
    }

    func text(_ bytes: UnsafeRawBufferPointer) {}
}
