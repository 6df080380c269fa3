internal import ArgumentParser
internal import Core
internal import Storage

struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Create a new project from a template.",
        discussion: """
            Templates: lab-delay, readmission, downtime, blank. With --data the file is copied into the landing \
            folder; for a template with several sources --data is a folder with one subfolder of files for each, as \
            `martlet generate` writes it.
            """,
        examples: [
            "martlet init hospital --template readmission",
            "martlet init hospital --template readmission --data diabetic_data.csv",
        ])

    @Argument(help: "The folder to create; its last component is the project's name.")
    var name: String

    @Option(help: "lab-delay, readmission, downtime or blank.")
    var template = "blank"

    @Option(help: ArgumentHelp("A data file to copy into the project's landing folder.", valueName: "path"))
    var data: String?

    func run() throws {
        let files = Templates.files.filter { $0.template == template }
        guard !files.isEmpty else {
            let known = Set(Templates.files.map(\.template)).sorted()
            let near = Spelling.nearest(to: template, among: known)
            throw MartletError(
                .usage, "init.template", "There is no template \(template).",
                remedy: near.map { "Did you mean \($0)?" } ?? "Templates: \(known.joined(separator: ", ")).")
        }
        let folder = Disk.absolute(name)
        let plain = Disk.name(of: folder)
        guard plain.first?.isLetter == true,
            plain.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "_-".contains($0)) })
        else {
            throw MartletError(
                .usage, "init.name", "\(plain) is not a usable project name.",
                remedy: "Use letters, digits, - and _, beginning with a letter.")
        }
        guard try Disk.list(folder).isEmpty else {
            throw MartletError(
                .conflict, "init.exists", "The folder \(name) is there already and not empty.",
                remedy: "Choose another name, or remove it.")
        }
        // A contract's name is its source's name.
        let sources = files.filter { $0.path.hasPrefix("contracts/") }
            .map { String(Disk.name(of: $0.path).dropLast(".yaml".count)) }
        let landed = try data.map { try landing(of: $0, sources) } ?? []
        for file in files {
            let path = "\(folder)/\(file.path)"
            try Disk.makeDirectory(Disk.parent(of: path))
            var content = file.content
            if file.path == "martlet.yaml" { content = renamed(content, to: plain) }
            _ = try Disk.createDurably(path, Array(content.utf8))
        }
        for source in sources { try Disk.makeDirectory("\(folder)/landing/\(source)") }
        _ = try Disk.createDurably("\(folder)/.gitignore", Array(".martlet/\nlanding/\n".utf8))
        for file in landed {
            try copy(file.path, to: "\(folder)/landing/\(file.source)/\(Disk.name(of: file.path))")
        }
        Output.print("Wrote the project \(plain) in \(name).")
        if data == nil, template != "blank" {
            let target = sources.count == 1 ? "\(name)/landing/\(sources[0])/" : "\(name)/landing"
            Output.print(
                """
                Next: land files in \(sources.map { "\(name)/landing/\($0)/" }.joined(separator: ", ")),
                or make up rows that look alike:
                  martlet generate \(template) -o \(target)\(sources.count == 1 ? "look-alikes.csv" : "")
                """)
        }
        Output.print(
            template == "blank"
                ? "Next: edit \(name)/martlet.yaml; `martlet doctor` says what is missing."
                : "Then: cd \(name) && martlet run")
    }

    /// The files to land, and the source of each: one file for a single source, or a folder with one for each source.
    private func landing(of data: String, _ sources: [String]) throws -> [(path: String, source: String)] {
        if let source = sources.first, sources.count == 1, Disk.stamp(data) != nil { return [(data, source)] }
        guard Disk.exists(data) else {
            throw MartletError(.missing, "file.missing", "There is no file or folder \(data).")
        }
        let files = try sources.flatMap { source in
            try Disk.list("\(data)/\(source)").filter { !$0.hasPrefix(".") }.map { ("\(data)/\(source)/\($0)", source) }
        }
        guard !files.isEmpty else {
            throw MartletError(
                .usage, "init.data", "\(data) has no files for \(sources.joined(separator: ", ")).",
                remedy: "A template of several sources takes a folder with a folder of files for each.")
        }
        return files
    }

    /// The template with the project's own name in its first `name:`.
    private func renamed(_ yaml: String, to name: String) -> String {
        var done = false
        return yaml.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            guard !done, line.hasPrefix("name:") else { return String(line) }
            done = true
            return "name: \(name)"
        }.joined(separator: "\n")
    }

    private func copy(_ from: String, to: String) throws {
        _ = try Disk.createDurably(to) { write in
            try Disk.scan(from) { piece in
                try write(Array(piece))
                return true
            }
        }
    }
}
