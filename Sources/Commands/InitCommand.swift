internal import ArgumentParser
internal import Vocabulary

struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Write a new project.",
        discussion: "Templates: readmission, downtime, blank. With --data the file is copied into the landing folder.")

    @Argument(help: "The folder to make; its last part is the project's name.")
    var name: String

    @Option(help: "readmission, downtime or blank.")
    var template = "blank"

    @Option(help: ArgumentHelp("A data file to land in the project's source.", valueName: "file"))
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
        guard Disk.list(folder).isEmpty else {
            throw MartletError(
                .conflict, "init.exists", "The folder \(name) is there already and not empty.",
                remedy: "Choose another name, or remove it.")
        }
        if let data, Disk.stamp(data) == nil {
            throw MartletError(.missing, "file.missing", "There is no file \(data).")
        }
        for file in files {
            let path = "\(folder)/\(file.path)"
            try Disk.makeDirectory(Disk.parent(of: path))
            var content = file.content
            if file.path == "martlet.yaml" { content = renamed(content, to: plain) }
            _ = try Disk.createDurably(path, Array(content.utf8))
        }
        // A contract's name is its source's name.
        let source = files.compactMap { Disk.name(of: $0.path).split(separator: ".").first.map(String.init) }[
            files.firstIndex { $0.path.hasPrefix("contracts/") } ?? 0]
        let landing = "\(folder)/landing/\(source)"
        try Disk.makeDirectory(landing)
        _ = try Disk.createDurably("\(folder)/.gitignore", Array(".martlet/\nlanding/\n".utf8))
        if let data { try copy(data, to: "\(landing)/\(Disk.name(of: data))") }
        Output.print("Wrote the project \(plain) in \(name).")
        if data == nil, template != "blank" {
            Output.print(
                """
                Next: land a file in \(name)/landing/\(source)/, or make up rows that look alike:
                  martlet generate \(template) -o \(name)/landing/\(source)/look-alikes.csv
                """)
        }
        Output.print(
            template == "blank"
                ? "Next: edit \(name)/martlet.yaml; `martlet doctor` says what is missing."
                : "Then: cd \(name) && martlet run")
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
        var bytes: [UInt8] = []
        try Disk.scan(from) { piece in
            bytes.append(contentsOf: piece)
            return true
        }
        _ = try Disk.createDurably(to, bytes)
    }
}
