internal import Core
internal import HTTPTypes
internal import Serving
internal import Training

/// The parsed answer of a feature worker.
struct MadeFeatures {
    private let records: [JSONValue]
    /// Of the records that have features: their keys, and what the model takes.
    private(set) var keys: [String] = []
    private(set) var rows: [JSONValue] = []
    let stored: Int64
    private(set) var warnings: [JSONValue] = []

    /// How many rows an answer of the worker says that it has kept, whatever else it says.
    static func stored(_ line: [UInt8]) -> Int64 { JSONValue(parsing: line)?["stored"]?.long ?? 0 }

    /// - Throws: a `Problem` for faults of the rows (422, each with its JSONPath), and the worker's own error.
    init(_ line: [UInt8], for model: ServedModel) throws {
        guard let answer = JSONValue(parsing: line), answer.members != nil else {
            throw MartletError(.defect, "process.answer", "The feature worker's answer is not JSON.")
        }
        if let error = answer["error"] { throw Self.error(error) }
        if let faults = answer["faults"]?.list { throw Self.problem(faults) }
        records = answer["records"]?.list ?? []
        stored = answer["stored"]?.long ?? 0
        warnings = (answer["warnings"]?.list ?? []).map { Self.told($0) }
        let taken = Set(model.signature.columns.map(\.name))
        for record in records {
            guard let features = record["features"]?.members, let key = record["key"]?.text else { continue }
            keys.append(key)
            rows.append(.object(features.filter { taken.contains($0.key) }))
        }
    }

    /// Each record with its prediction, if it has one.
    func predictions(_ scored: [JSONValue], withFeatures: Bool) -> [JSONValue] {
        var next = scored.makeIterator()
        return records.map { record in
            var members = record.members ?? [:]
            let features = members.removeValue(forKey: "features")
            guard let features, features.members != nil else { return .object(members) }
            members.merge(next.next()?.members ?? [:]) { first, _ in first }
            if withFeatures { members["features"] = features }
            return .object(members)
        }
    }

    // MARK: Faults

    /// The model's word on a feature, with its place in the answer: `$.records[0].x` is `$.predictions[0].features.x`.
    func placed(_ warning: JSONValue) -> JSONValue {
        var members = warning.members ?? [:]
        members["path"] = members["path"]?.text.map { .text(Self.place($0)) }
        return .object(members)
    }

    func problem(_ faults: InputFaults) -> Problem {
        var problem = Problem(faults)
        problem.detail = "The features of these rows do not fit the model: \(problem.detail)"
        problem.faults = problem.faults.map { .init(path: Self.place($0.path), code: $0.code, detail: $0.detail) }
        return problem
    }

    private static func place(_ path: String) -> String {
        guard path.hasPrefix("$.records["), let end = path.firstIndex(of: "]") else { return path }
        let start = path.index(path.startIndex, offsetBy: "$.records".count)
        return "$.predictions" + path[start...end] + ".features" + path[path.index(after: end)...]
    }

    private static func problem(_ faults: [JSONValue]) -> Problem {
        let places = faults.prefix(50).map { told($0) }
        var problem = Problem(
            .unprocessableContent, "process.row",
            faults.count == 1 ? "A row breaks its contract." : "Rows break their contract in \(faults.count) places.")
        problem.faults = places.map {
            Problem.Fault(
                path: $0["path"]?.text ?? "$.rows", code: $0["code"]?.text ?? "process.row",
                detail: $0["detail"]?.text ?? "")
        }
        return problem
    }

    /// A fault of a row as problems tell it.
    private static func told(_ fault: JSONValue) -> JSONValue {
        let rule = fault["rule"]?.text ?? "its contract"
        let value = fault["value"]?.text.map { ": it is \($0.prefix(80))" } ?? ""
        let code = rule == "unknown column" ? "process.unknown-column" : "process.row"
        return .object([
            "path": fault["path"] ?? .text("$.rows"), "code": .text(code),
            "detail": .text(
                rule == "unknown column" ? "The contract does not know this column." : "must keep to: \(rule)\(value)"),
        ])
    }

    private static func error(_ error: JSONValue) -> MartletError {
        MartletError(
            error["kind"]?.text.flatMap { MartletError.Kind(rawValue: $0) } ?? .defect,
            error["code"]?.text ?? "process.answer", error["message"]?.text ?? "The feature worker failed.",
            remedy: error["remedy"]?.text)
    }
}
