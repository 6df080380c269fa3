internal import JSONText

/// A fault in a request body or row: why it cannot be scored, or a warning about a row that was scored.
package struct InputFault: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of fault; a stable code.
    package enum Code: String, Sendable, CaseIterable {
        case malformed = "serving.malformed"
        case shape = "serving.shape"
        case unknownCategory = "serving.unknown-category"
        case missingColumn = "serving.missing-column"
        case wrongType = "serving.wrong-type"
        case outOfRange = "serving.out-of-range"
        case unknownColumn = "serving.unknown-column"
        case repeatedColumn = "serving.repeated-column"
        case recordTooLong = "serving.record-too-long"
        case tooManyRows = "serving.too-many-rows"
    }

    /// Kind of the fault, which clients see as its raw value.
    package let code: Code
    /// JSONPath of the value, or line and column of a CSV file.
    package let path: String
    /// Description of the fault for people.
    package let detail: String

    package var description: String { "\(path): \(detail) [\(code.rawValue)]" }

    package init(_ code: Code, at path: String, _ detail: String) {
        self.code = code
        self.path = path
        self.detail = detail
    }

    /// What reading a body threw.
    init(reading error: any Error) {
        switch error {
        case let fault as InputFault: self = fault
        case let fault as JSONScanner.Fault: self.init(fault)
        default: self.init(.malformed, at: "$", "\(error)")
        }
    }

    init(_ fault: JSONScanner.Fault, at path: String = "$") { self.init(.malformed, at: path, fault.sentence) }
}

extension InputFault {
    /// A set of fault codes in two bytes.
    package struct Codes: OptionSet, Sendable {
        package let rawValue: UInt16

        package init(rawValue: UInt16) { self.rawValue = rawValue }

        package init(_ code: Code) { rawValue = 1 << UInt16(Code.allCases.firstIndex(of: code) ?? 0) }

        /// The codes, in the order in which ``Code`` has them.
        package var codes: [Code] {
            isEmpty ? [] : Code.allCases.filter { contains(Codes($0)) }
        }
    }
}
