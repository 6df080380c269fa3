internal import ArgumentParser
internal import CommandComposition
internal import Core
internal import Lakehouse
internal import Projects
internal import Storage
internal import Workflow

extension QuarantineCommand {
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Show rejected rows with their original cells, violations and decisions.",
            examples: [
                "martlet quarantine show encounters --limit 5",
                "martlet quarantine show encounters --column age --where gender=Female",
            ])
        @Argument(help: "The source.") var source: String
        @OptionGroup var choice: ChoiceOptions
        @Flag(help: "Also show replayed, dropped and superseded ones.") var all = false
        @Flag(help: "Show all cells of each row, not only those around the bad ones.") var full = false
        @Option(help: "Largest number of rows.") var limit = 20
        @OptionGroup var place: ProjectOptions
        @OptionGroup var format: JSONOption

        /// The shape of `--json`.
        private struct Answer: Encodable {
            var files: [RefusedFile]
            var rows: [QuarantinedRow]
        }

        func run() throws {
            let (answer, contract, counts) = try place.composition().withReadingWorkspace { workspace in
                let source = try workspace.quarantineSource(source)
                var meant = choice.choice
                if all { meant.states = Set(QuarantineState.allCases) }
                var files = try workspace.refusedFiles(meant, of: source)
                for index in files.indices.prefix(50) {
                    files[index].drift = try workspace.drift(of: files[index], source)
                }
                return (
                    Answer(
                        files: files,
                        rows: try workspace.quarantinedRows(meant, of: source, limit: max(0, limit))),
                    source.contract, try workspace.lake.countQuarantinedRows(source.name)
                )
            }
            if format.json { return try Output.json(answer) }
            for file in answer.files { show(file) }
            for row in answer.rows { show(row, contract) }
            if answer.files.isEmpty, answer.rows.isEmpty {
                Output.print("Nothing of \(source) is like that\(all ? "" : " and open; --all shows the rest").")
            } else if answer.rows.count == limit, let open = counts[.open], open > limit {
                Output.print("… \(grouped(open)) rows are open in all; --limit shows more, --json all their cells.")
            }
        }

        private func show(_ file: RefusedFile) {
            Output.print("\(file.file) (\(file.digest.prefix(12))), refused whole, \(file.state.rawValue)")
            Output.print("  why    \(file.reason)")
            Output.print("  bytes  \(file.kept ?? "not kept: land the file again")")
            if let kept = file.kept {
                for line in (try? Self.firstLines(of: kept)) ?? [] { Output.print("  |  \(line)") }
            }
            for drift in file.drift {
                Output.print("  drift  \(drift.sentence)")
                if let suggestion = drift.suggestion { Output.print("         → \(suggestion)") }
            }
            for decision in file.history { Output.print("  \(Self.text(decision))") }
            Output.print("")
        }

        private func show(_ row: QuarantinedRow, _ contract: Contract) {
            Output.print("\(row.file):\(row.row)  (\(row.digest.prefix(12)):\(row.row), \(row.state.rawValue))")
            for breach in row.breaches {
                let value = breach.value.map { "\"\($0)\"" } ?? "(missing)"
                Output.print(
                    breach.column.map { "  \($0) is \(value): breaks \(breach.rule)" }
                        ?? "  the line is broken: \(breach.rule.replacing("well-formed line: ", with: ""))")
            }
            if let line = row.line { Output.print("  line   \(line)") }
            if let context = context(row, contract) { Output.print("  cells  \(context)") }
            for decision in row.history { Output.print("  \(Self.text(decision))") }
            Output.print("")
        }

        /// The cells around the bad ones, the bad ones in brackets; all with --full.
        private func context(_ row: QuarantinedRow, _ contract: Contract) -> String? {
            guard let header = row.header, let cells = row.cells else { return nil }
            let bad = Set(row.breaches.flatMap { ($0.column ?? "").split(separator: ", ").map(String.init) })
            let key = Set(contract.key)
            var shown: Set<Int> = full ? Set(header.indices) : []
            var marked: Set<Int> = []
            for column in contract.columns {
                guard let place = header.firstIndex(where: { column.headerNames.contains($0) }) else { continue }
                if bad.contains(column.name) {
                    marked.insert(place)
                    shown.formUnion(max(0, place - 2)...min(header.count - 1, place + 2))
                }
                if key.contains(column.name) { shown.insert(place) }
            }
            var parts: [String] = []
            var last = -1
            for place in shown.sorted() {
                if place > last + 1 { parts.append("…") }
                let cell = "\(header[place])=\(cells.indices.contains(place) ? cells[place] ?? "" : "")"
                parts.append(marked.contains(place) ? "[\(cell)]" : cell)
                last = place
            }
            if last < header.count - 1 { parts.append("…") }
            return parts.joined(separator: "  ")
        }

        private static func text(_ one: QuarantineDecision) -> String {
            let what =
                switch one.action {
                case "fix":
                    "\(one.column ?? ""): \(one.oldValue.map { "\"\($0)\"" } ?? "missing") → \(one.newValue.flatMap { $0.isEmpty ? nil : "\"\($0)\"" } ?? "missing")"
                default: ""
                }
            let verb =
                ["fix": "fixed", "drop": "dropped", "reopen": "reopened", "replay": "replayed"][one.action]
                ?? one.action
            let when = one.at.prefix(16).replacing("T", with: " ")
            return
                "\(verb)\(what.isEmpty ? "" : " \(what)") by \(one.actor), \(when)\(one.reason.map { ": \($0)" } ?? "")"
        }

        private static func firstLines(of path: String) throws -> [String] {
            var head: [UInt8] = []
            try Disk.scan(path) { piece in
                head += piece.prefix(4096)
                return false
            }
            return head.split(separator: 10, maxSplits: 3, omittingEmptySubsequences: false).prefix(3).map {
                String(String(decoding: $0, as: UTF8.self).prefix(160))
            }
        }
    }
}
