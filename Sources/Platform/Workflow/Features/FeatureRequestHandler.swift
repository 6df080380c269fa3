package import Core
package import Lakehouse

/// The feature worker's request handler: computes feature rows for JSON requests, one after the other.
///
/// A request is `{"id": …, "rows": {source: [row, …]}, "keys": [key, …], "store": true, "by": …, "request": …}`; all but
/// `rows` may be left out. The answer has the request's `id` and either `records` or `faults` or `error`. `{"id": …, "ping": true}` asks
/// for a sign of life.
///
/// ```swift
/// let handler = FeatureRequestHandler(engine, journal: journal, isStale: { false })
/// try handler.catchUp()
/// let answer = try handler.answer(line)
/// ```
package final class FeatureRequestHandler {
    private let engine: any FeatureEngine
    private let journal: RowJournal?
    private let names: [String]
    private let isStale: () -> Bool

    /// Makes a handler.
    /// - Parameters:
    ///   - journal: where received rows are kept; `nil` keeps none.
    ///   - isStale: whether the lake has changed since the engine read it; answers then say `"stale": true`.
    package init(_ engine: any FeatureEngine, journal: RowJournal?, isStale: @escaping () -> Bool) {
        self.engine = engine
        self.journal = journal
        self.isStale = isStale
        names = engine.columns.map(\.name)
    }

    /// Largest number of records of one request.
    package static let mostRecords = 100

    /// Stored rows that were skipped because they no longer fit their contract.
    package struct Skipped: Sendable {
        /// Number of skipped rows.
        package var rows = 0
        /// Why the first of them does not fit.
        package var reason: String?
    }
    /// The rows skipped so far.
    package private(set) var skipped = Skipped()

    /// Reads the stored rows that were received since the lake was read.
    ///
    /// Each is judged alone: one that no longer fits its contract is counted in `skipped`.
    package func catchUp() throws {
        do { try journal?.news { try apply($0) } } catch let behind as Behind { throw behind.cause }
    }

    /// Removes stored rows of earlier days that are in the lake by now.
    /// - Returns: how many files were removed.
    package func prune() throws -> Int {
        guard let journal else { return 0 }
        return try journal.prune { lines in
            var (telling, all): (Set<String>, Set<String>) = ([], [])
            for line in lines {
                // A line that cannot be read is nobody's: it keeps its file.
                guard var rows = Self.rows(JSONValue(parsing: line)?["rows"]) else { return ([], [""]) }
                all.formUnion(rows.keys)
                rows = rows.filter { engine.sourceNames.contains($0.key) && !telling.contains($0.key) }
                for (source, given) in rows {
                    let verdict = try engine.look(at: [source: given])
                    // What cannot be judged here, or tells something, stays.
                    if !verdict.faults.isEmpty || !verdict.news.isEmpty { telling.insert(source) }
                }
            }
            return (all.intersection(engine.sourceNames).subtracting(telling), all)
        }
    }

    /// What of the rows fits their contracts, and what does not. Rows of a source that this model does not read are another
    /// model's: they are passed over.
    private func fitting(_ rows: RawRows) throws -> (verdict: RowVerdict, skipped: Skipped) {
        var rows = rows.filter { engine.sourceNames.contains($0.key) }
        var skipped = Skipped()
        while true {
            let verdict = try engine.look(at: rows)
            guard !verdict.faults.isEmpty else { return (verdict, skipped) }
            var bad: [String: Set<Int>] = [:]
            for fault in verdict.faults {
                guard let place = RowPath(fault.path), rows[place.source] != nil, let row = place.row else { continue }
                bad[place.source, default: []].insert(row)
                if skipped.reason == nil { skipped.reason = "\(fault.path) must keep to: \(fault.rule)" }
            }
            // A fault without a place would be found for ever.
            if bad.isEmpty { bad = rows.mapValues { Set($0.indices) } }
            for (source, places) in bad {
                skipped.rows += places.count
                rows[source] = (rows[source] ?? []).enumerated().filter { !places.contains($0.offset) }.map(\.element)
            }
        }
    }

    /// Takes lines over as if each had come by itself.
    private func apply(_ lines: [[UInt8]]) throws {
        var group: [RawRows] = []
        var count = 0
        do {
            for line in lines {
                guard let given = Self.rows(JSONValue(parsing: line)?["rows"]) else { continue }
                group.append(given)
                count += given.values.reduce(0) { $0 + $1.count }
                guard count >= 1000 else { continue }
                try keep(group[...])
                (group, count) = ([], 0)
            }
            try keep(group[...])
        } catch { throw Behind(cause: error) }
    }

    /// Rows of several requests can be judged at once, which is many times as fast, unless they have a key in common: of
    /// one request's rows the last counts, of several requests' the first.
    private func keep(_ group: ArraySlice<RawRows>) throws {
        guard !group.isEmpty else { return }
        var rows: RawRows = [:]
        for given in group { rows.merge(given) { $0 + $1 } }
        let (verdict, skipped) = try fitting(rows)
        if verdict.hasRepeatedKeys, group.count > 1 {
            let middle = group.startIndex + group.count / 2
            try keep(group[..<middle])
            return try keep(group[middle...])
        }
        self.skipped.rows += skipped.rows
        self.skipped.reason = self.skipped.reason ?? skipped.reason
        try engine.keep(verdict)
    }

    /// Thrown when received rows could not all be read, so that this handler must be replaced.
    private struct Behind: Error, CustomStringConvertible {
        let cause: any Error
        var description: String { "the rows that were received could not be taken over: \(cause)" }
    }

    /// Answers one request; errors of the request become part of the answer.
    ///
    /// What it throws leaves a handler that must not be used again.
    package func answer(_ line: [UInt8]) throws -> [UInt8] {
        guard let request = JSONValue(parsing: line), request.members != nil else {
            return try failure(
                .null, MartletError(.input, "process.request", "The request is not a JSON object."))
        }
        let id = request["id"] ?? .null
        do {
            var answer = request["ping"] == nil ? try answer(request) : [:]
            answer["id"] = id
            if isStale() { answer["stale"] = .flag(true) }
            return try JSON.encode(JSONValue.object(answer))
        } catch let error as MartletError { return try failure(id, error) }
    }

    private func answer(_ request: JSONValue) throws -> [String: JSONValue] {
        guard let rows = Self.rows(request["rows"] ?? .object([:])) else {
            throw MartletError(
                .input, "process.request", "rows is not an object of lists of objects, by source.",
                at: .init(key: "$.rows"))
        }
        try journal?.news { try apply($0) }
        let verdict = try engine.look(at: rows)
        if !verdict.faults.isEmpty { return ["faults": .list(verdict.faults.map { Self.json($0) })] }
        // Before anything is kept: what is refused leaves nothing behind.
        let keys = try request["keys"]?.list?.map { try Self.key($0) } ?? engine.keys()
        if keys.count > Self.mostRecords {
            throw MartletError(
                .input, "process.too-many-records",
                "\(keys.count) records are asked for at once; at most \(Self.mostRecords) are computed.",
                at: .init(key: "$.keys"), remedy: "Send them in several requests, or build the table.")
        }
        var answer: [String: JSONValue] = [:]
        var stored = 0
        if let journal, request["store"]?.flag ?? true, !verdict.news.isEmpty {
            var current = verdict
            try journal.append { earlier in
                if !earlier.isEmpty {
                    try apply(earlier)
                    current = try engine.look(at: rows)
                }
                // By now others may have told the same.
                guard !current.news.isEmpty else { return nil }
                var news: [String: JSONValue] = [:]
                for (source, places) in current.news {
                    news[source] = .list(places.compactMap { rows[source]?[$0] }.map { .object($0) })
                }
                // Who brought them stands beside them, whatever becomes of the audit's entry.
                var line: [String: JSONValue] = ["rows": .object(news)]
                for name in ["by", "request"] { line[name] = request[name] }
                return try JSON.encode(JSONValue.object(line))
            }
            stored = current.news.values.reduce(0) { $0 + $1.count }
            try engine.keep(current)
        }
        answer["stored"] = .integer(Int64(stored))
        do { answer["records"] = .list(try keys.map { try record($0) }) } catch let error as MartletError {
            // What was kept is told of all the same.
            answer["error"] = Self.json(error)
        }
        if !verdict.warnings.isEmpty { answer["warnings"] = .list(verdict.warnings.map { Self.json($0) }) }
        return answer
    }

    private func record(_ key: String) throws -> JSONValue {
        guard let row = try engine.features(of: key) else {
            return .object([
                "key": .text(key), "features": .null, "reason": .text("no row of the record's source has this key"),
            ])
        }
        var record: [String: JSONValue] = ["key": .text(key), "moment": .text(row.moment)]
        if let values = row.values {
            record["features"] = .object(
                Dictionary(zip(names, values.map(\.json))) { first, _ in first })
        } else {
            record["features"] = .null
            record["reason"] = .text("the project's SQL gives no row for this record")
        }
        return .object(record)
    }

    private static func rows(_ value: JSONValue?) -> RawRows? {
        guard let members = value?.members else { return nil }
        var rows: RawRows = [:]
        for (source, list) in members {
            guard let list = list.list else { return nil }
            rows[source] = []
            for row in list {
                guard let cells = row.members else { return nil }
                rows[source]?.append(cells)
            }
        }
        return rows
    }

    private static func key(_ value: JSONValue) throws -> String {
        if let text = value.text { return text }
        if let number = value.long { return "\(number)" }
        throw MartletError(
            .input, "process.request", "A key is neither text nor a whole number.", at: .init(key: "$.keys"))
    }

    private static func json(_ fault: RowFault) -> JSONValue {
        .object([
            "path": .text(fault.path), "rule": .text(fault.rule), "value": fault.value.map { .text($0) } ?? .null,
        ])
    }

    /// Returns an error as JSON: kind, code, message, place, remedy.
    package static func json(_ error: MartletError) -> JSONValue {
        var members: [String: JSONValue] = [
            "kind": .text(error.kind.rawValue), "code": .text(error.code), "message": .text(error.message),
        ]
        if let place = error.location { members["place"] = .text(place.description) }
        if let remedy = error.remedy { members["remedy"] = .text(remedy) }
        return .object(members)
    }

    private func failure(_ id: JSONValue, _ error: MartletError) throws -> [UInt8] {
        try JSON.encode(JSONValue.object(["id": id, "error": Self.json(error)]))
    }
}

/// A location in a request: `$.rows.SOURCE` or `$.rows.SOURCE[ROW].COLUMN`.
private struct RowPath {
    let source: String
    let row: Int?

    init?(_ path: String) {
        guard path.hasPrefix("$.rows.") else { return nil }
        let rest = path.dropFirst(7)
        source = String(rest.prefix { $0 != "[" && $0 != "." })
        let behind = rest.dropFirst(source.count)
        row = behind.first == "[" ? Int(behind.dropFirst().prefix { $0 != "]" }) : nil
    }
}
