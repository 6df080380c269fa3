package import Hummingbird
package import Identity
package import NIOCore

/// What travels with a request through the routes.
package struct APIContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    /// The client's address as the socket knows it.
    package let peer: SocketAddress?
    /// Given by the client in X-Request-ID, or made here; in the answer, in problems and in every log line.
    package var requestID = ""
    /// Who makes the request; `nil` on routes for anyone.
    package var principal: Principal?
    /// The session's id, where it is a person's.
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

    /// The client's address without the port, as throttles and logs name it.
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
