internal import Core

/// A movable name for a version of a model: champion, candidate.
package enum ModelAlias: String, Sendable, CaseIterable, Encodable {
    /// The version in use.
    case champion
    /// The newest version that may be promoted.
    case candidate
}

/// A parsed reference to a model or version: "readmission", "readmission@champion", "readmission@3".
///
/// ```swift
/// let reference = try ModelReference(parsing: "readmission@3")
/// let version = try registry.models.show(reference)
/// ```
package struct ModelReference: Sendable, Hashable, CustomStringConvertible {
    /// Which version is meant: an alias or a number.
    package enum Selector: Sendable, Hashable {
        case version(Int)
        case alias(ModelAlias)
    }

    /// Name of the model as written; it need not be registered.
    package let model: String
    /// Alias or number; `nil` if only the model was named.
    package let selector: Selector?

    package init(model: String, selector: Selector? = nil) {
        self.model = model
        self.selector = selector
    }

    /// Parses NAME, NAME@ALIAS or NAME@NUMBER. Throws `registry.bad-reference` for anything else.
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

extension ModelReference {
    /// Itself, or the champion where it names no version.
    package var orChampion: ModelReference {
        selector == nil ? ModelReference(model: model, selector: .alias(.champion)) : self
    }
}
