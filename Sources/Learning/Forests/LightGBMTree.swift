internal import Core

/// Converts one tree of LightGBM's text to nodes: the inner nodes first, then the leaves.
struct LightGBMTree {
    let fields: [String: Line]
    /// The place of its first line, from 0.
    let line: Int
    let setsBefore: Int
    private(set) var sets: [CategorySet] = []

    mutating func nodes() throws(MartletError) -> [TreeNode] {
        let leaves = try whole("num_leaves")
        // Each leaf takes at least a digit and a space in the file, so this bounds everything by the file's size.
        guard leaves >= 1, leaves <= fields["leaf_value"]?.bytes.count ?? 0 else {
            throw fault("`num_leaves` is \(leaves); `leaf_value` does not have as many.")
        }
        if let linear = fields["is_linear"], linear.value != "0" {
            throw MartletError(
                .input, "forest.unsupported", "A tree has linear models in its leaves (linear_tree).", at: place,
                remedy: "docs/forests.md tells what is evaluated; other models are left to their own library.")
        }
        let values = try numbers("leaf_value", count: leaves)
        let counts = try optionalNumbers("leaf_count", count: leaves)
        guard leaves > 1 else { return [TreeNode(value: values[0], cover: counts[0])] }

        let inner = leaves - 1
        try readSets()
        let features = try integers("split_feature", count: inner)
        let thresholds = try numbers("threshold", count: inner)
        let types =
            fields["decision_type"] == nil
            ? [Int](repeating: 0, count: inner) : try integers("decision_type", count: inner)
        let lefts = try integers("left_child", count: inner)
        let rights = try integers("right_child", count: inner)
        let covers = try optionalNumbers("internal_count", count: inner)

        func child(_ number: Int) throws(MartletError) -> Int32 {
            // A leaf is written as ~number; leaves stand after the inner nodes.
            guard (-leaves..<inner).contains(number) else { throw fault("there is no child \(number).") }
            return Int32(number >= 0 ? number : inner + ~number)
        }
        var nodes: [TreeNode] = []
        nodes.reserveCapacity(inner + leaves)
        for index in 0..<inner {
            var node = TreeNode()
            guard (0...Int(Int32.max)).contains(features[index]) else {
                throw fault("`split_feature` \(features[index]) is out of range.")
            }
            node.feature = Int32(features[index])
            node.left = try child(lefts[index])
            node.right = try child(rights[index])
            node.cover = covers[index]
            node.threshold = thresholds[index]
            try decide(&node, type: types[index])
            nodes.append(node)
        }
        for leaf in 0..<leaves { nodes.append(TreeNode(value: values[leaf], cover: counts[leaf])) }
        return nodes
    }

    /// Bit 0: categorical; bit 1: what is missing goes left; bits 2 and 3: none, zero or NaN is missing.
    private func decide(_ node: inout TreeNode, type: Int) throws(MartletError) {
        guard (0...15).contains(type), type >> 2 != 3 else { throw fault("`decision_type` \(type) is not known.") }
        let isLeft = type & 2 != 0
        if type & 1 != 0 {
            guard node.threshold >= 0, node.threshold < Double(sets.count) else {
                throw fault("a split is on category set \(node.threshold) of \(sets.count).")
            }
            node.set = Int32(setsBefore + Int(node.threshold))
            node.missing = .nanRight
        } else {
            switch type >> 2 {
            case 0: node.missing = .nanAsZero
            case 1: node.missing = isLeft ? .zeroLeft : .zeroRight
            default: node.missing = isLeft ? .nanLeft : .nanRight
            }
        }
    }

    private mutating func readSets() throws(MartletError) {
        let count = try whole("num_cat")
        guard count != 0 else { return }
        guard count > 0, count <= fields["cat_boundaries"]?.bytes.count ?? 0 else {
            throw fault("`num_cat` is \(count); `cat_boundaries` does not have as many.")
        }
        let boundaries = try integers("cat_boundaries", count: count + 1)
        let words = try integers("cat_threshold", count: nil)
        guard boundaries[0] == 0, zip(boundaries, boundaries.dropFirst()).allSatisfy({ $0 <= $1 }),
            boundaries[count] <= words.count, words.allSatisfy({ (0...Int(UInt32.max)).contains($0) })
        else { throw fault("`cat_boundaries` and `cat_threshold` do not fit each other.") }
        sets = (0..<count).map { CategorySet(words: words[boundaries[$0]..<boundaries[$0 + 1]].map { UInt32($0) }) }
    }

    private func whole(_ key: String) throws(MartletError) -> Int {
        guard let text = fields[key]?.value, let value = Int(text) else {
            throw fault("`\(key)` is missing or not a whole number.")
        }
        return value
    }

    private func integers(_ key: String, count: Int?) throws(MartletError) -> [Int] {
        try list(key, count: count) { Int(String(decoding: $0, as: UTF8.self)) }
    }

    private func numbers(_ key: String, count: Int) throws(MartletError) -> [Double] {
        try list(key, count: count) { Double(String(decoding: $0, as: UTF8.self)) }
    }

    /// Counts are not needed for scores; a file may lack them.
    private func optionalNumbers(_ key: String, count: Int) throws(MartletError) -> [Double] {
        fields[key] == nil ? [Double](repeating: 0, count: count) : try numbers(key, count: count)
    }

    private func list<T>(_ key: String, count: Int?, _ read: (ArraySlice<UInt8>) -> T?) throws(MartletError) -> [T] {
        guard let words = fields[key]?.words else { throw fault("`\(key)` is missing.") }
        if let count, words.count != count { throw fault("`\(key)` has \(words.count) values in place of \(count).") }
        var values: [T] = []
        values.reserveCapacity(words.count)
        for word in words {
            guard let value = read(word) else {
                throw fault("`\(String(decoding: word, as: UTF8.self))` in `\(key)` is not a number.")
            }
            values.append(value)
        }
        return values
    }

    private var place: MartletError.Location { MartletError.Location(line: line + 1) }

    private func fault(_ message: String) -> MartletError {
        MartletError(
            .input, "forest.format", message.first == "`" ? message : "In a tree, " + message, at: place,
            remedy: ParsedForest.damaged)
    }
}
