import Core
import Serving
import Training

/// Native requests and MLflow's: each body is given to both readers.
enum JSONSurface {
    static func run(_ body: UnsafeRawBufferPointer) {
        let native = Bodies.read("native") { batch, _ in
            _ = try NativeRequest(body, into: batch, mostRows: Bodies.mostRows)
        }
        if native.refusal == nil {
            let reference = Bodies.reference("native", body)
            if native.isAccepted, let reference { compare(native, reference, body) }
            Bodies.agree("native", native)
            if native.isAccepted { plant(size: native.values.first ?? 0) }
        }
        let mlflow = Bodies.read("MLflow") { batch, _ in
            _ = try MLflowRequest(body, into: batch, mostRows: Bodies.mostRows)
        }
        if mlflow.refusal == nil {
            _ = Bodies.reference("MLflow", body)
            Bodies.agree("MLflow", mlflow)
        }
        demand(native.refusal != nil || mlflow.refusal != nil, "no body is both requests")
    }

    /// Cell by cell what Foundation read, encoded by the signature's rules.
    private static func compare(
        _ outcome: Bodies.Outcome, _ reference: JSONValue, _ body: UnsafeRawBufferPointer
    ) {
        // Dictionaries take names that are canonically equivalent for one; the readers compare bytes.
        guard body.allSatisfy({ $0 < 0x80 && $0 != UInt8(ascii: "\\") }) else { return }
        var rows: [[String: JSONValue]] = []
        if let record = reference["record"]?.members { rows = [record] }
        if let records = reference["records"]?.list { rows = records.compactMap(\.members) }
        if let columns = reference["columns"]?.members {
            rows = (0..<outcome.rows).map { row in
                columns.compactMapValues { column in column.list.flatMap { row < $0.count ? $0[row] : nil } }
            }
        }
        demand(rows.count == outcome.rows, "as many rows as Foundation finds: \(rows.count), \(outcome.rows)")
        for (index, row) in rows.enumerated() {
            for (column, feature) in Bodies.signature.columns.enumerated() {
                let found = outcome.values[index * Bodies.width + column]
                var wanted = Double.nan
                if feature.type == .number {
                    switch row[feature.name] {
                    case .integer(let value): wanted = Double(value)
                    case .number(let value): wanted = value
                    default: break
                    }
                } else {
                    func code(_ level: String) -> Double? { feature.levels.firstIndex(of: level).map { Double($0) } }
                    let missing = feature.missingCode.map { Double($0) } ?? .nan
                    let unknown = feature.unknownCode.map { Double($0) } ?? .nan
                    switch row[feature.name] {
                    case .text(let text): wanted = code(text) ?? unknown
                    case .flag(let flag): wanted = code(flag ? "true" : "false") ?? unknown
                    case .integer, .number: continue
                    default: wanted = missing
                    }
                }
                demand(
                    found == wanted || (found.isNaN && wanted.isNaN),
                    "row \(index), \(feature.name): \(found) is what Foundation reads, \(wanted)")
            }
        }
    }
}
