package import Core

/// Checks whether each feature of a model's table could be computed at the time of prediction.
///
/// ```swift
/// guard let check = LeakCheck(lineage, model) else { return }
/// for leak in check.leaks() { print(leak.sentence(in: folder)) }
/// ```
package struct LeakCheck {
    /// The properties of a model that the check needs.
    package struct Model {
        /// Name of the model as in the project file, for messages.
        package var name: String
        /// Table with the model's training rows; their features are what is checked.
        package var table: TableName
        /// Column of the label.
        package var target: String
        /// Column with the time of prediction.
        package var eventTime: String?
        /// Column that identifies a row of the table; the check itself does not read it. `nil` when unknown.
        package var key: String?
        /// Columns that are not features.
        package var others: Set<String>
        /// The columns that are features; `nil`: all but `others` and those that begin with `_`.
        package var include: [String]?

        package init(
            name: String, table: TableName, target: String, eventTime: String?, key: String? = nil, others: [String],
            include: [String]?
        ) {
            self.name = name
            self.table = table
            self.target = target
            self.eventTime = eventTime
            self.key = key
            self.others = Set(others.map { $0.lowercased() })
            self.include = include
        }

        func isFeature(_ name: String) -> Bool {
            if let include { return include.contains { $0.lowercased() == name.lowercased() } }
            return !others.contains(name.lowercased()) && !name.hasPrefix("_")
        }
    }

    let lineage: ProjectLineage
    let model: Model
    let relation: Relation
    /// The moment of prediction, and the column that holds it.
    let moment: SymbolicTime?
    /// Name of the event-time column; `nil` when the model has none.
    package let momentName: String?
    private let order: TimeOrder
    private let targets: Set<SourceColumn>
    private let undatedTargets: Set<SourceColumn>

    /// Prepares the check; `nil` when no transform of the project makes the model's table.
    package init?(_ lineage: ProjectLineage, _ model: Model) {
        guard let relation = lineage.relation(model.table) else { return nil }
        self.lineage = lineage
        self.model = model
        self.relation = relation
        order = TimeOrder(
            facts: relation.facts, instances: relation.instances, outer: relation.outer,
            nullable: relation.nullable)
        let target = relation.columns.first { $0.name.lowercased() == model.target.lowercased() }
        let own = (target?.value.dependencies ?? []).filter { $0.origin.column != nil && !$0.isControl }
        let later = own.filter { $0.availability.isLater }
        targets = Set((later.isEmpty ? own : later).map(\.origin))
        undatedTargets = later.isEmpty ? Set(own.map(\.origin)) : []
        (moment, momentName) = Self.moment(of: model, relation, lineage)
    }

    /// The model's `event_time`; without one, the only column of the table that is the event time of a source.
    private static func moment(
        of model: Model, _ relation: Relation, _ lineage: ProjectLineage
    ) -> (SymbolicTime?, String?) {
        if let name = model.eventTime {
            let column = relation.columns.first { $0.name.lowercased() == name.lowercased() }
            return (column?.value.moment, name)
        }
        let candidates = relation.columns.filter { column in
            guard column.value.moment != nil, let origin = column.value.dependencies.first?.origin,
                column.value.dependencies.count == 1, let name = origin.column
            else { return false }
            return lineage.source(origin.table)?.eventTime?.lowercased() == name.lowercased()
        }
        guard let first = candidates.first, candidates.allSatisfy({ $0.value.moment == first.value.moment }) else {
            return (nil, nil)
        }
        return (first.value.moment, first.name)
    }

    /// Returns every feature that depends on what is unknown at the time of prediction, with one path each.
    package func leaks() -> [Leak] {
        var found: [Leak] = []
        for column in relation.columns where model.isFeature(column.name) {
            let bad = column.value.dependencies.filter { !isKnown($0) }
            if let worst = bad.min(by: { rank($0) < rank($1) }) {
                found.append(leak(column.name, line: column.line, worst))
            }
        }
        if let rest = relation.rest, model.include == nil,
            let bad = rest.dependencies.filter({ !isKnown($0) }).min(by: { rank($0) < rank($1) })
        {
            found.append(leak("(columns that only the run names)", line: nil, bad))
        }
        let rows = relation.rows.filter { !$0.isWeak && !$0.isPresence && !isKnown($0) }
        if let bad = rows.min(by: { rank($0) < rank($1) }) { found.append(leak(nil, line: nil, bad)) }
        return found
    }

    /// The sources that the model's columns and rows come from.
    private var sources: [SourceSchema] {
        let all = relation.rows + relation.columns.flatMap(\.value.dependencies) + (relation.rest?.dependencies ?? [])
        return Set(all.map(\.origin.table)).sorted().compactMap { lineage.source($0) }
    }

    /// Why the check is impossible; `nil` when it is possible.
    package var gap: String? {
        let sources = sources
        let dated = sources.filter { $0.eventTime != nil }
        if dated.isEmpty {
            let names = sources.map(\.table.name).joined(separator: ", ")
            return sources.count == 1
                ? "the contract of \(names) declares no event_time" : "no contract of \(names) declares an event_time"
        }
        if let name = model.eventTime {
            let column = relation.columns.first { $0.name.lowercased() == name.lowercased() }
            let origins = column?.value.dependencies.map(\.origin) ?? []
            let isDated = origins.contains { lineage.source($0.table)?.eventTime != nil }
            return moment != nil && isDated
                ? nil : "the model's event_time \(name) is not made of an event_time that a contract declares"
        }
        return moment != nil
            ? nil
            : "no single column of \(model.table) is the event_time of a source; name the moment of prediction under event_time"
    }

    /// Sources of the model without an event time, whose rows count as always known.
    package var timelessSources: [String] { sources.filter { $0.eventTime == nil }.map(\.table.name) }

    /// Source columns that the target is made of; where some are known later than their row, only those.
    package var targetOrigins: Set<SourceColumn> { targets }

    /// Returns the source columns behind some of the table's columns, the choice of its rows, and `others`.
    package func origins(of columns: [String], and others: [(table: TableName, column: String)]) -> Set<SourceColumn> {
        func origins(_ column: String, _ relation: Relation) -> [SourceColumn] {
            let found = relation.columns.filter { $0.name.lowercased() == column.lowercased() }
            let dependencies = found.isEmpty ? relation.rest?.dependencies ?? [] : found.flatMap(\.value.dependencies)
            return dependencies.map(\.origin)
        }
        var all = relation.rows.map(\.origin) + columns.flatMap { origins($0, relation) }
        for (table, column) in others { all += lineage.relation(table).map { origins(column, $0) } ?? [] }
        return Set(all)
    }

    /// Returns the features with their source lines and dependencies.
    package func features() -> [(name: String, line: Int?, dependencies: [Dependency])] {
        relation.columns.filter { model.isFeature($0.name) }.map { ($0.name, $0.line, $0.value.dependencies) }
    }

    /// Whether a dependency is known at the time of prediction.
    package func isKnown(_ dependency: Dependency) -> Bool {
        if undatedTargets.contains(dependency.origin), !dependency.isControl { return false }
        switch dependency.known {
        case .always: return true
        case .never: return model.eventTime == nil && moment == nil && !dependency.availability.isLater
        case .by(let moments):
            guard let moment else { return model.eventTime == nil && !dependency.availability.isLater }
            return moments.contains { order.proves($0, notAfter: moment) }
        }
    }

    /// The column that would bound the dependency if it could not be null.
    private func emptyColumn(_ dependency: Dependency) -> String? {
        if let column = dependency.mayBeEmpty { return column }
        guard case .by(let moments) = dependency.known, let moment else { return nil }
        return moments.sorted { $0.symbol < $1.symbol }.lazy.compactMap {
            order.emptyColumn(before: $0) { $0 == moment.symbol }
        }.first
    }

    private func rank(_ dependency: Dependency) -> Int {
        if targets.contains(dependency.origin) { return 0 }
        if dependency.availability.isLater { return 1 }
        return dependency.origin.column != nil ? 2 : 3
    }

    /// Returns the kind of leak of a dependency that is not known.
    package func code(of dependency: Dependency) -> Leak.Code {
        targets.contains(dependency.origin)
            ? .target : dependency.availability.isLater ? .futureColumn : .futureRows
    }

    private func leak(_ feature: String?, line: Int?, _ dependency: Dependency) -> Leak {
        let isTarget = targets.contains(dependency.origin)
        let code = code(of: dependency)
        var known =
            dependency.availability.isLater || isTarget && undatedTargets.isEmpty
            ? dependency.availability.sentence : isTarget ? "the target" : "of rows that may come later"
        if isTarget, !undatedTargets.isEmpty { known = "what the target is made of" }
        if dependency.availability.isLater || !isTarget, let loss = dependency.loss { known += " (\(loss))" }
        var steps = dependency.trail
        if steps.isEmpty {
            steps = [
                LineageStep("\(model.table).\(feature ?? "rows")", file: lineage.file(of: model.table), line: line)
            ]
        }
        return Leak(
            code: code, model: model.name, feature: feature, steps: steps, origin: dependency.origin, known: known,
            moment: momentName, remedy: remedy(dependency, isOwnFeature: feature != nil, code))
    }

    private func remedy(_ dependency: Dependency, isOwnFeature: Bool, _ code: Leak.Code) -> String {
        let now = momentName.map { "the row's \($0)" } ?? "the moment of prediction"
        let out = isOwnFeature ? ", or name the feature under features.exclude" : ""
        if let column = emptyColumn(dependency) {
            return
                "The guard goes by \(column.isEmpty ? "a moment" : column), which may be null and then bounds nothing: put <other>.\(column.isEmpty ? "moment" : column) IS NOT NULL into WHERE, ON or FILTER as well\(column.isEmpty ? "" : ", or declare it nullable: false")\(out)."
        }
        switch dependency.availability {
        case .at(let column):
            return
                "Let it see only rows whose \(column) is not after \(now): put <other>.\(column) <= <row>.\(momentName ?? "event_time") into ON, WHERE or FILTER\(out)."
        case .afterwards:
            return
                "Nobody wrote down when it is known, so no feature can use it\(isOwnFeature ? ": take it out of the SQL\(out)" : "")."
        case .next(let entity):
            return
                "Let it see only earlier rows of the same \(entity): PARTITION BY \(entity) in the order of time, with a frame that ends at 1 PRECEDING\(out)."
        case .row(let column):
            if code == .target {
                return "The target cannot explain itself: take it out of the SQL of the feature\(out)."
            }
            return
                "Let it see only rows up to \(now): <other>.\(column) <= <row>.\(momentName ?? "event_time") in ON, WHERE or FILTER, or a window in the order of \(column) whose frame ends at CURRENT ROW\(out)."
        case .always:
            return "The target cannot explain itself: take it out of the SQL of the feature\(out)."
        }
    }
}

