internal import ArgumentParser
internal import Core

/// Prints errors on stderr: a sentence for people and, with `--json`, a JSON object on the last line.
enum ErrorOutput {
    /// Whether a command line asks for JSON; what stands behind `--` is no option.
    static func isJSON(_ arguments: [String]) -> Bool { arguments.prefix { $0 != "--" }.contains("--json") }

    static func tell(_ error: MartletError, asJSON: Bool) {
        Output.error(error)
        if asJSON, let text = try? JSON.text(Form(error)) { Output.note(text) }
    }

    /// A word in the place of a command that is none; `nil` where there is no such word.
    static func unknownCommand(_ arguments: [String], of root: any ParsableCommand.Type) -> MartletError? {
        var here: any ParsableCommand.Type = root
        var path: [String] = []
        for word in arguments.first == "help" ? arguments.dropFirst() : arguments[...] {
            let configuration = here.configuration
            if configuration.subcommands.isEmpty || configuration.defaultSubcommand != nil || word.hasPrefix("-") {
                return nil
            }
            guard let next = configuration.subcommands.first(where: { $0._commandName == word }) else {
                let known = configuration.subcommands.map { $0._commandName }
                let near = Spelling.nearest(to: word, among: known)
                let place = path.isEmpty ? "martlet" : "martlet " + path.joined(separator: " ")
                return MartletError(
                    .usage, "usage.command", "There is no command '\(word.prefix(80))' of \(place).",
                    remedy: near.map { "Did you mean \($0)?" } ?? "Commands: \(known.joined(separator: ", ")).")
            }
            here = next
            path.append(word)
        }
        return nil
    }

    /// What the argument parser says, in the one form of errors; `nil` where it asks for help or has told it itself.
    static func usage(_ error: any Error, of root: any ParsableCommand.Type) -> MartletError? {
        if error is ExitCode || root.exitCode(for: error) != .validationFailure { return nil }
        return MartletError(
            .usage, "usage.arguments", root.message(for: error), remedy: "The same with --help tells what there is.")
    }

    /// The shape of an error under `--json`.
    private struct Form: Encodable {
        struct Fault: Encodable {
            var code: String
            var kind: String
            var message: String
            var place: Place?
            var remedy: String?
        }

        struct Place: Encodable {
            var file: String?
            var line: Int?
            var column: Int?
            var key: String?
        }

        var error: Fault
        var exitCode: Int32
        var others: [Fault]?

        private enum CodingKeys: String, CodingKey {
            case error, others
            case exitCode = "exit_code"
        }

        init(_ error: MartletError) {
            let faults = error.each.map { each in
                Fault(
                    code: each.code, kind: each.kind.rawValue, message: each.message,
                    place: each.location.map {
                        Place(file: $0.file, line: $0.line, column: $0.column, key: $0.key)
                    }, remedy: each.remedy)
            }
            self.error = faults[0]
            exitCode = error.exitCode
            others = faults.count > 1 ? Array(faults.dropFirst()) : nil
        }
    }
}
