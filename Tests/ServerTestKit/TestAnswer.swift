package import Core
package import HTTPTypes

/// What a server answered.
package struct TestAnswer: Sendable, CustomStringConvertible {
    package let status: Int
    package let headers: HTTPFields
    package let body: String

    package var json: JSONValue { JSONValue(parsing: body) ?? .null }

    /// The code of a problem; in the errors of other protocols it stands at the end of their sentence.
    package var code: String {
        if let code = json["code"]?.text { return code }
        guard let sentence = json["error"]?.text ?? json["message"]?.text, sentence.hasSuffix("]"),
            let start = sentence.lastIndex(of: "[")
        else { return "" }
        return String(sentence[sentence.index(after: start)...].dropLast())
    }

    package var description: String { "\(status) \(body.prefix(400))" }

    /// The session's cookie, as a browser would send it back.
    package var cookie: String {
        String(headers[.setCookie]?.split(separator: ";").first ?? "")
    }
}
