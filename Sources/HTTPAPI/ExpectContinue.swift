internal import NIOCore
internal import NIOHTTP1

/// What a client is told that asks before it sends its body (RFC 9110, 10.1.1), as curl does with large ones: that it may.
enum ExpectContinue {
    /// - Parameters:
    ///   - head: of a request before which all others have been answered.
    ///   - context: of the handler behind which bytes are written.
    static func answer(_ head: HTTPRequestHead, _ context: ChannelHandlerContext?) {
        guard let context, head.version == .http1_1,
            head.headers[canonicalForm: "expect"].contains(where: { $0.lowercased() == "100-continue" })
        else { return }
        var bytes = context.channel.allocator.buffer(capacity: 32)
        bytes.writeString("HTTP/1.1 100 Continue\r\n\r\n")
        context.writeAndFlush(NIOAny(IOData.byteBuffer(bytes)), promise: nil)
    }
}
