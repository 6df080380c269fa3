internal import NIOCore
internal import NIOHTTP1

/// Answers `Expect: 100-continue` (RFC 9110, 10.1.1), which curl sends before large bodies.
enum ExpectContinue {
    /// - Parameters:
    ///   - head: of a request before which all others have been answered.
    ///   - context: of the handler behind which bytes are written.
    ///   - most: bytes of a body that is no batch.
    static func answer(_ head: HTTPRequestHead, _ context: ChannelHandlerContext?, most: Int) {
        guard let context, head.version == .http1_1,
            head.headers[canonicalForm: "expect"].contains(where: { $0.lowercased() == "100-continue" }),
            !isRefused(head, most)
        else { return }
        var bytes = context.channel.allocator.buffer(capacity: 32)
        bytes.writeString("HTTP/1.1 100 Continue\r\n\r\n")
        context.writeAndFlush(NIOAny(IOData.byteBuffer(bytes)), promise: nil)
    }

    /// Whether no route takes the body, as its head tells: the refusal is the answer.
    private static func isRefused(_ head: HTTPRequestHead, _ most: Int) -> Bool {
        guard case .plain = BodyCodings(head.headers["transfer-encoding"]) else { return true }
        guard let length = head.headers.first(name: "content-length") else { return false }
        return Int(length).map { $0 > most } ?? true && !head.uri.contains("/predict/batch")
    }
}
