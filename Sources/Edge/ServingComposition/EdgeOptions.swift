internal import ArgumentParser
internal import Core
package import HTTPAPI
internal import Storage

/// Command-line options for address, TLS, proxies and limits of the server.
package struct EdgeOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Address to listen on. Other than a loopback address it needs --tls-certificate and --tls-key, or --behind-proxy.",
            valueName: "address"))
    var host = "127.0.0.1"

    @Option(
        help: ArgumentHelp(
            "Serve HTTPS with the certificate chain in this PEM file; it is reloaded when it changes.",
            valueName: "file"))
    var tlsCertificate: String?

    @Option(help: ArgumentHelp("The PEM file of the certificate's private key.", valueName: "file"))
    var tlsKey: String?

    @Flag(
        help:
            "A proxy terminates TLS and sets X-Forwarded-For, -Proto and -Host; nobody else can reach this port.")
    var behindProxy = false

    @Option(
        name: .customLong("allow-host"),
        help: ArgumentHelp(
            "Host name that requests may use; localhost and addresses are always allowed. May be repeated.",
            valueName: "name"))
    var names: [String] = []

    @Option(
        help: ArgumentHelp(
            "Rate limit for each client as REQUESTS/SECONDS (2000/300), or none. Without it, only addresses without a valid token or session are limited, to 2000/300.",
            valueName: "n/s"))
    var rateLimit: String?

    @Option(help: "Largest number of open connections; further ones get 503.")
    var maxConnections = 10_000

    @Option(
        help: "Largest number of concurrent requests, not counting predictions with small bodies; further ones get 503."
    )
    var maxRequests = 256

    @Option(
        help: ArgumentHelp(
            "Seconds a client may take for the head of a request, for the body (and one more for each 500 bytes), and for reading nothing of its response.",
            valueName: "s"))
    var clientTimeout = 20.0

    @Option(help: ArgumentHelp("Seconds that a connection may be idle between requests.", valueName: "s"))
    var idleTimeout = 75.0

    @Flag(help: "Log every request, predictions too.")
    var accessLog = false

    @Option(help: ArgumentHelp("Milliseconds from which a request is logged as slow.", valueName: "ms"))
    var slowMs = 250.0

    @Flag(help: "Let anyone read /metrics, without a token.")
    var metricsOpen = false

    @Flag(
        name: .customLong("openapi-open"),
        help: "Let anyone read the models' columns in /openapi.json, without a token.")
    var openAPIOpen = false

    package init() {}

    /// Whether clients use HTTPS: TLS ends in this server, or at the proxy in front of it.
    package var isSecure: Bool { tlsCertificate != nil || behindProxy }

    /// Rate limits of callers with a valid token or session, and of other addresses; `nil` for no limit.
    package var limits: (known: RateLimit?, strangers: RateLimit?) {
        guard let rateLimit else { return (nil, RateLimit(requests: 2000, seconds: 300)) }
        return (RateLimit(rateLimit), RateLimit(rateLimit))
    }

    /// Timeouts of connections: `--client-timeout` for head, body and write, `--idle-timeout` between requests.
    package var timeouts: ConnectionTimeouts {
        var timeouts = ConnectionTimeouts()
        (timeouts.head, timeouts.body, timeouts.write) = (clientTimeout, clientTimeout, clientTimeout)
        timeouts.idle = idleTimeout
        return timeouts
    }

    package func validate() throws {
        if (tlsCertificate == nil) != (tlsKey == nil) {
            throw ValidationError("--tls-certificate and --tls-key go together.")
        }
        if tlsCertificate != nil, behindProxy {
            throw ValidationError("Give --tls-certificate or --behind-proxy: TLS ends here, or at the proxy.")
        }
        if !["127.0.0.1", "::1", "localhost"].contains(host), !isSecure {
            throw ValidationError(
                "--host \(host) can be reached from other machines, and tokens must not cross a network in the clear: "
                    + "give --tls-certificate and --tls-key, or --behind-proxy where a proxy does TLS.")
        }
        if let rateLimit, rateLimit != "none", RateLimit(rateLimit) == nil {
            throw ValidationError(
                "--rate-limit must be REQUESTS/SECONDS, like 2000/300, over at most 86400 s, or none.")
        }
        if maxConnections < 1 { throw ValidationError("--max-connections must be at least 1.") }
        if maxRequests < 1 { throw ValidationError("--max-requests must be at least 1.") }
        if !(0.1...3600).contains(clientTimeout) { throw ValidationError("--client-timeout must be from 0.1 to 3600.") }
        if !(0.1...3600).contains(idleTimeout) { throw ValidationError("--idle-timeout must be from 0.1 to 3600.") }
        if !(slowMs >= 0) { throw ValidationError("--slow-ms must be at least 0.") }
    }

    /// - Throws: `tls.…` when the certificate cannot be used.
    func certificate() throws -> CertificateFiles? {
        guard let tlsCertificate, let tlsKey else { return nil }
        return try CertificateFiles(certificate: Disk.absolute(tlsCertificate), key: Disk.absolute(tlsKey))
    }
}
