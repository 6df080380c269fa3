package import Hummingbird
package import NIOCore

/// What travels with a request through the routes.
package struct APIContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    /// The client's address as the socket knows it.
    package let peer: SocketAddress?
    /// Given by the client in X-Request-ID, or made here; in the answer, in problems and in every log line.
    package var requestID = ""
    /// Who makes the request: a user or token name, `nil` for anyone.
    package var principal: String?

    package init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        peer = source.channel.remoteAddress
    }
}
