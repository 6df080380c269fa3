internal import Core
internal import HTTPTypes
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypes
internal import NIOHTTPTypesHTTP1
internal import NIOSSL

/// Channel pipeline of a connection: TLS, connection guard, HTTP/1.1, fast path, Hummingbird.
struct FrontChannel: ServerChildChannel, HTTPChannelHandler {
    typealias Value = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

    let responder: HTTPChannelHandler.Responder
    let settings: FrontServer.Settings
    let metrics: ServerMetrics
    let clock: any ExecutionClock
    /// Makes the handler that goes in front of the router's.
    let makeFastPath: @Sendable (any EventLoop, ConnectionProgress) -> FastPathHandler?

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            let tls = settings.certificate
            if let tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls.context)) }
            let progress = ConnectionProgress(clock: clock)
            try pipeline.addHandler(
                ConnectionGuard(
                    progress: progress, timeouts: settings.timeouts, metrics: metrics, most: settings.connections,
                    isSecure: tls != nil))
            try pipeline.configureHTTPServerPipeline(
                withPipeliningAssistance: false, withErrorHandling: false, withOutboundHeaderValidation: false)
            if let handler = makeFastPath(channel.eventLoop, progress) { try pipeline.addHandler(handler) }
            try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: tls != nil))
            try pipeline.addHandler(HTTPConnectionStateHandler(logger: logger))
            return try NIOAsyncChannel(
                wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
        }
    }

    func handle(value: Value, logger: Logger) async { await handleHTTP(asyncChannel: value, logger: logger) }
}
