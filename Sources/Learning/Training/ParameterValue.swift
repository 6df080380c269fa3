/// A learner parameter's value from a project file: number, text or Boolean.
package enum ParameterValue: Sendable, Equatable {
    case number(Double)
    case text(String)
    case flag(Bool)
}

extension ParameterValue: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let flag = try? container.decode(Bool.self) {
            self = .flag(flag)
        } else if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else {
            self = .text(try container.decode(String.self))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .number(let number): try container.encode(number)
        case .text(let text): try container.encode(text)
        case .flag(let flag): try container.encode(flag)
        }
    }
}

extension ParameterValue: CustomStringConvertible {
    package var description: String {
        switch self {
        case .number(let number): Int64(exactly: number).map { String($0) } ?? "\(number)"
        case .text(let text): text
        case .flag(let flag): "\(flag)"
        }
    }
}
