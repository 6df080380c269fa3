internal import CLibrary
internal import Synchronization

/// The host names that a server accepts, as protection against DNS rebinding.
///
/// A page on another site can have its own name resolve to this machine's address (DNS rebinding); its requests then
/// come with its own name as Host. So a request is taken only for `localhost`, a literal address, which no name stands
/// behind, or a name that the server was started with.
///
/// ```swift
/// let site = Site(names: ["models.example.org"], isSecure: true)
/// site.answers(to: "models.example.org:443")  // true
/// ```
package struct Site: Sendable {
    /// The last accepted authority.
    private final class Last: Sendable {
        let name = Mutex("")
    }

    private let names: Set<String>
    private let last = Last()
    /// Whether it is reached by HTTPS, by its own certificate or a proxy's.
    package let isSecure: Bool
    /// Whether a proxy sets X-Forwarded-Host to the name that the client used.
    package let isBehindProxy: Bool

    /// Makes a site.
    /// - Parameter names: host names without port; upper and lower case are the same.
    package init(names: [String], isSecure: Bool, isBehindProxy: Bool = false) {
        self.isBehindProxy = isBehindProxy
        self.names = Set(names.map { Site.plain($0) } + ["localhost"])
        self.isSecure = isSecure
    }

    /// Whether a request with this authority (Host, or a URL's) is for this server.
    package func answers(to authority: String) -> Bool {
        if authority.isEmpty { return false }
        // Nearly all requests come with the same one.
        if !authority.isEmpty, last.name.withLock({ $0 == authority }) { return true }
        guard let (host, _) = Site.parts(of: authority), Site.isAddress(host) || names.contains(host) else {
            return false
        }
        last.name.withLock { $0 = authority }
        return true
    }

    /// Whether an Origin header is this server's own, as the request's authority names it. "null" never is.
    package func isOwn(origin: String, at authority: String) -> Bool {
        guard let colon = origin.firstIndex(of: ":"), origin[colon...].hasPrefix("://") else { return false }
        let scheme = origin[..<colon].lowercased()
        guard scheme == "https" || (scheme == "http" && !isSecure) else { return false }
        let usual = scheme == "https" ? 443 : 80
        guard let own = Site.parts(of: authority),
            let other = Site.parts(of: String(origin[origin.index(colon, offsetBy: 3)...]))
        else { return false }
        return own.host == other.host && (own.port ?? usual) == (other.port ?? usual)
    }

    /// Host and port; `nil` for what is no authority, or has a user in it.
    private static func parts(of authority: String) -> (host: String, port: Int?)? {
        var host = Substring(authority)
        var port: Int?
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            let rest = authority[authority.index(after: end)...]
            host = authority[authority.index(after: authority.startIndex)..<end]
            guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
            if !rest.isEmpty {
                guard let number = number(rest.dropFirst()) else { return nil }
                port = number
            }
            guard isAddress(String(host)), host.contains(":") else { return nil }
        } else if let colon = authority.firstIndex(of: ":") {
            host = authority[..<colon]
            guard let number = number(authority[authority.index(after: colon)...]) else { return nil }
            port = number
        }
        let name = plain(String(host))
        guard !name.isEmpty,
            name.utf8.allSatisfy({
                (97...122).contains($0) || (48...57).contains($0) || $0 == 45 || $0 == 46 || $0 == 95 || $0 == 58
            })
        else { return nil }
        return (name, port)
    }

    private static func number(_ digits: Substring) -> Int? {
        guard (1...5).contains(digits.utf8.count), digits.utf8.allSatisfy({ (48...57).contains($0) }),
            let number = Int(digits), number <= 65_535
        else { return nil }
        return number
    }

    /// Lower case, without the full stop that may end a whole name.
    private static func plain(_ host: String) -> String {
        let lower = host.lowercased()
        return lower.hasSuffix(".") ? String(lower.dropLast()) : lower
    }

    /// Whether it is an IPv4 address in four parts, or an IPv6 one.
    private static func isAddress(_ host: String) -> Bool {
        // Room for an IPv6 address.
        var buffer: (UInt64, UInt64) = (0, 0)
        return inet_pton(AF_INET, host, &buffer) == 1 || inet_pton(AF_INET6, host, &buffer) == 1
    }
}
