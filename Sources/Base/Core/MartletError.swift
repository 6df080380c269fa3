/// What every part of Martlet throws: a sentence for a person, where it happened, and what to do.
///
/// The description carries no secrets and no connection strings. It names row values only where the user
/// supplied them and needs them to find the fault (a bad cell, a misspelt key).
package struct MartletError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What sort of fault it is; decides the process exit code and, later, the HTTP status.
    package enum Kind: String, Sendable, Equatable {
        /// The command line was wrong (exit 64).
        case usage
        /// A file, configuration or row from outside is wrong (exit 1).
        case input
        /// Something asked for by name does not exist (exit 1).
        case missing
        /// The state of the project forbids it: a taken name, a held lock (exit 1).
        case conflict
        /// A gate, an approval or a comparison said no (exit 2).
        case refused
        /// The machine: disk, permissions, libraries (exit 1).
        case machine
        /// Martlet's own fault (exit 70).
        case defect
    }

    /// Where in what was given: a file, and as far as known a line, a column and a key path.
    package struct Location: Sendable, Equatable, CustomStringConvertible {
        package var file: String?
        package var line: Int?
        package var column: Int?
        package var key: String?

        package init(file: String? = nil, line: Int? = nil, column: Int? = nil, key: String? = nil) {
            self.file = file
            self.line = line
            self.column = column
            self.key = key
        }

        package var description: String {
            var place = file?.visible ?? ""
            if let line { place += "\(place.isEmpty ? "line " : ":")\(line)" }
            if let column { place += ":\(column)" }
            if let key { place += "\(place.isEmpty ? "" : ", ")\(key)" }
            return place
        }
    }

    package let kind: Kind
    /// Stable and greppable, `area.what`: "contract.unknown-key".
    package let code: String
    /// One or two sentences, without the location.
    package let message: String
    package let location: Location?
    /// What to do about it.
    package let remedy: String?
    /// Faults that were found besides; this one decides the exit code.
    package private(set) var others: [MartletError] = []

    package init(
        _ kind: Kind, _ code: String, _ message: String, at location: Location? = nil, remedy: String? = nil
    ) {
        self.kind = kind
        self.code = code
        self.message = message
        self.location = location
        self.remedy = remedy
    }

    package var description: String {
        var text = ""
        if let location, !location.description.isEmpty { text += "\(location): " }
        text += "\(message) [\(code)]"
        if let remedy { text += "\n  → \(remedy)" }
        for other in others { text += "\nerror: \(other)" }
        return text
    }

    /// The first of several faults, with the others behind it; `nil` when there is none.
    package static func first(of faults: [MartletError]) -> MartletError? {
        let all = faults.flatMap { [$0.alone] + $0.others }
        guard var first = all.first else { return nil }
        first.others = Array(all.dropFirst())
        return first
    }

    /// This fault and those found besides, one by one.
    package var each: [MartletError] { [alone] + others }

    private var alone: MartletError {
        var copy = self
        copy.others = []
        return copy
    }

    /// The same fault in whole sentences, at `place` where it does not know its own.
    package func sentence(at place: Location? = nil) -> MartletError {
        MartletError(kind, code, message.sentence, at: location ?? place, remedy: remedy?.sentence)
    }

    /// The same fault at another place, which is known better.
    package func placed(at place: Location) -> MartletError {
        MartletError(kind, code, message, at: place, remedy: remedy)
    }

    /// The process exit code: 0 done, 1 failed, 2 a gate said no, 64 usage, 70 a defect of Martlet.
    package var exitCode: Int32 {
        switch kind {
        case .usage: 64
        case .refused: 2
        case .defect: 70
        case .input, .missing, .conflict, .machine: 1
        }
    }
}

extension String {
    /// With a capital at the beginning and a full stop at the end. A name in code (`rare_below`) stays as it is.
    fileprivate var sentence: String {
        guard let first else { return self }
        let word = prefix { !$0.isWhitespace }
        let isName = word.contains { "_=.".contains($0) } && !word.hasSuffix(".")
        let end = hasSuffix(".") || hasSuffix("?") || hasSuffix("!") || hasSuffix("`") ? "" : "."
        return (isName ? String(first) : first.uppercased()) + dropFirst() + end
    }
}
