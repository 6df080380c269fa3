internal import ArgumentParser
internal import Composition
internal import Identity
internal import Vocabulary

struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Who changed what, when, and in which request.", subcommands: [List.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List changes, oldest first.",
            discussion: "The audit only grows. Who: user:NAME, token:NAME, or local:ACCOUNT for the command line.")
        @Option(help: ArgumentHelp("Only what this one did, e.g. user:ada.", valueName: "who")) var actor: String?
        @Option(help: ArgumentHelp("Only this subject and what is below it, e.g. tokens/ci.", valueName: "subject"))
        var subject: String?
        @Option(help: ArgumentHelp("Only what comes behind this position.", valueName: "position")) var after: Int?
        @Option(
            help: ArgumentHelp(
                "At most so many: with --after the first, else the newest (default: all with --json, else 50).",
                valueName: "n"))
        var limit: Int?
        @OptionGroup var place: ProjectOptions
        @OptionGroup var format: JSONLinesOption

        func run() throws {
            let query = AuditQuery(
                actor: actor, subject: subject, after: max(0, after ?? 0),
                limit: max(0, limit ?? (format.json ? .max : 50)))
            let entries = try place.composition().withIdentityForReading {
                after == nil ? try $0.newestAudit(query) : try $0.audit(query)
            }
            if format.json { return Output.raw(try entries.map { try JSON.text($0) + "\n" }.joined(), to: 1) }
            var grid = TextGrid("position", "when (UTC)", "who", "action", "subject", "before", "after")
            for entry in entries {
                grid.rows.append([
                    "\(entry.position)", entry.at.second, entry.actor, entry.action, entry.subject,
                    AuditCommand.text(entry.before), AuditCommand.text(entry.after),
                ])
            }
            Output.print(entries.isEmpty ? "No changes." : grid.text)
        }
    }

    private static func text(_ value: JSONValue?) -> String {
        guard let value else { return "" }
        let text = (try? JSON.text(value)) ?? ""
        return text.count > 60 ? text.prefix(59) + "…" : text
    }
}
