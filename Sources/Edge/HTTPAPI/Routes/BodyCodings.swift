internal import HTTPTypes

/// Checks the Transfer-Encoding of a request (RFC 9112, 6.1 and 6.3).
enum BodyCodings {
    /// As it is, in one piece or in chunks.
    case plain
    /// In chunks of something that would have to be unpacked: 501.
    case packed
    /// So that its end cannot be known, or in chunks twice: 400, and nothing after it is read.
    case unclear

    /// - Parameter fields: the values of all Transfer-Encoding fields, in order.
    init(_ fields: some Sequence<some StringProtocol>) {
        let codings = fields.flatMap { $0.split(separator: ",") }.map { coding in
            coding.lowercased().filter { $0 != " " && $0 != "\t" }
        }.filter { !$0.isEmpty }
        guard let last = codings.last else {
            self = .plain
            return
        }
        if last != "chunked" || codings.dropLast().contains("chunked") {
            self = .unclear
        } else {
            self = codings.count == 1 ? .plain : .packed
        }
    }
}
