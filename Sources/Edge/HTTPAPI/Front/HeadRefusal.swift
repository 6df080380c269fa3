internal import NIOCore

/// Problem response, written without the router, for a request that is not read; closes the connection.
struct HeadRefusal {
    /// "503 Service Unavailable".
    let status: String
    let code: String
    let detail: String
    var retryAfter: Int?

    /// Bytes that a head may have.
    static let mostBytes = 64 << 10

    static let tooLarge = HeadRefusal(
        status: "431 Request Header Fields Too Large", code: "request.head",
        detail: "The head of a request may have \(mostBytes >> 10) KiB and 256 fields.")
    static let longLine = HeadRefusal(
        status: "414 URI Too Long", code: "request.uri",
        detail: "The first line of a request may have \(mostBytes >> 10) KiB.")

    static let malformed = HeadRefusal(
        status: "400 Bad Request", code: "request.malformed", detail: "The request is not HTTP/1.1 as RFC 9112 has it.")

    /// - Parameters:
    ///   - context: of a handler behind which bytes are written.
    ///   - progress: of the connection: what still comes is read and thrown away, so that the client gets the refusal;
    ///     `nil` closes the connection at once.
    func send(_ context: ChannelHandlerContext, reading progress: ConnectionProgress? = nil) {
        let body =
            #"{"code":"\#(code)","detail":"\#(detail)","request_id":"none","status":\#(status.prefix(3)),"#
            + #""title":"\#(status.dropFirst(4))","type":"about:blank"}"#
        var out = context.channel.allocator.buffer(capacity: 512)
        out.writeString(
            "HTTP/1.1 \(status)\r\ncontent-type: application/problem+json\r\ncontent-length: \(body.utf8.count)\r\n")
        if let retryAfter { out.writeString("retry-after: \(retryAfter)\r\n") }
        out.writeString("connection: close\r\n\r\n\(body)")
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
