internal import Core
internal import DelimitedText
internal import Lakehouse
internal import SourceFormats
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
        if let kind = value["format"]?.text { format.kind = kind }
        for kind in SourceFormats.kinds where kind != format.kind {
            if let other = value[kind] {
                throw other.failure("config.value", "\(kind): is for the format \(kind) only.")
            }
        }
        if let settings = value[format.kind] { try read(settings, into: &format) }
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

    /// What a project says of how files of its source's kind are written.
    private static func read(_ settings: YAMLValue, into format: inout SourceFormat) throws {
        if let text = settings["delimiter"]?.text {
            guard text == "blanks" || (1...4).contains(text.utf8.count) else {
                throw settings.failure(
                    "config.value", "The delimiter must have one to four characters, or be blanks for runs of them."
                )
            }
            format.delimiter = text == "blanks" ? "" : text
        }
        if let text = settings["quote"]?.text {
            guard text.utf8.count <= 1 else {
                throw settings.failure("config.value", "The quote must be one character.")
            }
            format.quote = text
        }
        if let flag = settings["header"]?.flag { format.header = flag }
        if let value = settings["encoding"] {
            guard let encoding = TextEncoding(value.text) else {
                throw value.failure(
                    "config.value", "There is no encoding \(value.text).",
                    remedy: Spelling.nearest(to: value.text, among: ["utf-8", "latin-1", "windows-1252", "utf-16"])
                        .map { "Did you mean \($0)?" }
                        ?? "Use utf-8, windows-1252, utf-16 or another name that `iconv -l` lists.")
            }
            format.encoding = encoding
        }
        format.escape = try mark(settings, "escape")
        format.comment = settings["comment"]?.text ?? ""
        let decimal = try mark(settings, "decimal")
        if !decimal.isEmpty { format.decimal = decimal }
        format.thousands = try mark(settings, "thousands")
        guard format.decimal != format.thousands, !("0"..."9").contains(format.decimal) else {
            throw settings.failure("config.value", "decimal and thousands must be two different signs.")
        }
        if let flag = settings["trim"]?.flag { format.trim = flag }
        if let lines = (settings["skip_lines"] ?? settings["skip_rows"])?.integer { format.skipLines = lines }
        if let sheet = settings["sheet"]?.text { format.options["sheet"] = sheet }
        format.missing = settings["missing"]?.items.map(\.text) ?? []
    }

    /// A setting of one ASCII character; empty when it is not set.
    private static func mark(_ settings: YAMLValue, _ key: String) throws -> String {
        guard let value = settings[key] else { return "" }
        guard value.text.utf8.count <= 1 else {
            throw value.failure("config.value", "\(key) must be one character.")
        }
        return value.text
    }
}
