internal import HTTPTypes
internal import NIOCore

/// Error response, written without the router, for a request that is not read; closes the connection.
///
/// Its path is not known, or not to be trusted, so it has the form of Martlet's own API.
struct HeadRefusal {
    private let problem: Problem

    init(_ status: HTTPResponse.Status, _ code: String, _ detail: String, retryAfter: Int? = nil) {
        var problem = Problem(status, code, detail)
        problem.retryAfter = retryAfter
        self.problem = problem
    }

    /// Bytes that a head may have.
    static let mostBytes = 64 << 10

    static let tooLarge = HeadRefusal(
        .requestHeaderFieldsTooLarge, "request.head",
        "The head of a request may have \(mostBytes >> 10) KiB and 256 fields.")
    static let longLine = HeadRefusal(
        .uriTooLong, "request.uri", "The first line of a request may have \(mostBytes >> 10) KiB.")
    static let malformed = HeadRefusal(
        .badRequest, "request.malformed", "The request is not HTTP/1.1 as RFC 9112 has it.")

    /// - Parameters:
    ///   - context: of a handler behind which bytes are written.
    ///   - progress: of the connection: what still comes is read and thrown away, so that the client gets the refusal;
    ///     `nil` closes the connection at once.
    func send(_ context: ChannelHandlerContext, reading progress: ConnectionProgress? = nil) {
        let refusal = RouteFamily.api.refusal(problem, requestID: "none")
        var out = context.channel.allocator.buffer(capacity: 512)
        out.writeString(
            "HTTP/1.1 \(refusal.status.code) \(refusal.status.reasonPhrase)\r\ncontent-type: \(refusal.contentType)\r\n"
        )
        out.writeString("content-length: \(refusal.bytes.count)\r\n")
        if let retryAfter = refusal.retryAfter { out.writeString("retry-after: \(retryAfter)\r\n") }
        out.writeString("connection: close\r\n\r\n")
        out.writeBytes(refusal.bytes)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        progress?.isOver = true
        let reading = progress.map { NIOLoopBound($0, eventLoop: context.eventLoop) }
        context.writeAndFlush(NIOAny(IOData.byteBuffer(out))).whenComplete { result in
            if case .success = result, let progress = reading?.value {
                progress.linger(bound.value)
            } else {
                bound.value.close(promise: nil)
            }
        }
    }
}
