internal import ArgumentParser
internal import CommandComposition
internal import Core
internal import Lakehouse
internal import Projects
internal import SQLLineage
internal import Workflow

struct LineageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lineage",
        abstract: "Show which source columns features depend on, and when those are known.",
        discussion: """
            Reads the SQL, not the data. Exit code 1 when a feature depends on data that is not known at the time of \
            prediction; `martlet run` does not train then.
            """,
        examples: [
            "martlet lineage",
            "martlet lineage --model readmission",
            "martlet lineage gold.encounters.readmitted_early",
        ])

    @Argument(help: ArgumentHelp("A feature, or layer.table.column (default: all features).", valueName: "column"))
    var column: String?

    @Option(help: "Only features of this model.") var model: String?
    @OptionGroup var place: ProjectOptions
    @OptionGroup var format: JSONOption

    struct Page: Encodable {
        struct Source: Encodable {
            var column: String
            var known: String
            var path: [Step]
            var leak: Leak.Code?
        }

        struct Step: Encodable {
            var name: String
            var file: String?
            var line: Int?
        }

        var model: String?
        var table: String
        var column: String
        var sources: [Source]
    }

    func run() throws {
        let composition = try place.composition()
        var leaks: [Leak] = []
        let (pages, folder) = try reading(composition) { workspace in
            let planned = try workspace.plannedTransforms()
            let lineage = try workspace.lineage(planned)
            var pages: [Page] = []
            if let column, let (table, name) = tableColumn(column, lineage) {
                guard
                    let found = lineage.relation(table)?.columns.first(where: {
                        $0.name.lowercased() == name.lowercased()
                    })
                else { throw unknown(column, lineage.relation(table)?.columns.map { "\(table).\($0.name)" } ?? []) }
                pages = [page(nil, table, found.name, found.value.dependencies, nil, workspace.project.folder)]
            } else {
                let models = try model.map { [try workspace.project.model($0)] } ?? workspace.project.models
                for model in models {
                    guard let check = workspace.leakCheck(model, lineage) else { continue }
                    leaks += check.leaks()
                    for feature in check.features() where column == nil || feature.name == column {
                        pages.append(
                            page(
                                model.name, model.table, feature.name, feature.dependencies, check,
                                workspace.project.folder))
                    }
                }
                if pages.isEmpty, let column {
                    throw unknown(
                        column, models.flatMap { workspace.leakCheck($0, lineage)?.features().map(\.name) ?? [] })
                }
            }
            // SQL that does not fit the tables is told as that, not as a leak.
            if !leaks.isEmpty { _ = try workspace.shapes(of: planned) }
            return (pages, workspace.project.folder)
        }
        if format.json { try Output.json(pages) } else { show(pages) }
        if let column { leaks.removeAll { $0.feature != column } }
        if let error = leaks.error(in: folder) { throw error }
    }

    /// Only files are read, so a project that was never run will do.
    private func reading<T>(_ composition: Composition, _ body: (Workspace) throws -> T) throws -> T {
        try composition.withTemporaryRegistry(body)
    }

    private func tableColumn(_ text: String, _ lineage: ProjectLineage) -> (TableName, String)? {
        let parts = text.split(separator: ".", maxSplits: 2).map(String.init)
        guard parts.count == 3, let table = TableName("\(parts[0]).\(parts[1])"), lineage.relation(table) != nil else {
            return nil
        }
        return (table, parts[2])
    }

    private func unknown(_ column: String, _ names: [String]) -> MartletError {
        MartletError(
            .missing, "lineage.no-column", "There is no feature or column \(column).",
            remedy: Spelling.nearest(to: column, among: names).map { "Did you mean \($0)?" }
                ?? "Name a feature, or a column as layer.table.column.")
    }

    private func page(
        _ model: String?, _ table: TableName, _ name: String, _ dependencies: [Dependency], _ check: LeakCheck?,
        _ folder: String
    ) -> Page {
        var seen: Set<String> = []
        let sources = dependencies.sorted { $0.origin < $1.origin }.compactMap { dependency -> Page.Source? in
            guard dependency.origin.column != nil else { return nil }
            let leak = check.flatMap { $0.isKnown(dependency) ? nil : $0.code(of: dependency) }
            guard seen.insert("\(dependency.origin) \(leak?.rawValue ?? "")").inserted else { return nil }
            return Page.Source(
                column: "\(dependency.origin)", known: dependency.availability.sentence,
                path: dependency.trail.map { step in
                    let file = step.file.map {
                        $0.hasPrefix(folder + "/") ? String($0.dropFirst(folder.count + 1)) : $0
                    }
                    return Page.Step(name: step.name, file: file, line: step.line)
                }, leak: leak)
        }
        return Page(model: model, table: "\(table)", column: name, sources: sources)
    }

    private func show(_ pages: [Page]) {
        if column == nil {
            var grid = TextGrid("model", "feature", "comes from")
            for page in pages {
                let names = page.sources.map { $0.column + ($0.leak == nil ? "" : " ✗") }
                let more = names.count > 6 ? " and \(names.count - 6) more" : ""
                grid.rows.append([page.model ?? "", page.column, names.prefix(6).joined(separator: ", ") + more])
            }
            return Output.print(pages.isEmpty ? "No features." : grid.text)
        }
        for page in pages {
            Output.print("\(page.table).\(page.column)" + (page.model.map { ", a feature of model \($0)" } ?? ""))
            for source in page.sources {
                let path = source.path.map { step in
                    step.name + (step.file.map { " (\($0)\(step.line.map { ", line \($0)" } ?? ""))" } ?? "")
                }
                Output.print(
                    "  \(source.leak == nil ? "✓" : "✗") \(([source.column] + path.reversed()).joined(separator: " → ")); \(source.known)"
                )
            }
            if page.sources.isEmpty { Output.print("  no column of any source") }
        }
    }
}
