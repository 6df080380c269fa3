internal import NIOCore

extension FastPathState {
    /// The bytes of a whole response.
    /// - Parameters:
    ///   - status: code and phrase, like "200 OK".
    ///   - jsonBytes: of a body whose front is JSON, behind which tensors follow.
    ///   - retryAfter: seconds.
    func response(
        _ status: String, _ contentType: String, _ body: [UInt8], _ requestID: String, jsonBytes: Int? = nil,
        retryAfter: Int? = nil, keepsAlive: Bool, _ allocator: ByteBufferAllocator
    ) -> ByteBuffer {
        var out = allocator.buffer(capacity: 256 + body.count)
        out.writeStaticString("HTTP/1.1 ")
        out.writeString(status)
        out.writeStaticString("\r\ncontent-type: ")
        out.writeString(contentType)
        out.writeStaticString("\r\ncontent-length: ")
        out.writeString(String(body.count))
        out.writeStaticString("\r\nx-request-id: ")
        out.writeString(requestID)
        if let jsonBytes { out.writeString("\r\ninference-header-content-length: \(jsonBytes)") }
        if let retryAfter { out.writeString("\r\nretry-after: \(retryAfter)") }
        out.writeStaticString("\r\n")
        out.writeBytes(dateLine())
        if !keepsAlive { out.writeStaticString("connection: close\r\n") }
        out.writeStaticString("\r\n")
        out.writeBytes(body)
        return out
    }
}
