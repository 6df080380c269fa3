internal import Foundation

// What a name that stands for several columns stands for.

extension ColumnLineage {
    /// The columns that an item of the SELECT list stands for.
    func expand(_ node: SyntaxNode, _ scope: LineageScope) throws -> [SelectItem] {
        if node.kind == "STAR" {
            return try starred(node, scope).map {
                SelectItem(name: node.alias.isEmpty ? $0.name : node.alias, node: node, value: $0.value)
            }
        }
        // `* LIKE '…'` is a function over a star.
        if node.kind == "FUNCTION", let star = node.list("children").first, star.kind == "STAR",
            !star.flag("columns")
        {
            return try starred(star, scope).map { SelectItem(name: $0.name, node: node, value: $0.value) }
        }
        func firstColumns(_ node: SyntaxNode) -> SyntaxNode? {
            if node.kind == "STAR" { return node }
            if node.kind == "SUBQUERY" || node.kind == "OPERATOR" && node.type == "OPERATOR_UNPACK" { return nil }
            return node.expressions.lazy.compactMap { firstColumns($0) }.first
        }
        if node.function != "count_star", let star = firstColumns(node), star.flag("columns") {
            return try starred(star, scope).map {
                SelectItem(name: node.alias.isEmpty ? $0.name : node.alias, node: node, value: nil, column: $0.value)
            }
        }
        let last = node.kind == "COLUMN_REF" ? node.texts("column_names").last : nil
        return [SelectItem(name: node.alias.isEmpty ? last ?? "" : node.alias, node: node)]
    }

    func starred(_ node: SyntaxNode, _ scope: LineageScope) throws -> [(name: String, value: LineageValue)] {
        let table = node.text("relation_name").lowercased()
        let source = scope.grouping?.inner.relation ?? scope.relation
        var gone = Set(node.texts("exclude_list").map { $0.lowercased() })
        for entry in node.list("qualified_exclude_list") { gone.insert(entry.text("column").lowercased()) }
        var names: [String: String] = [:]
        for entry in node.list("rename_list") {
            names[entry["key"]?.text("column").lowercased() ?? ""] = entry.text("value")
        }
        var replaced: [String: SyntaxNode] = [:]
        for entry in node.list("replace_list") {
            if let value = entry["value"] { replaced[entry.text("key").lowercased()] = value }
        }
        let pattern = node["expr"].flatMap { matcher($0) }
        var found: [(name: String, value: LineageValue)] = []
        for column in source.columns {
            let name = column.name.lowercased()
            if table.isEmpty ? column.isMerged : column.table?.lowercased() != table { continue }
            if gone.contains(name) { continue }
            if let pattern, !pattern(column.name) { continue }
            let value = try replaced[name].map { try evaluate($0, scope) } ?? column.value
            found.append((names[name] ?? column.name, value))
        }
        return found
    }

    /// Which names COLUMNS(…) takes; `nil`: all, for all that can be told.
    private func matcher(_ node: SyntaxNode) -> ((String) -> Bool)? {
        if let text = node.string {
            guard let pattern = try? Regex(text) else { return nil }
            return { name in ((try? pattern.firstMatch(in: name)) ?? nil) != nil }
        }
        if node.kind == "FUNCTION", node.function == "list_value" {
            let names = node.list("children").map {
                $0.string?.lowercased() ?? $0.texts("column_names").last?.lowercased()
            }
            guard names.allSatisfy({ $0 != nil }) else { return nil }
            return { names.contains($0.lowercased()) }
        }
        return nil
    }

    /// What an expression depends on that is not understood: all columns at hand, those of the queries around too.
    func everything(_ scope: LineageScope) -> [Dependency] {
        var all: [Dependency] = []
        var here: LineageScope? = scope
        while let level = here {
            let relation = level.grouping?.inner.relation ?? level.relation
            all += relation.columns.flatMap(\.value.dependencies) + relation.rows.attached
            all += relation.rest?.dependencies ?? []
            here = level.outer
        }
        return all.unique
    }
}
