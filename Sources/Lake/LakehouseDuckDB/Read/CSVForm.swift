internal import Core
internal import DelimitedText
internal import Lakehouse
internal import SourceFormats

/// Detects delimiter and encoding from the first bytes of a CSV file and compares them with the source's settings.
struct CSVForm {
    private(set) var drifts: [SchemaDrift] = []
    /// How the file seems to be written.
    private(set) var format: SourceFormat
    private(set) var isReadable = true

    init(_ path: String, _ format: SourceFormat, _ contract: Contract) throws {
        self.format = format
        let head = try ByteStream(path).head
        lookAtEncoding(head)
        guard isReadable else { return }
        try lookAtDelimiter(path, contract)
        try lookForHeader(path, contract)
    }

    private mutating func lookAtEncoding(_ head: [UInt8]) {
        let found = head.withUnsafeBytes { TextEncoding.guess($0) }
        if format.encoding.unit == 1, found == "utf-16" {
            isReadable = false
            return add("utf-16", "the file begins like UTF-16 text")
        }
        // The last character may be cut.
        let invalid = head.withUnsafeBytes { UTF8Check.firstInvalid($0) }
        let isText = invalid.map { $0 + 3 >= head.count } ?? true
        let isPlain = !head.contains { $0 >= 0x80 }
        if format.encoding.isUTF8, !isText {
            format.encoding = TextEncoding("windows-1252") ?? .utf8
            add(found, "the file has bytes that are no UTF-8")
        } else if !format.encoding.isUTF8, format.encoding.unit == 1, isText, !isPlain {
            format.encoding = .utf8
            add("utf-8", "its characters beyond ASCII are UTF-8")
        }
    }

    private mutating func add(_ encoding: String, _ evidence: String) {
        drifts.append(
            SchemaDrift(
                .encoding, found: encoding, evidence: evidence,
                suggestion: "martlet.yaml, csv: {encoding: \(encoding)}"))
    }

    private func header(_ path: String, _ format: SourceFormat) -> [String]? {
        (try? CSVReader(path, format, target: 1 << 16))?.header
    }

    private func known(_ header: [String], _ contract: Contract) -> Int {
        let names = Set(contract.columns.flatMap { $0.headerNames + [$0.name] }.map { $0.lowercased() })
        return header.count { names.contains($0.lowercased()) }
    }

    private mutating func lookAtDelimiter(_ path: String, _ contract: Contract) throws {
        guard format.header, let names = header(path, format), known(names, contract) < 2 else { return }
        for delimiter in [",", ";", "\t", "|"] where delimiter != format.delimiter {
            var other = format
            other.delimiter = delimiter
            guard let names = header(path, other) else { continue }
            let count = known(names, contract)
            guard names.count > 1, count >= 1, count * 2 >= min(names.count, contract.columns.count) else { continue }
            let shown = delimiter == "\t" ? "\\t" : delimiter
            drifts.append(
                SchemaDrift(
                    .delimiter, found: shown,
                    evidence: "with \"\(shown)\" between cells, \(count) of \(names.count) names are the contract's",
                    suggestion: "martlet.yaml, csv: {delimiter: \"\(shown)\"}"))
            format = other
            return
        }
    }

    private mutating func lookForHeader(_ path: String, _ contract: Contract) throws {
        guard format.header, let first = header(path, format), known(first, contract) == 0 else { return }
        let needed = contract.columns.count { !$0.optional }
        guard (needed...contract.columns.count).contains(first.count) else { return }
        let numbers = zip(first, contract.columns).filter { _, column in
            switch column.type {
            case .bigint, .integer, .double, .decimal, .date, .timestamp: true
            default: false
            }
        }
        guard !numbers.isEmpty,
            numbers.allSatisfy({ cell, _ in cell.isEmpty || cell.first?.isNumber == true || cell.first == "-" })
        else { return }
        format.header = false
        drifts.append(
            SchemaDrift(
                .noHeader, found: first.prefix(3).joined(separator: format.delimiter),
                evidence: "the first line looks like data, in the contract's order",
                suggestion: "martlet.yaml, csv: {header: false}"))
    }
}
