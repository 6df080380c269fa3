import Core
import Testing

@Suite struct `What help says` {
    @Test func `each command has examples of subcommands and options that exist`() throws {
        let place = try Sandbox()
        let root = try #require(try place.martlet("--experimental-dump-help").json()["command"])
        // `martlet serve` hands its arguments to a program of its own, which knows the options.
        let serve = try #require(try place.martlet("serve", "--experimental-dump-help").json()["command"])
        var count = 0
        func check(_ command: JSONValue, _ path: [String]) {
            guard command["shouldDisplay"]?.flag != false else { return }
            let children = Self.children(of: command)
            for child in children { check(child, path + [child["commandName"]?.text ?? ""]) }
            let name = path.joined(separator: " ")
            let lines = (command["discussion"]?.text ?? "").split(separator: "\n", omittingEmptySubsequences: false)
            let examples = lines.drop { $0 != "Examples:" }.dropFirst()
            #expect(!examples.isEmpty, "`\(name)` has no example")
            count += examples.count
            for line in examples {
                // A group may point to other commands.
                let start = children.isEmpty ? name : "martlet"
                #expect(line.hasPrefix("  \(start)"), "`\(line)` is no example of `\(name)`")
                #expect(line.count <= 80, "`\(line)` is broken on a narrow terminal")
                if let fault = Self.fault(Self.words(line), in: root, serve) {
                    Issue.record("`\(line)` of `\(name) --help`: \(fault)")
                }
            }
        }
        check(root, ["martlet"])
        #expect(count > 60)
        let own = (serve["discussion"]?.text ?? "").split(separator: "\n").drop { $0 != "Examples:" }.dropFirst()
        #expect(!own.isEmpty)
        for line in own {
            if let fault = Self.fault(Self.words(line), in: root, serve) { Issue.record("`\(line)`: \(fault)") }
        }
    }

    @Test(arguments: [
        "martlet fly", "martlet lake", "martlet lake sql", "martlet run --fast", "martlet run here",
        "martlet verify", "martlet lake history gold.visits gold.stays", "martlet run --from", "martlet serve --fast",
    ])
    func `a wrong example is noticed`(line: String) throws {
        let place = try Sandbox()
        let root = try #require(try place.martlet("--experimental-dump-help").json()["command"])
        let serve = try #require(try place.martlet("serve", "--experimental-dump-help").json()["command"])
        #expect(Self.fault(Self.words(line), in: root, serve) != nil)
    }

    private static func children(of command: JSONValue) -> [JSONValue] {
        (command["subcommands"]?.list ?? []).filter { $0["commandName"]?.text != "help" }
    }

    /// Splits a command line at blanks outside of double quotes.
    private static func words(_ line: some StringProtocol) -> [String] {
        var words: [String] = []
        var word: String?
        var isQuoted = false
        for character in line {
            switch character {
            case "\"":
                isQuoted.toggle()
                word = word ?? ""
            case " " where !isQuoted:
                if let whole = word { words.append(whole) }
                word = nil
            default: word = (word ?? "") + String(character)
            }
        }
        return words + (word.map { [$0] } ?? [])
    }

    /// Returns what the described commands do not take of a command line; `nil` when they take all of it.
    private static func fault(_ words: [String], in root: JSONValue, _ serve: JSONValue) -> String? {
        guard words.first == "martlet" else { return "it does not begin with martlet" }
        var command = root
        var rest = Array(words.dropFirst())
        while case let children = children(of: command), !children.isEmpty {
            let name = rest.first ?? ""
            if let child = children.first(where: { $0["commandName"]?.text == name }) {
                rest.removeFirst()
                command = name == "serve" ? serve : child
            } else if let usual = command["defaultSubcommand"]?.text,
                let child = children.first(where: { $0["commandName"]?.text == usual })
            {
                command = child
            } else {
                return "there is no subcommand \(name)"
            }
        }
        let arguments = command["arguments"]?.list ?? []
        var positionals = 0
        var given: Set<String> = []
        while !rest.isEmpty {
            let word = rest.removeFirst()
            guard word.hasPrefix("-"), word != "-" else {
                positionals += 1
                continue
            }
            let name = String(word.drop { $0 == "-" })
            let option = arguments.first { argument in
                argument["kind"]?.text != "positional"
                    && argument["names"]?.list?.contains { $0["name"]?.text == name } == true
            }
            guard let option else { return "there is no option \(word)" }
            given.insert(option["preferredName"]?["name"]?.text ?? name)
            if option["kind"]?.text == "option" {
                guard !rest.isEmpty else { return "\(word) has no value" }
                let value = rest.removeFirst()
                if let all = option["allValues"]?.list, !all.contains(.text(value)) { return "\(value) is no \(name)" }
            }
        }
        let places = arguments.filter { $0["kind"]?.text == "positional" }
        let least = places.count { $0["isOptional"]?.flag != true }
        if positionals < least { return "it lacks an argument" }
        if positionals > places.count, !places.contains(where: { $0["isRepeating"]?.flag == true }) {
            return "it has too many arguments"
        }
        for option in arguments where option["kind"]?.text == "option" && option["isOptional"]?.flag != true {
            let name = option["preferredName"]?["name"]?.text ?? ""
            if !given.contains(name) { return "it lacks --\(name)" }
        }
        return nil
    }
}
