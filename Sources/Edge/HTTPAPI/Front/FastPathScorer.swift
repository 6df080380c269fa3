internal import Core
internal import HTTPTypes
internal import Identity
internal import NIOCore
internal import NIOHTTP1
internal import PredictionLog
internal import Serving

/// A whole response of the fast path, and what is recorded of it.
struct FastPathResponse: Sendable {
    let bytes: ByteBuffer
    let status: Int
    let context: ResponseContext
}

/// Scores and logs whole prediction requests on the event loop, and writes the bytes of their responses.
///
/// It never waits, and touches no channel: ``FastPathHandler`` sends what it gives, in order.
struct FastPathScorer {
    let routes: FastPathRoutes
    let shared: FastPathState

    enum Outcome {
        /// The response can be sent.
        case now(FastPathResponse)
        /// The response is handed over when the prediction log has the rows.
        case later
        /// The router answers the request: it has many rows, or asks for reasons. Nothing was logged.
        case elsewhere
    }

    /// - Parameter finish: gets the response on the event loop after the outcome `later`, and why it must not leave.
    func answer(
        _ request: FastPathRequest, _ body: ByteBuffer, _ allocator: ByteBufferAllocator,
        finish: @escaping @Sendable (FastPathResponse, PredictionLogError?) -> Void
    ) -> Outcome {
        let requestID = request.requestID ?? routes.ids.make()
        let keepsAlive = request.head.isKeepAlive && !routes.isDraining()
        let context = ResponseContext(request, requestID: requestID, keepsAlive: keepsAlive)
        do {
            let deployment = try request.call.deployment()
            let session = shared.session(for: deployment)
            let answer = try body.withUnsafeReadableBytes { bytes in
                try request.call.answer(
                    bytes, by: deployment, at: session, requestID: requestID, limits: routes.limits
                ) { _, _ in
                    throw ReasonsElsewhere()
                }
            }
            let bytes = shared.response(
                "200 OK", answer.contentType, session.writer.bytes, requestID, jsonBytes: answer.jsonBytes,
                keepsAlive: keepsAlive, allocator)
            let response = FastPathResponse(bytes: bytes, status: 200, context: context)
            let logged = LoggedRequest(
                slot: request.call.slot, requestID: requestID, idempotencyKey: request.idempotencyKey,
                arrived: request.arrived, execution: routes.execution)
            let admission = logged.log(session, from: .eventLoop(shared.courier)) { result in
                switch result {
                case .success: finish(response, nil)
                case .failure(let error): finish(response, error)
                }
            }
            guard let admission else { return elsewhere(request) }
            if try admission.letsAnswerLeave() { return .now(response) }
            if let log = session.route?.answering.model.journal?.log { shared.wakeSoon(log) }
            return .later
        } catch is ReasonsElsewhere {
            return elsewhere(request)
        } catch {
            return .now(refusal(error, context, allocator))
        }
    }

    private func elsewhere(_ request: FastPathRequest) -> Outcome {
        routes.gatekeeper.undoAdmission(request.principal)
        return .elsewhere
    }

    /// The response that is sent in place of the one for which the log has failed.
    func refusal(
        _ error: PredictionLogError, inPlaceOf response: FastPathResponse, _ allocator: ByteBufferAllocator
    ) -> FastPathResponse { refusal(error.error, response.context, allocator) }

    private func refusal(
        _ error: any Error, _ context: ResponseContext, _ allocator: ByteBufferAllocator
    ) -> FastPathResponse {
        let refusal = context.form.refusal(error, requestID: context.requestID)
        let bytes = shared.response(
            "\(refusal.status.code) \(refusal.status.reasonPhrase)", refusal.contentType, refusal.bytes,
            context.requestID, retryAfter: refusal.retryAfter, keepsAlive: context.keepsAlive, allocator)
        return FastPathResponse(bytes: bytes, status: refusal.status.code, context: context)
    }

    /// Counts a response that is being sent, and writes it to the access log where that wants it.
    func record(_ response: FastPathResponse, from peer: SocketAddress?) {
        let context = response.context
        let seconds = routes.execution.uptime() - context.arrived
        shared.metrics.note(route: context.route, status: response.status, seconds: seconds)
        guard routes.accessLog.tells(fastPathSeconds: seconds) else { return }
        routes.accessLog.tell(
            RequestSeries(method: "POST", route: FastPathMetrics.routes[context.route], status: response.status),
            id: context.requestID, seconds: seconds, principal: context.principal,
            address: context.forwardedAddress ?? peer?.ipAddress ?? "unknown")
    }
}
