internal import CZlib

/// Writes ZIP archives whose members are stored, for tests.
package struct ZipWriter {
    package private(set) var bytes: [UInt8] = []
    private var directory: [UInt8] = []
    private var count = 0

    package init() {}

    /// - Parameters:
    ///   - flags: general purpose bits; 1 says that the member is encrypted.
    ///   - crc: checksum to write in place of the right one.
    package mutating func add(_ name: String, _ content: [UInt8], flags: Int = 0, crc wrong: UInt32? = nil) {
        let sum = wrong ?? UInt32(truncatingIfNeeded: crc32(0, content, UInt32(content.count)))
        let start = bytes.count
        let shared =
            number(20, 2) + number(flags, 2) + number(0, 2) + number(0, 4) + number(Int(sum), 4)
            + number(content.count, 4) + number(content.count, 4) + number(name.utf8.count, 2) + number(0, 2)
        bytes += [0x50, 0x4B, 3, 4] + shared + Array(name.utf8) + content
        directory += [0x50, 0x4B, 1, 2] + number(20, 2) + shared + number(0, 10) + number(start, 4) + Array(name.utf8)
        count += 1
    }

    package mutating func add(_ name: String, _ text: String) { add(name, Array(text.utf8)) }

    /// The whole archive.
    /// - Parameter times: how often its directory lists the same bytes.
    package func finished(repeating times: Int = 1) -> [UInt8] {
        let all = (0..<times).flatMap { _ in directory }
        return bytes + all + [0x50, 0x4B, 5, 6] + number(0, 4) + number(count * times, 2) + number(count * times, 2)
            + number(all.count, 4) + number(bytes.count, 4) + number(0, 2)
    }

    private func number(_ value: Int, _ width: Int) -> [UInt8] {
        (0..<width).map { $0 < 8 ? UInt8(truncatingIfNeeded: value >> (8 * $0)) : 0 }
    }

    /// A workbook with one sheet of these rows, each the XML of its cells.
    package static func workbook(
        _ rows: [String], texts: [String] = [], formats: [String] = [], from1904: Bool = false, before: String = ""
    ) -> [UInt8] {
        let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
        let main = "xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\""
        var archive = ZipWriter()
        archive.add("[Content_Types].xml", "<Types/>")
        archive.add(
            "_rels/.rels",
            "<Relationships><Relationship Id=\"r\" Type=\"\(office)/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
        )
        archive.add(
            "xl/workbook.xml",
            """
            <workbook \(main) xmlns:r="\(office)"><workbookPr date1904="\(from1904)"/><sheets>
            <sheet name="Notes" sheetId="1" state="hidden" r:id="n"/><sheet name="Visits" sheetId="2" r:id="v"/>
            </sheets></workbook>
            """)
        archive.add(
            "xl/_rels/workbook.xml.rels",
            """
            <Relationships><Relationship Id="n" Type="\(office)/worksheet" Target="worksheets/notes.xml"/>
            <Relationship Id="v" Type="\(office)/worksheet" Target="/xl/worksheets/visits.xml"/>
            <Relationship Id="t" Type="\(office)/sharedStrings" Target="texts.xml"/>
            <Relationship Id="s" Type="\(office)/styles" Target="styles.xml"/></Relationships>
            """)
        archive.add("xl/texts.xml", "<sst>\(texts.map { "<si>\($0)</si>" }.joined())</sst>")
        let codes = formats.enumerated().map { "<numFmt numFmtId=\"\(200 + $0)\" formatCode=\"\($1)\"/>" }
        let styles = ["0", "14", "46"] + formats.indices.map { "\(200 + $0)" }
        archive.add(
            "xl/styles.xml",
            "<styleSheet><numFmts>\(codes.joined())</numFmts><cellXfs>"
                + styles.map { "<xf numFmtId=\"\($0)\"/>" }.joined() + "</cellXfs></styleSheet>")
        archive.add("xl/worksheets/notes.xml", "<worksheet><sheetData/></worksheet>")
        archive.add(
            "xl/worksheets/visits.xml",
            "<worksheet>\(before)<sheetData>\(rows.map { "<row>\($0)</row>" }.joined())</sheetData></worksheet>")
        return archive.finished()
    }
}
