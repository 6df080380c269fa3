extension Forest {
    /// Writes the forest as a LightGBM model file (version 4) that averages the leaves of the trees.
    ///
    /// There is no objective line, so any LightGBM gives the averaged probability as its prediction. Numbers are
    /// written in the shortest form that reads back the same. Characters that the format reserves are removed from the
    /// names; features are identified by their position.
    package func lightGBMText() -> String {
        let names = self.names.map(Self.fileName)
        let blocks = trees.enumerated().map { "Tree=\($0)\n" + $1.lightGBMBlock + "\n" }
        var text = "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\n"
        text += "max_feature_idx=\(names.count - 1)\naverage_output\n"
        text += "feature_names=\(names.joined(separator: " "))\n"
        text += "feature_infos=\(names.indices.map(featureInfo).joined(separator: " "))\n"
        text += "tree_sizes=\(blocks.map { String($0.utf8.count) }.joined(separator: " "))\n\n"
        for block in blocks { text += block }
        text += "end of trees\n\nfeature_importances:\n"
        var splits = [Int](repeating: 0, count: names.count)
        for tree in trees {
            for node in tree.nodes where node.feature >= 0 { splits[Int(node.feature)] += 1 }
        }
        let ranked = names.indices.filter { splits[$0] > 0 }
            .sorted { splits[$0] != splits[$1] ? splits[$0] > splits[$1] : $0 < $1 }
        for feature in ranked { text += "\(names[feature])=\(splits[feature])\n" }
        text += "\nparameters:\n[boosting: rf]\n[num_iterations: \(count)]\n"
        return text + "\nend of parameters\n"
    }

    private func featureInfo(_ feature: Int) -> String {
        guard let range = ranges[feature] else { return "none" }
        guard categorical[feature] else { return "[\(range.lowerBound):\(range.upperBound)]" }
        return (0...Int(range.upperBound)).map { String($0) }.joined(separator: ":")
    }

    private static func fileName(_ name: String) -> String {
        let kept = name.unicodeScalars.map { scalar in
            let plain = scalar.value > 32 && scalar.value != 127 && !",:[]{}\"=".unicodeScalars.contains(scalar)
            return plain && !scalar.properties.isWhitespace ? Character(scalar) : "_"
        }
        return kept.isEmpty ? "_" : String(kept)
    }
}

extension DecisionTree {
    /// The lines of one tree. Inner nodes and leaves are numbered each by themselves, in depth-first order; a child
    /// that is leaf k is written as ~k.
    fileprivate var lightGBMBlock: String {
        var number = [Int](repeating: 0, count: nodes.count)
        var inner: [Int] = []
        var leaves: [Int] = []
        for place in nodes.indices {
            if nodes[place].feature >= 0 {
                number[place] = inner.count
                inner.append(place)
            } else {
                number[place] = ~leaves.count
                leaves.append(place)
            }
        }
        func line(_ name: String, _ places: [Int], _ value: (Int) -> String) -> String {
            "\(name)=\(places.map(value).joined(separator: " "))\n"
        }
        var text = "num_leaves=\(leaves.count)\nnum_cat=\(levelSets.count)\n"
        text += line("split_feature", inner) { "\(nodes[$0].feature)" }
        text += line("split_gain", inner) { "\(records[$0].gain)" }
        text += line("threshold", inner) {
            nodes[$0].levelSet >= 0 ? "\(nodes[$0].levelSet)" : "\(nodes[$0].threshold)"
        }
        text += line("decision_type", inner) { "\(decisionType(nodes[$0]))" }
        text += line("left_child", inner) { "\(number[Int(nodes[$0].left)])" }
        text += line("right_child", inner) { "\(number[Int(nodes[$0].right)])" }
        text += line("leaf_value", leaves) { "\(records[$0].value)" }
        text += line("leaf_weight", leaves) { "\(records[$0].weight)" }
        text += line("leaf_count", leaves) { "\(records[$0].count)" }
        text += line("internal_value", inner) { "\(records[$0].value)" }
        text += line("internal_weight", inner) { "\(records[$0].weight)" }
        text += line("internal_count", inner) { "\(records[$0].count)" }
        if !levelSets.isEmpty {
            var boundaries = [0]
            for set in levelSets { boundaries.append(boundaries[boundaries.count - 1] + set.count) }
            text += "cat_boundaries=\(boundaries.map { String($0) }.joined(separator: " "))\n"
            text += "cat_threshold=\(levelSets.joined().map { String($0) }.joined(separator: " "))\n"
        }
        return text + "is_linear=0\nshrinkage=1\n\n"
    }

    /// Bit 0: categorical; bit 1: missing goes left; bits 2 and 3: what counts as missing, 2 being NaN.
    private func decisionType(_ node: Node) -> Int {
        (node.levelSet >= 0 ? 1 : 0) | (node.missingLeft ? 2 : 0) | (2 << 2)
    }
}
