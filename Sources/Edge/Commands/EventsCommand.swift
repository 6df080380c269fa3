internal import ArgumentParser
internal import CommandComposition
internal import Composition
internal import Core
internal import Registry
internal import Workflow

struct EventsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "List and follow events: table versions, runs, gates, approvals, aliases, jobs.",
        discussion: "Every event is a CloudEvents 1.0 record with a position: 1, 2, … in the order of recording.",
        examples: ["martlet events list", "martlet events follow --type run --json"],
        subcommands: [List.self, Follow.self, Replay.self, Consumers.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List events, oldest first.",
            examples: [
                "martlet events list --type run.finished --limit 5",
                "martlet events list --since 2026-01-31T08:15 --json",
            ])
        @OptionGroup var choice: EventTypeOptions
        @Option(
            help: ArgumentHelp("Only events at this time or later, e.g. 2026-01-31T08:15 (UTC).", valueName: "time"))
        var since: String?
        @Option(help: ArgumentHelp("Only events after this position.", valueName: "position")) var after: Int?
        @Option(
            help: ArgumentHelp(
                "Largest number: with --after or --since of the first, else of the newest events (default: all with --json, else 50).",
                valueName: "n"))
        var limit: Int?
        @OptionGroup var place: ProjectOptions
        @OptionGroup var format: JSONLinesOption

        func run() throws {
            let query = EventQuery(
                types: try choice.types(), since: try since.map { try moment($0, "--since") },
                after: max(0, after ?? 0),
                limit: max(0, limit ?? (format.json ? .max : 50)))
            let (events, count) = try place.composition().withRegistry { registry in
                (
                    after == nil && since == nil
                        ? try registry.events.newest(query) : try registry.events.list(query),
                    try registry.events.count(query)
                )
            }
            Output.cut(shown: events.count, of: count, "events")
            if format.json {
                return Output.raw(try events.map { try JSON.text($0) + "\n" }.joined(), to: 1)
            }
            var grid = TextGrid("position", "when (UTC)", "type", "subject", "what")
            for event in events { grid.rows.append(EventLine.cells(event)) }
            Output.print(events.isEmpty ? "No events." : grid.text)
        }
    }

    struct Follow: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "follow",
            abstract: "Print events as they are recorded, by any process.",
            discussion: """
                Starts with the next event; with --after, after a position; with --consumer, at that consumer's \
                position. A consumer's position is stored after its events were printed, so that each is delivered at \
                least once; a new consumer starts with the first event. Stops on an interrupt.
                """,
            examples: ["martlet events follow", "martlet events follow --consumer mirror --json"])
        @OptionGroup var choice: EventTypeOptions
        @Option(help: ArgumentHelp("Start after this position; 0 is the beginning.", valueName: "position"))
        var after: Int?
        @Option(help: ArgumentHelp("Store the position under this consumer name.", valueName: "name")) var consumer:
            String?
        @Option(help: ArgumentHelp("Stop after this number of events.", valueName: "n")) var limit: Int?
        @OptionGroup var place: ProjectOptions
        @OptionGroup var format: JSONLinesOption

        func validate() throws {
            if let after, after < 0 { throw ValidationError("--after must be 0 or more; \(after) is not.") }
            if let limit, limit < 1 { throw ValidationError("--limit must be 1 or more; \(limit) is not.") }
        }

        func run() throws {
            let types = try choice.types()
            TerminationSignal.begin()
            try place.composition().withSharedRegistry { registry in
                if let consumer { return try follow(registry.events, as: consumer, types) }
                var position = try after ?? registry.events.head()
                var left = limit ?? .max
                repeat {
                    while left > 0 {
                        let events = try registry.events.list(
                            EventQuery(types: types, after: position, limit: min(left, 500)))
                        guard let last = events.last else { break }
                        guard try print(events) else { return }
                        position = last.position
                        left -= events.count
                    }
                } while left > 0 && TerminationSignal.wait(milliseconds: 400)
            }
        }

        /// The consumer moves over all events, of whatever type, and only after those to print are out.
        private func follow(_ store: EventStore, as name: String, _ types: [EventType]) throws {
            try store.consumer(name, startingAfter: after ?? 0)
            var left = limit ?? .max
            repeat {
                while left > 0 {
                    let position = try store.consumer(name).position
                    let events = try store.list(EventQuery(after: position, limit: 500))
                    let wanted = events.filter { event in types.isEmpty || types.contains { $0.rawValue == event.type }
                    }
                    let chosen = wanted.prefix(left)
                    let end = chosen.count < wanted.count || chosen.count == left ? chosen.last : events.last
                    guard let end else { break }
                    guard try print(Array(chosen)) else { return }
                    // Somebody who set the consumer back meanwhile wins.
                    try store.advance(name, from: position, to: end.position)
                    left -= chosen.count
                }
            } while left > 0 && TerminationSignal.wait(milliseconds: 400)
        }

        /// `false` when nobody reads any more.
        private func print(_ events: [Event]) throws -> Bool {
            let lines = try events.map { event in
                (format.json ? try JSON.text(event) : EventLine.cells(event).joined(separator: "  ")) + "\n"
            }
            return Output.deliver(lines.joined()) && !TerminationSignal.isOver
        }
    }

    struct Replay: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "replay",
            abstract: "Move a consumer back, so that events are delivered to it again.",
            discussion: "Effects that are recorded as done for the consumer are not repeated.",
            examples: [
                "martlet events replay --consumer mirror --from 120",
                "martlet events replay --consumer mirror --from 2026-01-31T08:15",
            ])
        @Option(help: ArgumentHelp("The consumer.", valueName: "name")) var consumer: String
        @Option(
            help: ArgumentHelp("The position, or the time, of the first event to deliver again.", valueName: "from"))
        var from: String
        @OptionGroup var place: ProjectOptions
        @OptionGroup var format: JSONOption

        func run() throws {
            let replay = try place.composition().withSharedRegistry { registry in
                try registry.events.replay(consumer, from: try position(registry.events))
            }
            if format.json { return try Output.json(replay) }
            Output.print(
                replay.again == 0
                    ? "\(replay.consumer) stands at \(replay.was); nothing is delivered again."
                    : "\(replay.consumer) was at \(replay.was): positions \(replay.next) to \(replay.was) will be delivered again."
            )
        }

        private func position(_ events: EventStore) throws -> Int {
            if let number = Int(from) { return number }
            let instant = try moment(from, "--from")
            // Nothing has happened since: the end.
            return try events.position(since: instant) ?? events.head() + 1
        }
    }

    struct Consumers: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "consumers",
            abstract: "List the consumers of events and their positions.",
            examples: ["martlet events consumers"])
        @OptionGroup var place: ProjectOptions
        @OptionGroup var format: JSONOption

        func run() throws {
            let consumers = try place.composition().withRegistry { try $0.events.consumers() }
            if format.json { return try Output.json(consumers) }
            var grid = TextGrid("consumer", "position", "behind", "moved (UTC)", "since (UTC)")
            for consumer in consumers {
                grid.rows.append([
                    consumer.name, "\(consumer.position)", "\(consumer.behind)", consumer.moved.minute,
                    consumer.created.minute,
                ])
            }
            Output.print(consumers.isEmpty ? "No consumers." : grid.text)
        }
    }
}

