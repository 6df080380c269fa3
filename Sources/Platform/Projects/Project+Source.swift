internal import Core
internal import DelimitedText
internal import Lakehouse
internal import Storage

extension Project {
    /// A source as it stands in martlet.yaml, with its contract.
    static func source(_ name: String, _ value: YAMLValue, _ folder: String) throws -> Source {
        guard name.allSatisfy({ $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "_") }),
            name.first?.isLetter == true
        else {
            throw value.failure(
                "config.name", "\(name) is not a usable source name.",
                remedy: "Use lowercase letters, digits and _, beginning with a letter.")
        }
        var format = SourceFormat()
        if let kind = value["format"].flatMap({ SourceFormat.Kind(rawValue: $0.text) }) { format.kind = kind }
        if let csv = value["csv"] {
            if format.kind != .csv { throw csv.failure("config.value", "csv: is for the format csv only.") }
            if let text = csv["delimiter"]?.text {
                guard text == "blanks" || (1...4).contains(text.utf8.count) else {
                    throw csv.failure(
                        "config.value", "The delimiter must have one to four characters, or be blanks for runs of them."
                    )
                }
                format.delimiter = text == "blanks" ? "" : text
            }
            if let text = csv["quote"]?.text {
                guard text.utf8.count <= 1 else {
                    throw csv.failure("config.value", "The quote must be one character.")
                }
                format.quote = text
            }
            if let flag = csv["header"]?.flag { format.header = flag }
            if let value = csv["encoding"] {
                guard let encoding = TextEncoding(value.text) else {
                    throw value.failure(
                        "config.value", "There is no encoding \(value.text).",
                        remedy: Spelling.nearest(to: value.text, among: ["utf-8", "latin-1", "windows-1252", "utf-16"])
                            .map { "Did you mean \($0)?" }
                            ?? "Use utf-8, windows-1252, utf-16 or another name that `iconv -l` lists.")
                }
                format.encoding = encoding
            }
            format.escape = try mark(csv, "escape")
            format.comment = csv["comment"]?.text ?? ""
            let decimal = try mark(csv, "decimal")
            if !decimal.isEmpty { format.decimal = decimal }
            format.thousands = try mark(csv, "thousands")
            guard format.decimal != format.thousands, !("0"..."9").contains(format.decimal) else {
                throw csv.failure("config.value", "decimal and thousands must be two different signs.")
            }
            if let flag = csv["trim"]?.flag { format.trim = flag }
            if let lines = csv["skip_lines"]?.integer { format.skipLines = lines }
            format.missing = csv["missing"]?.items.map(\.text) ?? []
        }
        let contractPath = contractPath(name, value, folder)
        guard Disk.exists(contractPath) else {
            throw value.failure(
                "config.no-contract", "The contract of \(name), \(contractPath), does not exist.",
                remedy: "Write it, or name another file with contract:.")
        }
        let landing = value["landing"]?.text ?? "landing/\(name)"
        var source = Source(
            name: name, contract: try contract(name, contractPath, format), format: format,
            landing: landing.hasPrefix("/") ? landing : folder + "/" + landing)
        source.quiet = value["quiet"]?.integer ?? 0
        if let ready = value["ready"] {
            guard !ready.text.contains("/"), !ready.text.isEmpty else {
                throw ready.failure("config.value", "ready: is the name of a file in the landing folder.")
            }
            source.ready = ready.text
        }
        return source
    }

    /// A setting of one ASCII character; empty when it is not set.
    private static func mark(_ csv: YAMLValue, _ key: String) throws -> String {
        guard let value = csv[key] else { return "" }
        guard value.text.utf8.count <= 1 else {
            throw value.failure("config.value", "\(key) must be one character.")
        }
        return value.text
    }
}
