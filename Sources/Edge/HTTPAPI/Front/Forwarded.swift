internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// Parser of a proxy's forwarding headers. Only the last entry is the proxy's own; earlier ones may be forged.
enum Forwarded {
    /// The last of a list's elements.
    static func last(_ list: String) -> Substring {
        let last = list[(list.lastIndex(of: ",").map { list.index(after: $0) } ?? list.startIndex)...]
        return last.drop { $0 == " " || $0 == "\t" }.trailing
    }

    /// The client's address; `nil` if there is none, or it is no address.
    static func address(_ headers: HTTPFields) -> String? {
        guard let list = headers[.forwardedFor] else { return nil }
        var text = String(last(list))
        if text.hasPrefix("[") {
            text = String(text.dropFirst().prefix { $0 != "]" })
        } else if text.count(where: { $0 == ":" }) == 1 {
            text = String(text.prefix { $0 != ":" })
        }
        return (try? SocketAddress(ipAddress: text, port: 0))?.ipAddress
    }

    static func host(_ headers: HTTPFields) -> String? { headers[.forwardedHost].map { String(last($0)) } }

    /// Refuses what the proxy got without TLS: a token or password would have crossed the network in the clear.
    static func requireTLS(_ headers: HTTPFields) throws {
        guard let scheme = headers[.forwardedProto].map({ last($0).lowercased() }), scheme != "https" else { return }
        throw Problem(
            .forbidden, "access.insecure", "The proxy got this request without TLS.", remedy: "Ask by https://.")
    }
}

extension Substring {
    fileprivate var trailing: Substring {
        var end = endIndex
        while end > startIndex, self[index(before: end)] == " " || self[index(before: end)] == "\t" {
            end = index(before: end)
        }
        return self[..<end]
    }
}

extension HTTPField.Name {
    static let forwardedFor = own("X-Forwarded-For")
    static let forwardedHost = own("X-Forwarded-Host")
    static let forwardedProto = own("X-Forwarded-Proto")
}
