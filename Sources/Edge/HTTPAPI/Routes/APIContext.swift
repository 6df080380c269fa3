package import Hummingbird
package import Identity
package import NIOCore

/// Request context passed through the routes: id, principal, session and address.
package struct APIContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    /// Address at the other end of the connection: the client's, or that of a proxy in front; `nil` when unknown.
    package let peer: SocketAddress?
    /// Id from X-Request-ID, or generated; in the response, in problems and in every log line.
    package var requestID = ""
    /// The authenticated caller; `nil` for an unknown one, whom only routes for anyone let in.
    package var principal: Principal?
    /// Id of the session of a logged-in person, on routes that need a permission; `nil` with a token.
    package var session: String?
    /// The client's address as the proxy in front tells it, which then is the one that counts.
    var forwardedAddress: String?
    /// When it came, in seconds of the clock that only goes forward.
    var began = 0.0
    let notes = RequestNotes()

    package init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        peer = source.channel.remoteAddress
    }

    /// Client's address without the port, for throttling and logs.
    package var address: String { forwardedAddress ?? peer?.ipAddress ?? "unknown" }

    /// Whose share of what is scarce the request takes.
    var client: String { principal?.id ?? AddressKey.of(address) }

    /// Who makes the request, on a route that is not for anyone.
    var known: Principal {
        get throws {
            guard let principal else {
                throw Problem(.internalServerError, "http.500", "A route for known people was entered by nobody.")
            }
            return principal
        }
    }

    /// Who is written into history and audit.
    var author: Author { Author(actor: principal?.actor ?? "anyone", request: requestID) }

    /// Refuses a token of another project.
    func require(project: String) throws {
        guard let own = principal?.project, own != project else { return }
        throw Problem(
            .forbidden, "access.project", "This token is for the project \(own), not for \(project.prefix(80)).",
            remedy: "Use a token of that project: `martlet tokens create`.")
    }
}
