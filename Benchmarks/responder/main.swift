// A bare responder on SwiftNIO: reads HTTP/1.1 requests and answers each with the same bytes. What it takes on a machine at
// work is what the machine and the library take, before any product's own work (`make bench NAME=neighbours`).
//
//   responder PORT BYTES    answers with a body of so many bytes on 127.0.0.1, on as many loops as there are processors

import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix

private final class Responder: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let body: ByteBuffer

    init(body: ByteBuffer) { self.body = body }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .end = unwrapInboundIn(data) else { return }
        let headers: HTTPHeaders = ["content-type": "application/json", "content-length": "\(body.readableBytes)"]
        context.write(
            wrapOutboundOut(.head(.init(version: .http1_1, status: .ok, headers: headers))), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}

guard CommandLine.arguments.count == 3, let port = Int(CommandLine.arguments[1]),
    let size = Int(CommandLine.arguments[2]), size >= 0
else {
    print("usage: responder PORT BYTES")
    exit(64)
}
let body = ByteBuffer(repeating: UInt8(ascii: "x"), count: size)
let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
    .serverChannelOption(.backlog, value: 1024)
    .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
    .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.configureHTTPServerPipeline(withPipeliningAssistance: false)
            try channel.pipeline.syncOperations.addHandler(Responder(body: body))
        }
    }
try await bootstrap.bind(host: "127.0.0.1", port: port).get().closeFuture.get()
