internal import ArgumentParser
internal import CommandComposition
internal import Core
internal import Identity

struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Who changed what, when, and in which request.", subcommands: [List.self],
        defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List changes, oldest first.",
            discussion: """
                The audit only grows. Who: user:NAME, token:NAME, or local:ACCOUNT for the command line. Each project keeps \
                what was done to it; --project may come several times, for all projects of a server by time.
                """)
        @Option(help: ArgumentHelp("Only what this one did, e.g. user:ada.", valueName: "who")) var actor: String?
        @Option(help: ArgumentHelp("Only this action, or all of its kind: alias.moved, alias.", valueName: "action"))
        var action: String?
        @Option(help: ArgumentHelp("Only this subject and what is below it, e.g. tokens/ci.", valueName: "subject"))
        var subject: String?
        @Option(help: ArgumentHelp("Only what happened then or later, e.g. 2026-01-31T08:15 (UTC).", valueName: "time"))
        var since: String?
        @Option(help: ArgumentHelp("Only what happened before.", valueName: "time")) var until: String?
        @Option(help: ArgumentHelp("Only what comes behind this position.", valueName: "position")) var after: Int?
        @Option(
            help: ArgumentHelp(
                "At most so many: with --after or --since the first, else the newest (default: all with --json, else 50).",
                valueName: "n"))
        var limit: Int?
        @Option(
            name: .customLong("project"),
            help: ArgumentHelp(
                "A project's folder (default: the nearest upwards with a martlet.yaml); may come several times.",
                valueName: "dir"))
        var projects: [String] = []
        @Option(
            help: ArgumentHelp(
                "Where the only project keeps its state (default: <project>/.martlet, or MARTLET_HOME).",
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
