internal import Core

// LightGBM's text format: lines `key=value`; a header, one block of lines for each tree, "end of trees".

/// Parser of LightGBM's text format.
struct LightGBMFile {
    private let lines: [Line]
    private var at = 0

    init(_ bytes: [UInt8]) {
        lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { Line($0) }
    }

    mutating func forest() throws(MartletError) -> ParsedForest {
        guard lines.first?.text == "tree" else {
            throw fault("The first line of a LightGBM model is `tree`; this file has another.", line: 0)
        }
        let header = block(until: "Tree=")
        var forest = try headed(header)
        while at < lines.count, lines[at].key == "Tree" {
            at += 1
            let first = at
            let fields = block(until: "Tree=")
            var tree = LightGBMTree(fields: fields, line: first, setsBefore: forest.sets.count)
            let nodes = try tree.nodes()
            forest.sets += tree.sets
            try forest.add(nodes, at: place(first))
        }
        guard at < lines.count, lines[at].text == "end of trees" else {
            throw fault("The model ends before its line `end of trees`.", line: at)
        }
        if let sizes = header["tree_sizes"], sizes.words.count != forest.trees.count {
            throw fault("The header tells of \(sizes.words.count) trees, the file has \(forest.trees.count).", line: at)
        }
        if forest.trees.isEmpty, forest.averages {
            throw fault("An average needs trees, and the file has none.", line: at)
        }
        return forest
    }

    /// The lines up to the next tree or the end, by key. A line without `=` has itself as key.
    private mutating func block(until mark: String) -> [String: Line] {
        var fields: [String: Line] = [:]
        while at < lines.count, lines[at].key != "Tree", lines[at].text != "end of trees" {
            if !lines[at].isEmpty { fields[lines[at].key] = lines[at] }
            at += 1
        }
        return fields
    }

    private func headed(_ header: [String: Line]) throws(MartletError) -> ParsedForest {
        for key in ["num_class", "num_tree_per_iteration"] {
            guard let line = header[key] else { throw fault("The header has no `\(key)`.", line: 0) }
            guard line.value == "1" else {
                throw refusal("\(key)=\(line.value): models with several classes are not evaluated.")
            }
        }
        guard let last = header["max_feature_idx"]?.value, let last = Int(last), (0..<1 << 24).contains(last) else {
            throw fault("`max_feature_idx` is missing or not a whole number from 0.", line: 0)
        }
        let names = header["feature_names"]?.words.map { String(decoding: $0, as: UTF8.self) } ?? []
        guard names.count == last + 1 else {
            throw fault("`feature_names` has \(names.count) names; `max_feature_idx` asks for \(last + 1).", line: 0)
        }
        var forest = ParsedForest(family: .lightGBM, featureNames: names)
        forest.averages = header["average_output"] != nil
        if let objective = header["objective"] { forest.link = try link(objective) }
        return forest
    }

    private func link(_ objective: Line) throws(MartletError) -> Link {
        let words = objective.words.map { String(decoding: $0, as: UTF8.self) }
        let options = words.dropFirst()
        switch words.first {
        case "binary":
            guard let word = options.first(where: { $0.hasPrefix("sigmoid:") }) else { return .logistic(slope: 1) }
            guard let slope = Double(word.dropFirst("sigmoid:".count)), slope > 0, slope.isFinite else {
                throw fault("`\(word)` in the objective is not a positive number.", line: 0)
            }
            return .logistic(slope: slope)
        case "cross_entropy": return .logistic(slope: 1)
        case "regression", "regression_l1", "huber", "fair", "quantile", "mape":
            if options.contains("sqrt") {
                throw refusal("objective=\(objective.value): its square root is not undone.")
            }
            return .identity
        default: throw refusal("objective=\(objective.value) is not evaluated.")
        }
    }

    private func place(_ line: Int) -> MartletError.Location { MartletError.Location(line: line + 1) }

    private func fault(_ message: String, line: Int) -> MartletError {
        MartletError(.input, "forest.format", message, at: place(line), remedy: ParsedForest.damaged)
    }

    private func refusal(_ message: String) -> MartletError {
        MartletError(
            .input, "forest.unsupported", message,
            remedy: "docs/forests.md tells what is evaluated; other models are left to their own library.")
    }
}

/// One line of the file.
struct Line {
    let bytes: ArraySlice<UInt8>
    private let equals: Int?

    init(_ raw: ArraySlice<UInt8>) {
        let bytes = raw.last == UInt8(ascii: "\r") ? raw.dropLast() : raw
        self.bytes = bytes
        equals = bytes.firstIndex(of: UInt8(ascii: "="))
    }

    var isEmpty: Bool { bytes.isEmpty }
    var text: String { String(decoding: bytes, as: UTF8.self) }
    var key: String { String(decoding: bytes[..<(equals ?? bytes.endIndex)], as: UTF8.self) }
    var value: String { String(decoding: valueBytes, as: UTF8.self) }
    var words: [ArraySlice<UInt8>] { valueBytes.split(separator: UInt8(ascii: " ")) }
    private var valueBytes: ArraySlice<UInt8> { equals.map { bytes[($0 + 1)...] } ?? [] }
}
