internal import NIOCore
internal import NIOHTTP1
internal import PredictionLog

/// Channel handler that has small prediction requests answered on the event loop, in front of the router.
///
/// No task, no actor hop, no second form of the request. Everything else goes on to the router, which answers the same
/// routes with the same code: bodies that are large or come in chunks, a token that is not known, a model that is not
/// loaded.
///
/// Invariants:
/// 1. Answers leave in the order of the requests: while the router is at work on one, the next go to the router as well,
///    and while an answer waits here, what arrives waits too.
/// 2. A request is answered by the version that the slot held when its last byte had come.
final class FastPathHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private enum State {
        /// Between requests.
        case idle
        /// The body of a request that is to be answered here.
        case collecting(FastPathRequest, ByteBuffer?)
        /// An answer waits for the prediction log.
        case answering
        /// The small body of a request that the router answers, and gets when it is whole: it begins with nothing that a
        /// slow client could keep it from ending.
        case gathering(HTTPRequestHead, ByteBuffer)
        /// The body of a request that the router answers.
        case passing
    }

    private let routes: FastPathRoutes
    private let shared: FastPathState
    private let scorer: FastPathScorer
    private let progress: ConnectionProgress
    private var state = State.idle
    /// Requests that the router has and has not answered yet.
    private var elsewhere = 0
    private var rawContext: ChannelHandlerContext?
    /// What arrived while an answer waited.
    private var waiting = CircularBuffer<HTTPServerRequestPart>()
    /// Whether `goOn` is at work: what it takes may be answered at once, which must not begin it again inside of itself.
    private var isGoingOn = false
    /// Most of it; then nothing more is read.
    private static let mostWaiting = 64
    private var holdsRead = false
    /// The server ends: the connection closes after the answer that waits.
    private var isQuiescing = false
    /// What ended the client's side while an answer waited: behind that answer it is passed on.
    private var fault: (any Error)?
    private var inputHasClosed = false
    /// The next request is not HTTP: that is said behind the answers that the router owes.
    private var refusal: HeadRefusal?
    /// The last request that the router has ends the connection: nothing behind it is read.
    private var isLast = false
    /// That request is one of HTTP/1.0.
    private var isOld = false
    private var hasClosed = false

    init(_ routes: FastPathRoutes, _ shared: FastPathState, _ progress: ConnectionProgress) {
        self.routes = routes
        self.shared = shared
        scorer = FastPathScorer(routes: routes, shared: shared)
        self.progress = progress
    }

    func handlerAdded(context: ChannelHandlerContext) {
        // Answers are written as bytes, past the encoder.
        rawContext = try? context.pipeline.syncOperations.context(handlerType: HTTPResponseEncoder.self)
    }

    func handlerRemoved(context: ChannelHandlerContext) { rawContext = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        if hasClosed {
            guard case .end = part else { return }
            state = .idle
            if progress.isLingering, !progress.isOver { context.close(promise: nil) }
            return
        }
        if refusal != nil { return }
        if case .answering = state { return waiting.append(part) }
        take(part, context)
    }

    private func take(_ part: HTTPServerRequestPart, _ context: ChannelHandlerContext) {
        switch (part, state) {
        case (.head(var head), _):
            progress.headEnded()
            // Of two names each side could believe another one (RFC 9112, section 3.2).
            if FastPathRoutes.hasManyHosts(head) || FastPathRoutes.hasUnclearCodings(head)
                || !AbsoluteForm.resolve(&head)
            {
                return refuse(.malformed, context)
            }
            if elsewhere == 0 { ExpectContinue.answer(head, rawContext, most: routes.limits.bodyBytes) }
            if elsewhere == 0, rawContext != nil, let request = routes.request(head) {
                progress.isAwaited = true
                state = .collecting(request, nil)
            } else if routes.gathers(head), shared.hasRoom {
                progress.isAwaited = true
                state = .gathering(head, ByteBuffer())
            } else {
                pass(context, head)
            }
        case (.body(var part), .gathering(let head, var held)):
            // Not twice in memory while it grows.
            state = .passing
            shared.gathered += part.readableBytes
            held.writeBuffer(&part)
            if held.readableBytes > routes.limits.fastPathBytes || !shared.hasRoom {
                shared.gathered -= held.readableBytes
                pass(context, head)
                context.fireChannelRead(wrapInboundOut(.body(held)))
            } else {
                state = .gathering(head, held)
            }
        case (.end(let trailers), .gathering(let head, let body)):
            shared.gathered -= body.readableBytes
            progress.requestEnded()
            pass(context, head, body, trailers)
        case (.body(let part), .collecting(let request, let held)):
            var body = part
            if var all = held {
                all.writeBuffer(&body)
                body = all
            }
            if body.readableBytes > routes.limits.fastPathBytes {
                routes.gatekeeper.undoAdmission(request.principal)
                pass(context, request.head)
                context.fireChannelRead(wrapInboundOut(.body(body)))
            } else {
                state = .collecting(request, body)
            }
        case (.end, .collecting(let request, let body)):
            state = .idle
            progress.requestEnded()
            answer(context, request, body ?? ByteBuffer())
        case (.body, _): context.fireChannelRead(wrapInboundOut(part))
        case (.end, _):
            // A refusal may have left before the body had come.
            if elsewhere > 0 { progress.requestEnded() } else { progress.rest() }
            context.fireChannelRead(wrapInboundOut(part))
            state = .idle
        }
    }

    private func pass(_ context: ChannelHandlerContext, _ head: HTTPRequestHead) {
        elsewhere += 1
        progress.elsewhere = elsewhere
        progress.isAwaited = false
        state = .passing
        isLast = isLast || FastPathRoutes.endsConnection(head)
        isOld = head.version == .http1_0
        context.fireChannelRead(wrapInboundOut(.head(head)))
        if isQuiescing {
            // Told while the body was awaited: now the router knows of the request, and ends the connection behind it.
            isQuiescing = false
            context.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        }
    }

    /// Hands a whole request to the router.
    private func pass(
        _ context: ChannelHandlerContext, _ head: HTTPRequestHead, _ body: ByteBuffer, _ trailers: HTTPHeaders? = nil
    ) {
        pass(context, head)
        if body.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(.body(body))) }
        context.fireChannelRead(wrapInboundOut(.end(trailers)))
        state = .idle
    }

    /// Whether a body still comes.
    private var isReceiving: Bool {
        switch state {
        case .collecting, .gathering, .passing: true
        case .idle, .answering: false
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head):
            progress.hasAnswer = true
            guard isLast, elsewhere == 1, head.status.code >= 200 else { break }
            head.headers.replaceOrAdd(name: "connection", value: "close")
            // HTTP/1.0 has no chunks: such an answer ends with the connection.
            if isOld, !head.headers.contains(name: "content-length") { head.version = .http1_0 }
            return context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body: break
        case .end:
            elsewhere -= 1
            progress.elsewhere = elsewhere
            // An answer may leave before the body has come to which it belongs, or that of the next request.
            if elsewhere == 0, !isReceiving { progress.rest() }
            if elsewhere == 0, !isLast, let refusal {
                context.write(data, promise: promise)
                return refuse(refusal, context)
            }
            guard isLast, elsewhere == 0 else { break }
            hasClosed = true
            let left = promise ?? context.eventLoop.makePromise()
            context.writeAndFlush(data, promise: left)
            return close(context, behind: left.futureResult)
        }
        context.write(data, promise: promise)
    }

    /// Closes when the last bytes are with the system: what still waits in the channel would be dropped.
    private func close(_ context: ChannelHandlerContext, behind last: EventLoopFuture<Void>) {
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        last.whenComplete { _ in
            let (handler, context) = bound.value
            if handler.isReceiving, !handler.routes.isDraining() {
                handler.progress.linger(context)
            } else {
                context.close(promise: nil)
            }
        }
    }

    /// Refuses what is no request, behind the answers that the router owes, and ends the connection.
    private func refuse(_ refusal: HeadRefusal, _ context: ChannelHandlerContext) {
        self.refusal = refusal
        leaveGathered()
        state = .idle
        // Nothing behind it is looked at, and no more of it is awaited.
        progress.isOver = true
        guard elsewhere == 0 else { return progress.requestEnded() }
        hasClosed = true
        progress.hasAnswer = true
        guard let rawContext else { return context.close(promise: nil) }
        refusal.send(rawContext, reading: routes.isDraining() ? nil : progress)
    }

    private func leaveGathered() {
        if case .gathering(_, let held) = state { shared.gathered -= held.readableBytes }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if progress.isLingering { context.read() } else { context.fireChannelReadComplete() }
    }

    func read(context: ChannelHandlerContext) {
        if waiting.count < FastPathHandler.mostWaiting { context.read() } else { holdsRead = true }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if progress.isLingering, case ChannelEvent.inputClosed = event { return context.close(promise: nil) }
        switch (state, event) {
        case (.answering, is ChannelShouldQuiesceEvent), (.collecting, is ChannelShouldQuiesceEvent),
            (.gathering, is ChannelShouldQuiesceEvent):
            isQuiescing = true
        case (.answering, ChannelEvent.inputClosed): inputHasClosed = true
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let parserError = error as? HTTPParserError else {
            if progress.isLingering { return context.close(promise: nil) }
            if case .answering = state { return fault = fault ?? error }
            return context.fireErrorCaught(error)
        }
        // The parser reads nothing behind this.
        progress.isOver = true
        if hasClosed || refusal != nil { return }
        switch state {
        case .answering: fault = fault ?? error
        case .passing where elsewhere > 0:
            // The router is told what it has of a body.
            isLast = true
            context.fireErrorCaught(error)
        case .passing:
            // It has answered already.
            hasClosed = true
            if routes.isDraining() { context.close(promise: nil) } else { progress.linger(context) }
        case .idle, .collecting, .gathering:
            // The guard bounds the bytes of a head; the parser also bounds its fields.
            if case .headerOverflow = parserError { refuse(.tooLarge, context) } else { refuse(.malformed, context) }
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        leaveGathered()
        state = .idle
        waiting.removeAll()
        rawContext = nil
        context.fireChannelInactive()
    }

    private func answer(_ context: ChannelHandlerContext, _ request: FastPathRequest, _ body: ByteBuffer) {
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        let outcome = scorer.answer(request, body, context.channel.allocator) { response, error in
            let (handler, context) = bound.value
            guard let error else { return handler.finish(response, context) }
            handler.finish(
                handler.scorer.refusal(error, inPlaceOf: response, context.channel.allocator), context)
        }
        switch outcome {
        case .now(let response): finish(response, context)
        case .later: state = .answering
        case .elsewhere: pass(context, request.head, body)
        }
    }

    /// Sends an answer, and goes on with what came while it waited.
    private func finish(_ response: FastPathResponse, _ context: ChannelHandlerContext) {
        guard rawContext != nil else { return }
        state = .idle
        send(response, context)
        if !isGoingOn { goOn(context) }
    }

    private func goOn(_ context: ChannelHandlerContext) {
        isGoingOn = true
        defer { isGoingOn = false }
        while !hasClosed, refusal == nil {
            if case .answering = state { return }
            guard let part = waiting.popFirst() else { break }
            take(part, context)
        }
        if refusal != nil { waiting.removeAll() }
        if hasClosed { return waiting.removeAll() }
        if case .answering = state { return }
        if let fault {
            self.fault = nil
            errorCaught(context: context, error: fault)
        }
        // The router takes what it was given only when it is told that this is all for now.
        if elsewhere > 0 { context.fireChannelReadComplete() }
        if inputHasClosed {
            inputHasClosed = false
            context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        }
        if holdsRead {
            holdsRead = false
            context.read()
        }
    }

    private func send(_ response: FastPathResponse, _ context: ChannelHandlerContext) {
        let left = context.eventLoop.makePromise(of: Void.self)
        if let rawContext { rawContext.writeAndFlush(NIOAny(response.bytes), promise: left) } else { left.succeed() }
        progress.answered()
        scorer.record(response, from: context.channel.remoteAddress)
        if !response.context.keepsAlive || isQuiescing {
            hasClosed = true
            close(context, behind: left.futureResult)
        }
    }
}
