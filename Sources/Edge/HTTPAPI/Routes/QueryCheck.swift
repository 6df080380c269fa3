internal import Core
internal import Hummingbird

extension Route {
    /// Refuses a query string, or a parameter of the path, that does not fit what the route declares, and parameters
    /// that it does not know: a misspelt one would be ignored without a word.
    func check(_ request: Request, _ context: APIContext) throws {
        var faults: [Problem.Fault] = []
        var seen: Set<Substring> = []
        for (name, value) in request.uri.queryParameters {
            guard let parameter = query.first(where: { $0.name == name }) else {
                let near = Spelling.nearest(to: String(name), among: query.map(\.name)).map { "; did you mean \($0)?" }
                faults.append(
                    Problem.Fault(
                        path: "query.\(name.prefix(80))", code: "query.unknown",
                        detail: "is not known here\(near ?? "")"))
                continue
            }
            guard seen.insert(name).inserted else {
                faults.append(
                    Problem.Fault(path: "query.\(name)", code: "query.repeated", detail: "stands there twice"))
                continue
            }
            faults += parameter.schema.faults(in: parameter.schema.value(of: String(value)), at: "query.\(name)")
        }
        for name in pathParameters {
            let value = try context.requiredSegment(name)
            guard let schema = path(name) else { continue }
            faults += schema.faults(in: schema.value(of: value), at: "path.\(name)")
        }
        guard !faults.isEmpty else { return }
        var problem = Problem(
            .badRequest, "request.parameter",
            faults.map { "\($0.path) \($0.detail)" }.joined(separator: "; ") + ".")
        problem.faults = faults
        throw problem
    }
}

extension Schema {
    /// What a text in a URL means under this schema; the text itself where it means nothing else.
    fileprivate func value(of text: String) -> JSONValue {
        switch self {
        case .integer:
            // "+7" and " 7" are not how numbers are written in JSON.
            text.utf8.first.map { $0 == 45 || (48...57).contains($0) } ?? false
                ? Int64(text).map { .integer($0) } ?? .text(text) : .text(text)
        case .number: Double(text).flatMap { $0.isFinite ? .number($0) : nil } ?? .text(text)
        case .boolean: text == "true" ? .flag(true) : text == "false" ? .flag(false) : .text(text)
        default: .text(text)
        }
    }
}
