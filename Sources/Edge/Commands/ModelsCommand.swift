internal import ArgumentParser
internal import CommandComposition
internal import Core
internal import Projects
internal import Registry
internal import Workflow

struct ModelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models",
        abstract: "Inspect registered models, and approve, promote or roll back versions.",
        discussion: "A version is named NAME@NUMBER, NAME@champion or NAME@candidate.",
        examples: [
            "martlet models list",
            "martlet models show readmission",
            #"martlet models promote readmission@3 --reason "better calibrated""#,
        ],
        subcommands: [
            List.self, Show.self, Card.self, Approve.self, Reject.self, Promote.self, Rollback.self, History.self,
        ])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List the models.",
            examples: ["martlet models list --json"])
        @OptionGroup var place: ProjectOptions
        @OptionGroup var format: JSONOption

        func run() throws {
            let models = try place.composition().withRegistry { try $0.models.list() }
            if format.json { return try Output.json(models) }
            var grid = TextGrid("model", "versions", "champion", "candidate", "pending", "created (UTC)")
            for model in models {
                grid.rows.append([
                    model.model + (model.synthetic ? " (synthetic)" : ""), "\(model.versions)",
                    model.champion.map { "@\($0)" } ?? "–",
                    model.candidate.map { "@\($0)" } ?? "–", model.pending.map { "@\($0)" }.joined(separator: " "),
                    model.created.minute,
                ])
            }
            Output.print(models.isEmpty ? "No models registered yet." : grid.text)
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Show a version: metrics, gates, approval, lineage.",
            examples: ["martlet models show readmission", "martlet models show readmission@3 --json"])
        @Argument(help: "NAME, NAME@ALIAS or NAME@NUMBER.") var model: String
        @OptionGroup var place: ProjectOptions
        @OptionGroup var format: JSONOption

        func run() throws {
            let version = try place.composition().withRegistry { try $0.models.show(try reference(model)) }
            if format.json { return try Output.json(version) }
            let summary = version.summary
            let aliases = summary.aliases.map { "@\($0.rawValue)" }.joined(separator: " ")
            Output.print(
                "\(summary.model)@\(summary.version)  \(aliases)\(summary.synthetic ? "  synthetic data" : "")")
            Output.print(
                "approval \(summary.approval.state.rawValue), created \(summary.created.minute) UTC by \(summary.actor), model \(summary.modelHash.short)"
            )
            RunPages.metrics(version.run.metrics)
            for gate in version.run.gates { Output.print("\(gate.passed ? "✓" : "✗") gate \(gate.sentence(number))") }
            RunPages.lineage(version.run.lineage)
        }
    }

    struct Card: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "card",
            abstract: "Print a version's model card in Markdown.",
            examples: ["martlet models card readmission@champion"])
        @Argument(help: "NAME, NAME@ALIAS or NAME@NUMBER.") var model: String
        @OptionGroup var place: ProjectOptions

        func run() throws {
            try place.composition().withReadingWorkspace { workspace in
                let reference = try reference(model)
                Output.raw(try workspace.card(reference).markdown, to: 1)
            }
        }
    }

    struct Approve: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "approve",
            abstract: "Approve a pending version.",
            examples: [#"martlet models approve readmission@3 --reason "reviewed by the board""#])
        @Argument(help: "NAME@NUMBER.") var model: String
        @Option(help: "The reason, recorded in the history.") var reason: String?
        @OptionGroup var place: ProjectOptions
        @OptionGroup var format: JSONOption

        func run() throws {
            let version = try place.composition().withSharedRegistry {
                try $0.models.approve(try ModelReference(parsing: model), reason: reason)
            }
            try tell(version, "Approved", json: format.json)
        }
    }

    struct Reject: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "reject",
            abstract: "Reject a pending version for good.",
            examples: [#"martlet models reject readmission@3 --reason "poor calibration""#])
        @Argument(help: "NAME@NUMBER.") var model: String
        @Option(help: "The reason, recorded in the history.") var reason: String
        @OptionGroup var place: ProjectOptions
        @OptionGroup var format: JSONOption

        func run() throws {
            let version = try place.composition().withSharedRegistry {
                try $0.models.reject(try ModelReference(parsing: model), reason: reason)
            }
            try tell(version, "Rejected", json: format.json)
        }
    }

    struct Promote: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "promote",
            abstract: "Make a version the champion.",
            examples: [
                "martlet models promote readmission@candidate",
                #"martlet models promote readmission@3 --reason "better calibrated""#,
            ])
        @Argument(help: "NAME@NUMBER or NAME@candidate.") var model: String
        @Option(help: "The reason, recorded in the history.") var reason: String?
        @OptionGroup var place: ProjectOptions
        @OptionGroup var format: JSONOption

        func run() throws {
            let move = try place.composition().withSharedRegistry {
                try $0.models.promote(try ModelReference(parsing: model), reason: reason)
            }
            try ModelsCommand.report(move, json: format.json)
        }
    }

    struct Rollback: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rollback",
            abstract: "Make the previous champion the champion again.",
            examples: [#"martlet models rollback readmission --reason "too many alerts""#])
        @Argument(help: "The model's name.") var model: String
        @Option(help: "The reason, recorded in the history.") var reason: String?
        @OptionGroup var place: ProjectOptions
        @OptionGroup var format: JSONOption

        func run() throws {
            let move = try place.composition().withSharedRegistry { try $0.models.rollback(model, reason: reason) }
            try ModelsCommand.report(move, json: format.json)
        }
    }

    struct History: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "history",
            abstract: "Show a model's alias moves and decisions with person, time and reason.",
            examples: [
                "martlet models history readmission",
                "martlet models history readmission --at 2026-01-31T08:15",
            ])
        @Argument(help: "The model's name.") var model: String
        @Option(help: ArgumentHelp("Show the champion at this time, e.g. 2026-01-31T08:15 (UTC).", valueName: "time"))
        var at: String?
        @OptionGroup var place: ProjectOptions
        @OptionGroup var format: JSONOption

        func run() throws {
            let instant = try at.map { try moment($0, "--at") }
            let history = try place.composition().withRegistry { try $0.models.history(model, at: instant) }
            if format.json { return try Output.json(history) }
            if let instant { Output.print(standing(history, at: instant) + "\n") }
            var grid = TextGrid("when (UTC)", "event", "version", "alias", "by", "reason")
            for event in history.events {
                grid.rows.append([
                    event.at.minute, event.event.rawValue, "@\(event.version)",
                    event.alias.map { "@\($0.rawValue)" } ?? "",
                    event.actor, event.reason ?? "",
                ])
            }
            Output.print(history.events.isEmpty ? "Nothing had happened yet." : grid.text)
        }

        private func standing(_ history: ModelHistory, at instant: Timestamp) -> String {
            guard let champion = history.champion else { return "At \(instant) \(model) had no champion." }
            var text = "At \(instant) \(model)@\(champion.version) was champion, since \(champion.since), "
            text += "by \(champion.cause.rawValue) of \(champion.actor)"
            if let who = champion.approvedBy, let when = champion.approvedAt {
                text += "; approved by \(who) at \(when)"
            }
            return text + "."
        }
    }

    fileprivate static func report(_ move: ChampionMove, json: Bool) throws {
        if json { return try Output.json(move) }
        Output.print(
            move.moved
                ? "\(move.model)@\(move.to) is the champion\(move.from.map { ", in place of @\($0)" } ?? "")."
                : "\(move.model)@\(move.to) was the champion already.")
    }
}

private func reference(_ text: String) throws -> ModelReference {
    let parsed = try ModelReference(parsing: text)
    return parsed.selector == nil ? ModelReference(model: parsed.model, selector: .alias(.champion)) : parsed
}

private func tell(_ version: VersionSummary, _ verb: String, json: Bool) throws {
    if json { return try Output.json(version) }
    let aliases = version.aliases.map { "@\($0.rawValue)" }.joined(separator: " ")
    Output.print("\(verb) \(version.model)@\(version.version)\(aliases.isEmpty ? "" : ", now \(aliases)").")
}