struct EventTypeOptions: ParsableArguments {
    @Option(
        name: .customLong("type"),
        help: ArgumentHelp(
            "Only these types: run.finished, or run for all about runs; may be repeated.", valueName: "type"))
    var names: [String] = []

    func types() throws -> [EventType] { try names.flatMap { try EventType.named($0) } }
}

struct JSONLinesOption: ParsableArguments {
    @Flag(help: "Print one JSON object a line (its shape is in docs/events.md) instead of a table.")
    var json = false
}

/// Formats an event as a line for people.
enum EventLine {
    static func cells(_ event: Event) -> [String] {
        let type = EventType(rawValue: event.type)?.short ?? event.type
        return ["\(event.position)", String(event.time.description.prefix(19)), type, event.subject, what(event.data)]
    }

    private static func what(_ data: JSONValue) -> String {
        if let version = data["version"]?.integer, data["table"] != nil {
            let added = data["rows_added"]?.integer.map { ", \($0) rows added" } ?? ""
            return "version \(version), \(data["operation"]?.text ?? "")\(added)"
        }
        if let metric = data["metric"]?.text, let part = data["part"]?.text {
            let sign = data["comparator"]?.text == "at_most" ? "at most" : "at least"
            let end = data["judged"].map { ", upper end \(text($0))" } ?? ""
            return "\(part) \(metric) \(text(data["value"]))\(end), \(sign) \(text(data["bound"]))"
        }
        if let kind = data["kind"]?.text {
            return kind + (data["reason"]?.text.map { ": \($0)" } ?? "")
        }
        if let model = data["model"]?.text {
            if let version = data["version"]?.integer {
                let previous = data["previous"]?.integer.map { " after @\($0)" } ?? ""
                return "\(model)@\(version)\(previous)\(data["reason"]?.text.map { ": \($0)" } ?? "")"
            }
            return model + (data["error"]?.text.map { ": \($0)" } ?? "")
        }
        return ""
    }

    private static func text(_ value: JSONValue?) -> String {
        switch value {
        case .integer(let whole): "\(whole)"
        case .number(let value): number(value)
        default: "undefined"
        }
    }
}
