internal import Core

extension Signature {
    /// Encodes a table as a feature matrix with this signature's columns, in its order whatever the table's.
    ///
    /// Throws for a table that lacks an expected column or has it in another type, naming every such column; further
    /// columns are ignored. A level not seen in training gets the code of the pooled rare levels, or counts as missing
    /// where there is none. An infinite number counts as missing.
    package func encode(_ table: [NamedColumn]) throws -> FeatureMatrix {
        let rows = try Self.commonLength(table)
        let byName = Dictionary(table.map { ($0.name, $0.column) }, uniquingKeysWith: { first, _ in first })
        let absent = columns.map(\.name).filter { byName[$0] == nil }
        guard absent.isEmpty else {
            throw MartletError(
                .input, "signature.missing-column",
                "the input lacks \(Self.list(absent)), which the model was trained on",
                remedy: "add the column, empty where the value is not known")
        }
        var mistyped: [String] = []
        let values = [Double](unsafeUninitializedCapacity: rows * columns.count) { out, count in
            out.initialize(repeating: .nan)
            for (place, feature) in columns.enumerated() {
                let target = UnsafeMutableBufferPointer(rebasing: out[(place * rows)..<((place + 1) * rows)])
                switch (feature.type, byName[feature.name]) {
                case (.number, .number(let numbers)):
                    for row in 0..<rows where numbers[row].isFinite { target[row] = numbers[row] }
                case (.category, .category(let codes, let levels)):
                    feature.encode(codes, levels, into: target)
                default:
                    mistyped.append(feature.name)
                }
            }
            count = rows * columns.count
        }
        guard mistyped.isEmpty else {
            let expected = columns.filter { mistyped.contains($0.name) }.map {
                "\"\($0.name)\" should be a \($0.type.rawValue)"
            }
            throw MartletError(
                .input, "signature.type",
                "the input's types differ from those the model was trained on: "
                    + expected.joined(separator: ", "))
        }
        return FeatureMatrix(
            names: columns.map(\.name),
            categorical: columns.map { $0.type == .category },
            codes: columns.map(\.codes),
            rows: rows,
            values: values)
    }

    private static func list(_ names: [String]) -> String {
        let quoted = names.prefix(8).map { "\"\($0)\"" }.joined(separator: ", ")
        let rest = names.count > 8 ? " and \(names.count - 8) more" : ""
        return (names.count == 1 ? "the column " : "the columns ") + quoted + rest
    }
}

extension Signature.Feature {
    /// Translates a batch's own codes to this feature's, through one lookup a level.
    fileprivate func encode(_ codes: [Int32], _ batch: [String], into target: UnsafeMutableBufferPointer<Double>) {
        let known = Dictionary(
            levels.enumerated().map { (ByteText($1), Double($0)) }, uniquingKeysWith: { first, _ in first })
        let unknown = unknownCode.map(Double.init) ?? .nan
        // The last entry is for missing values (and for codes outside the batch's levels).
        var lookup = batch.map { known[ByteText($0)] ?? unknown }
        lookup.append(missingCode.map(Double.init) ?? .nan)
        for row in codes.indices {
            let code = Int(codes[row])
            target[row] = lookup[code >= 0 && code < batch.count ? code : batch.count]
        }
    }
}
