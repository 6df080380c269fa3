/// The error type of every module: a kind, a stable code, a message, a location and a remedy.
///
/// ```swift
/// throw MartletError(
///     .input, "config.unknown-key", "There is no key tpye here.",
///     at: .init(file: "contracts/visits.yaml", line: 4), remedy: "Did you mean type?")
/// ```
///
/// The description carries no secrets and no connection strings. It names row values only where the user
/// supplied them and needs them to find the fault (a bad cell, a misspelt key).
package struct MartletError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The category of an error; decides the process exit code and the HTTP status.
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

    /// Where in the input an error is: a file and, when known, line, column and key path.
    package struct Location: Sendable, Equatable, CustomStringConvertible {
        /// Path of the file, or place of the database; `nil` when the input is neither, such as a request body.
        package var file: String?
        /// Line of the file, from 1; `nil` when unknown.
        package var line: Int?
        /// Column in the line, from 1; `nil` when unknown. It is set for YAML that cannot be parsed.
        package var column: Int?
        /// Path of the key: `models.readmission` in a configuration, `$.rows` in a request body; `nil` for none.
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

    /// Category of the error; decides the exit code.
    package let kind: Kind
    /// Stable code `area.what`, part of the interface: "config.unknown-key".
    package let code: String
    /// One or two sentences, without the location.
    package let message: String
    /// Where the error is; `nil` when it has no place.
    package let location: Location?
    /// What the person can do about it; `nil` when nothing is suggested.
    package let remedy: String?
    /// Further errors found in the same pass; this one decides the exit code.
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

    /// Combines several errors to the first one with the rest in `others`; `nil` for an empty list.
    package static func first(of faults: [MartletError]) -> MartletError? {
        let all = faults.flatMap { [$0.alone] + $0.others }
        guard var first = all.first else { return nil }
        first.others = Array(all.dropFirst())
        return first
    }

    /// This error and its `others` as a flat list.
    package var each: [MartletError] { [alone] + others }

    private var alone: MartletError {
        var copy = self
        copy.others = []
        return copy
    }

    /// Returns the error with a message in whole sentences, located at `place` if it has no location yet.
    package func sentence(at place: Location? = nil) -> MartletError {
        MartletError(kind, code, message.sentence, at: location ?? place, remedy: remedy?.sentence)
    }

    /// Returns the error with its location replaced.
    package func placed(at place: Location) -> MartletError {
        MartletError(kind, code, message, at: place, remedy: remedy)
    }

    /// Process exit code: 0 done, 1 failed, 2 rejected by a gate, 64 usage, 70 a defect of Martlet.
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
