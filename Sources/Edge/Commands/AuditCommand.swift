internal import ArgumentParser
internal import CommandComposition
internal import Core
internal import Identity

struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "List recorded changes: who changed what, when, and in which request.",
        examples: ["martlet audit", "martlet audit list --actor user:ada"],
        subcommands: [List.self],
        defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List changes, oldest first.",
            discussion: """
                The audit log is append-only. Actors: user:NAME, token:NAME, or local:ACCOUNT for the command line. \
                Each project keeps its own changes; with several --project the changes of all are listed by time.
                """,
            examples: [
                "martlet audit list --actor user:ada --since 2026-01-31",
                "martlet audit list --project hospital --project lab --json",
            ])
        @Option(help: ArgumentHelp("Only changes by this actor, e.g. user:ada.", valueName: "who")) var actor: String?
        @Option(help: ArgumentHelp("Only this action, or all of its kind: alias.moved, alias.", valueName: "action"))
        var action: String?
        @Option(help: ArgumentHelp("Only this subject and those below it, e.g. tokens/ci.", valueName: "subject"))
        var subject: String?
        @Option(
            help: ArgumentHelp("Only changes at this time or later, e.g. 2026-01-31T08:15 (UTC).", valueName: "time"))
        var since: String?
        @Option(help: ArgumentHelp("Only changes before this time.", valueName: "time")) var until: String?
        @Option(help: ArgumentHelp("Only changes after this position.", valueName: "position")) var after: Int?
        @Option(
            help: ArgumentHelp(
                "Largest number: with --after or --since of the first, else of the newest changes (default: all with --json, else 50).",
                valueName: "n"))
        var limit: Int?
        @Option(
            name: .customLong("project"),
            help: ArgumentHelp(
                "A project's folder (default: the nearest upwards with a martlet.yaml); may be repeated.",
                valueName: "dir"))
        var projects: [String] = []
        @Option(
            help: ArgumentHelp(
                "The folder of the only project's state (default: <project>/.martlet, or MARTLET_HOME).",
                valueName: "dir"))
        var home: String?
        @OptionGroup var format: JSONLinesOption

        func validate() throws {
            guard projects.count > 1 else { return }
            if home != nil { throw ValidationError("--home is of one project; there are \(projects.count).") }
            if after != nil {
                throw ValidationError("Each project counts its own positions; use --since, not --after.")
            }
        }

        func run() throws {
            let query = AuditQuery(
                actor: actor, action: action, subject: subject, since: try since.map { try moment($0, "--since") },
                until: try until.map { try moment($0, "--until") }, after: max(0, after ?? 0),
                limit: max(0, limit ?? (format.json ? .max : 50)))
            let places = projects.isEmpty ? [nil] : projects.map { Optional($0) }
            let audit = try Composition.audit(
                of: places.map { try ProjectOptions.composition(project: $0, home: home) })
            let entries = after == nil && since == nil ? try audit.newest(query) : try audit.list(query).entries
            Output.cut(shown: entries.count, of: try audit.count(query), "changes")
            if format.json { return Output.raw(try entries.map { try JSON.text($0) + "\n" }.joined(), to: 1) }
            var grid = TextGrid("position", "when (UTC)", "who", "action", "project", "subject", "before", "after")
            for entry in entries {
                grid.rows.append([
                    "\(entry.position)", entry.at.second, entry.actor, entry.action, entry.project ?? "", entry.subject,
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
