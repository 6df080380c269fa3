internal import Core

/// One tree of XGBoost's model object. Leaves and inner nodes share their numbering; the root is node 0.
struct XGBoostTree {
    let object: JSONValue
    let number: Int

    var key: String { "learner.gradient_booster.model.trees[\(number)]" }

    /// - Parameter weight: what DART multiplies the tree's leaves by.
    func nodes(weight: Float?, setsBefore: Int) throws(MartletError) -> (nodes: [TreeNode], sets: [CategorySet]) {
        if let text = object["tree_param"]?["size_leaf_vector"]?.text, let size = Int(text), size > 1 {
            throw XGBoostFile.refusal("A tree with vectors in its leaves")
        }
        let lefts = try integers("left_children", count: nil)
        let count = lefts.count
        let rights = try integers("right_children", count: count)
        let features = try integers("split_indices", count: count)
        let conditions = try list("split_conditions", count: count) { $0.float }
        let defaults = try list("default_left", count: count) { $0.truth }
        let covers = try list("sum_hessian", count: count) { $0.float }
        let sets = try categorySets(count: count)
        var places: [Int: Int] = [:]
        for (place, node) in sets.keys.sorted().enumerated() { places[node] = setsBefore + place }

        var nodes: [TreeNode] = []
        nodes.reserveCapacity(count)
        for index in 0..<count {
            var node = TreeNode(cover: Double(covers[index]))
            if lefts[index] == -1 {
                // DART's product is rounded to a float before it is added.
                node.value = Double(weight.map { conditions[index] * $0 } ?? conditions[index])
                nodes.append(node)
                continue
            }
            // The library itself goes to the left child's neighbour.
            guard (0..<count).contains(lefts[index]), rights[index] == lefts[index] + 1,
                (0...Int(Int32.max)).contains(features[index]), rights[index] <= Int(Int32.max)
            else { throw XGBoostFile.fault("Node \(index) has children or a feature that cannot be.", key) }
            node.feature = Int32(features[index])
            node.left = Int32(lefts[index])
            node.right = Int32(rights[index])
            node.missing = defaults[index] ? .nanLeft : .nanRight
            if let place = places[index] {
                node.set = Int32(place)
            } else {
                guard conditions[index] != -.infinity else {
                    throw XGBoostFile.fault("Node \(index) has a threshold that nothing is below.", key)
                }
                node.threshold = Double(conditions[index])
            }
            nodes.append(node)
        }
        return (nodes, sets.keys.sorted().compactMap { sets[$0] })
    }

    /// The categories that go to the right, by node.
    private func categorySets(count: Int) throws(MartletError) -> [Int: CategorySet] {
        guard object["split_type"] != nil else { return [:] }
        let types = try integers("split_type", count: count)
        guard types.allSatisfy({ $0 == 0 || $0 == 1 }) else {
            throw XGBoostFile.fault("`split_type` has other values than 0 and 1.", key)
        }
        let nodes = try integers("categories_nodes", count: nil)
        let segments = try integers("categories_segments", count: nodes.count)
        let sizes = try integers("categories_sizes", count: nodes.count)
        let categories = try integers("categories", count: nil)
        guard categories.allSatisfy({ (0..<16_777_216).contains($0) }) else {
            throw XGBoostFile.fault("`categories` has numbers that no category can have.", key)
        }
        var sets: [Int: CategorySet] = [:]
        for (place, node) in nodes.enumerated() {
            let (start, size) = (segments[place], sizes[place])
            guard start >= 0, size > 0, start <= categories.count, size <= categories.count - start,
                (0..<count).contains(node), types[node] == 1, sets[node] == nil
            else { throw XGBoostFile.fault("The categories of node \(node) are not there.", key) }
            let chosen = categories[start..<start + size]
            var set = CategorySet(words: [UInt32](repeating: 0, count: (chosen.max() ?? 0) / 32 + 1))
            for category in chosen { set.words[category >> 5] |= 1 << UInt32(category & 31) }
            sets[node] = set
        }
        guard sets.count == types.count(where: { $0 == 1 }) else {
            throw XGBoostFile.fault("A categorical split has no categories.", key)
        }
        return sets
    }

    private func integers(_ name: String, count: Int?) throws(MartletError) -> [Int] {
        try list(name, count: count) { $0.integer }
    }

    private func list<T>(_ name: String, count: Int?, _ read: (JSONValue) -> T?) throws(MartletError) -> [T] {
        guard let items = object[name]?.list, count == nil || items.count == count else {
            throw XGBoostFile.fault("`\(name)` is missing or not as long as `left_children`.", key)
        }
        let values = items.compactMap(read)
        guard values.count == items.count else {
            throw XGBoostFile.fault("`\(name)` has something else than the numbers it should have.", key)
        }
        return values
    }
}
