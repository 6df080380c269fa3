internal import NIOHTTP1

/// Parser of absolute-form request targets: `GET http://name/path` (RFC 9112, 3.2.2).
enum AbsoluteForm {
    /// Puts the path in the target's place, and its authority in Host's, which it replaces.
    /// - Returns: `false` for a target that is neither.
    static func resolve(_ head: inout HTTPRequestHead) -> Bool {
        // Nearly all are the path itself; OPTIONS may ask for "*", and CONNECT for a host.
        if head.uri.utf8.first == UInt8(ascii: "/") || head.uri == "*" || head.method == .CONNECT { return true }
        let lower = head.uri.prefix(8).lowercased()
        let scheme = ["http://", "https://"].first { lower.hasPrefix($0) }
        guard let scheme else { return false }
        let rest = head.uri.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard !authority.isEmpty else { return false }
        let path = rest.dropFirst(authority.count).prefix { $0 != "#" }
        head.headers.replaceOrAdd(name: "host", value: String(authority))
        head.uri = path.first == "/" ? String(path) : "/" + path
        return true
    }
}
