internal import Lakehouse
internal import Vocabulary

/// What the first bytes of a CSV file say about how it is written, against how the source says it is.
struct CSVForm {
    private(set) var drifts: [SchemaDrift] = []
    /// How the file seems to be written.
    private(set) var format: SourceFormat
    private(set) var isReadable = true

    init(_ path: String, _ format: SourceFormat, _ contract: Contract) throws {
        self.format = format
        var head: [UInt8] = []
        try Disk.scan(path) { piece in
            head += piece.prefix((1 << 18) - head.count)
            return head.count < 1 << 18
        }
        lookAtEncoding(head)
        guard isReadable else { return }
        try lookAtDelimiter(path, contract)
        try lookForHeader(path, contract)
    }

    private mutating func lookAtEncoding(_ head: [UInt8]) {
        if head.starts(with: [0xFF, 0xFE]) || head.starts(with: [0xFE, 0xFF]) || head.prefix(200).contains(0) {
            isReadable = false
            drifts.append(
                SchemaDrift(
                    .encoding, found: "utf-16", evidence: "the file begins like UTF-16 text",
                    suggestion: "ask for UTF-8, or convert it (iconv -f utf-16 -t utf-8)"))
            return
        }
        // The piece may end inside a character.
        var cut = head[...]
        while let last = cut.last, last & 0xC0 == 0x80 { cut.removeLast() }
        if let last = cut.last, last >= 0x80 { cut.removeLast() }
        let isText = String(validating: cut, as: UTF8.self) != nil
        let isPlain = !head.contains { $0 >= 0x80 }
        if format.encoding == .utf8, !isText {
            format.encoding = .latin1
            drifts.append(
                SchemaDrift(
                    .encoding, found: "latin-1", evidence: "the file has bytes that are no UTF-8",
                    suggestion: "martlet.yaml, csv: {encoding: latin-1}"))
        } else if format.encoding == .latin1, isText, !isPlain {
            format.encoding = .utf8
            drifts.append(
                SchemaDrift(
                    .encoding, found: "utf-8", evidence: "its characters beyond ASCII are UTF-8",
                    suggestion: "martlet.yaml, csv: {encoding: utf-8}"))
        }
    }

    private func known(_ header: [String], _ contract: Contract) -> Int {
        let names = Set(contract.columns.flatMap { $0.headerNames + [$0.name] }.map { $0.lowercased() })
        return header.count { names.contains($0.lowercased()) }
    }

    private mutating func lookAtDelimiter(_ path: String, _ contract: Contract) throws {
        guard format.header, let header = try CSVHeader.read(path, format), known(header, contract) < 2 else { return }
        for delimiter in [",", ";", "\t", "|"] where delimiter != format.delimiter {
            var other = format
            other.delimiter = delimiter
            guard let names = try CSVHeader.read(path, other) else { continue }
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
        guard format.header, let first = try CSVHeader.read(path, format), known(first, contract) == 0 else { return }
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