/// A feature that depends on something unknown at the time of prediction.
package struct Leak: Sendable, Equatable {
    /// The kind of leak; a stable code.
    package enum Code: String, Sendable, Encodable {
        /// The target, or what it is made of.
        case target = "leak.target"
        /// A column that is known later than its row.
        case futureColumn = "leak.future-column"
        /// Rows that may come after the moment of prediction.
        case futureRows = "leak.future-rows"
    }

    /// Kind of the leak; an error about several leaks has the code of the first.
    package var code: Code
    /// Name of the model whose features or rows leak.
    package var model: String
    /// Name of the feature; `nil` when the choice of rows leaks.
    package var feature: String?
    /// The path from the feature back to the source.
    package var steps: [LineageStep]
    /// The source column that is not known in time.
    package var origin: SourceColumn
    /// When the source column is known, in words.
    package var known: String
    /// Name of the column with the time of prediction.
    package var moment: String?
    /// What to change in the SQL, the contract or the model's settings, in one sentence.
    package var remedy: String

    /// Describes the leak with its path in one or more sentences.
    /// - Parameter folder: the project's folder; files are shown relative to it.
    package func sentence(in folder: String) -> String {
        var path: [String] = []
        for step in steps {
            var text = step.name
            let file = step.file.map { $0.hasPrefix(folder + "/") ? String($0.dropFirst(folder.count + 1)) : $0 }
            switch (file, step.line) {
            case (let file?, let line?): text += " (\(file), line \(line))"
            case (let file?, nil): text += " (\(file))"
            default: break
            }
            path.append(text)
        }
        path.append("\(origin), \(known)")
        let who = feature.map { "feature \($0) of model \(model)" } ?? "the rows of model \(model)"
        let predicted =
            moment.map { "the row is predicted at \($0)" } ?? "it is not known when the row is predicted"
        return "\(who): \(path.joined(separator: " ← ")); \(predicted)"
    }
}

extension [Leak] {
    /// Combines all leaks to one error with code, message and remedy; `nil` when there are none.
    package func error(in folder: String) -> MartletError? {
        guard let first else { return nil }
        var text = first.sentence(in: folder)
        for leak in dropFirst().prefix(19) { text += "\n  \(leak.sentence(in: folder)) [\(leak.code.rawValue)]" }
        if count > 20 { text += "\n  and \(count - 20) more" }
        text = text.prefix(1).uppercased() + text.dropFirst() + "."
        let place = first.steps.first.map { MartletError.Location(file: $0.file, line: $0.line) }
        switch first.code {
        case .target: return MartletError(.input, "leak.target", text, at: place, remedy: first.remedy)
        case .futureColumn: return MartletError(.input, "leak.future-column", text, at: place, remedy: first.remedy)
        case .futureRows: return MartletError(.input, "leak.future-rows", text, at: place, remedy: first.remedy)
        }
    }
}
