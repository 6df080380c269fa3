internal import Core

/// A movable name on a version.
package enum ModelAlias: String, Sendable, CaseIterable, Encodable {
    /// The version in use.
    case champion
    /// The newest version that may be promoted.
    case candidate
}

/// How a person names a model or a version of it: "readmission", "readmission@champion", "readmission@3".
package struct ModelReference: Sendable, Hashable, CustomStringConvertible {
    package enum Selector: Sendable, Hashable {
        case version(Int)
        case alias(ModelAlias)
    }

    package let model: String
    /// `nil` if only the model was named.
    package let selector: Selector?

    package init(model: String, selector: Selector? = nil) {
        self.model = model
        self.selector = selector
    }

    /// Reads NAME, NAME@ALIAS or NAME@NUMBER. Refuses anything else with `registry.bad-reference`.
    package init(parsing text: String) throws {
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let name = parts.first, !name.isEmpty, !name.contains(where: { $0.isWhitespace || $0 == ":" }) else {
            throw Self.bad(text, "does not begin with the name of a model")
        }
        model = name
        guard parts.count == 2 else {
            selector = nil
            return
        }
        let choice = parts[1]
        if let alias = ModelAlias(rawValue: choice) {
            selector = .alias(alias)
        } else if let number = Int(choice), number >= 1, !choice.hasPrefix("+") {
            selector = .version(number)
        } else {
            let hint = Spelling.nearest(to: choice, among: ModelAlias.allCases.map(\.rawValue))
            throw Self.bad(text, "names no version", hint.map { "\(name)@\($0)" })
        }
    }

    package var description: String {
        switch selector {
        case nil: model
        case .version(let number): "\(model)@\(number)"
        case .alias(let alias): "\(model)@\(alias.rawValue)"
        }
    }

    private static func bad(_ text: String, _ why: String, _ suggestion: String? = nil) -> MartletError {
        MartletError(
            .usage, "registry.bad-reference",
            "'\(text)' \(why)." + (suggestion.map { " Did you mean \($0)?" } ?? ""),
            remedy: "Write NAME@champion, NAME@candidate or NAME@3.")
    }
}
