internal import NIOCore
internal import NIOHTTP1
internal import Serving

/// Answers small requests for predictions on the connection's event loop, in front of the router: no task, no actor hop,
/// no second form of the request. Everything else goes on to the router, which answers the same routes with the same
/// code: bodies that are large or come in chunks, a token that is not known, a model that is not loaded.
///
/// Invariants:
/// 1. Answers leave in the order of the requests: while the router is at work on one, the next go to the router as well,
///    and while an answer waits here, what arrives waits too.
/// 2. A request is answered by the version that the slot held when its last byte had come.
final class ScoringLane: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private enum State {
        /// Between requests.
        case idle
        /// The body of a request that is to be answered here.
        case collecting(LaneRequest, ByteBuffer?)
        /// The body of a request that the router answers.
        case passing
    }

    private let map: LaneMap
    private let bench: LaneBench
    private var state = State.idle
    /// Requests that the router has and has not answered yet.
    private var elsewhere = 0
    private var rawContext: ChannelHandlerContext?

    init(_ map: LaneMap, _ bench: LaneBench) {
        self.map = map
        self.bench = bench
    }

    func handlerAdded(context: ChannelHandlerContext) {
        // Answers are written as bytes, past the encoder.
        rawContext = try? context.pipeline.syncOperations.context(handlerType: HTTPResponseEncoder.self)
    }

    func handlerRemoved(context: ChannelHandlerContext) { rawContext = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch (unwrapInboundIn(data), state) {
        case (.head(let head), _):
            if elsewhere == 0, rawContext != nil, let request = map.request(head) {
                state = .collecting(request, nil)
            } else {
                pass(context, data)
            }
        case (.body(let part), .collecting(let request, let held)):
            var body = part
            if var all = held {
                all.writeBuffer(&body)
                body = all
            }
            if body.readableBytes > map.limits.laneBytes {
                handOver(context, request, body)
            } else {
                state = .collecting(request, body)
            }
        case (.end(let trailers), .collecting(let request, let body)):
            state = .idle
            if !answer(context, request, body) {
                handOver(context, request, body)
                context.fireChannelRead(wrapInboundOut(.end(trailers)))
                state = .idle
            }
        case (.body, _): context.fireChannelRead(data)
        case (.end, _):
            context.fireChannelRead(data)
            state = .idle
        }
    }

    /// Gives a request that began here to the router.
    private func handOver(_ context: ChannelHandlerContext, _ request: LaneRequest, _ body: ByteBuffer?) {
        pass(context, wrapInboundOut(.head(request.head)))
        if let body { context.fireChannelRead(wrapInboundOut(.body(body))) }
    }

    private func pass(_ context: ChannelHandlerContext, _ head: NIOAny) {
        elsewhere += 1
        state = .passing
        context.fireChannelRead(head)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) { elsewhere -= 1 }
        context.write(data, promise: promise)
    }

    /// Answers; `false` if the router is to do it.
    private func answer(_ context: ChannelHandlerContext, _ request: LaneRequest, _ body: ByteBuffer?) -> Bool {
        guard let model = try? request.call.model(), let rawContext else { return false }
        let desk = bench.desk(for: model)
        let requestID = request.requestID ?? map.newID()
        let answer: ScoringAnswer
        do {
            answer = try (body ?? ByteBuffer()).withUnsafeReadableBytes { bytes in
                try request.call.answer(bytes, by: model, at: desk, requestID: requestID, mostRows: map.limits.rows)
            }
        } catch { return false }
        var out = context.channel.allocator.buffer(capacity: 256 + desk.writer.bytes.count)
        out.writeStaticString("HTTP/1.1 200 OK\r\ncontent-type: ")
        out.writeString(answer.contentType)
        out.writeStaticString("\r\ncontent-length: ")
        out.writeString(String(desk.writer.bytes.count))
        out.writeStaticString("\r\nx-request-id: ")
        out.writeString(requestID)
        if let count = answer.jsonBytes {
            out.writeStaticString("\r\ninference-header-content-length: ")
            out.writeString(String(count))
        }
        out.writeStaticString("\r\n")
        out.writeBytes(bench.dateLine())
        if !request.head.isKeepAlive { out.writeStaticString("connection: close\r\n") }
        out.writeStaticString("\r\n")
        out.writeBytes(desk.writer.bytes)
        rawContext.writeAndFlush(NIOAny(out), promise: nil)
        if !request.head.isKeepAlive { context.close(promise: nil) }
        return true
    }
}
