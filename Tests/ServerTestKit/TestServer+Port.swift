internal import Core
internal import HTTPAPI
package import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import ServiceLifecycle

extension TestServer {
    /// A port of this machine on which the product's own server answers.
    package struct Port: Sendable {
        package let number: Int

        /// Sends a request on a connection of its own, and reads the whole answer.
        package func ask(
            _ method: HTTPRequest.Method, _ path: String, token: String? = nil, headers: [String: String] = [:],
            body: String? = nil
        ) async throws -> TestAnswer {
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(host: "127.0.0.1", port: number) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHTTPClientHandlers()
                        return try NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>(
                            wrappingChannelSynchronously: channel)
                    }
                }
            var fields = HTTPHeaders([("Host", "localhost:\(number)")])
            for field in TestServer.fields(token, headers, hasBody: body != nil) {
                fields.add(name: field.name.rawName, value: field.value)
            }
            if let body { fields.add(name: "Content-Length", value: "\(body.utf8.count)") }
            let head = HTTPRequestHead(
                version: .http1_1, method: .init(rawValue: method.rawValue), uri: path, headers: fields)
            return try await channel.executeThenClose { answers, requests in
                try await requests.write(.head(head))
                if let body { try await requests.write(.body(.byteBuffer(ByteBuffer(string: body)))) }
                try await requests.write(.end(nil))
                var (status, found, text) = (0, HTTPFields(), ByteBuffer())
                for try await part in answers {
                    switch part {
                    case .head(let head):
                        status = Int(head.status.code)
                        for (name, value) in head.headers {
                            if let name = HTTPField.Name(name) { found.append(HTTPField(name: name, value: value)) }
                        }
                    case .body(var piece): text.writeBuffer(&piece)
                    case .end: return TestAnswer(status: status, headers: found, body: String(buffer: text))
                    }
                }
                throw MartletError(.machine, "test.connection", "The server closed the connection before it answered.")
            }
        }
    }

    /// Answers on a free port of the loopback address, with the fast path and the guard of connections in front, until the
    /// body returns. Waiting goes by the virtual clock.
    package func listening<Result: Sendable>(
        _ body: @Sendable (Port) async throws -> Result
    ) async throws -> Result {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        var settings = FrontServer.Settings(host: "127.0.0.1", port: 0)
        settings.loops = 1
        let server = FrontServer(
            settings, catalog: catalog, routes: table, gatekeeper: IdentityGate(identity), isDraining: { false },
            observer: RequestObserver(
                metrics: metrics, accessLog: AccessLog(logger: logger), most: 256, isBehindProxy: false,
                context: context), context: context, logger: logger)
        let (ports, opened) = AsyncStream.makeStream(of: Int.self)
        let group = ServiceGroup(
            configuration: .init(services: [server.application { opened.yield($0) }], logger: logger))
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                defer { opened.finish() }
                try await group.run()
            }
            for await port in ports {
                let result = await Swift.Result { try await body(Port(number: port)) }
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
                return try result.get()
            }
            try await tasks.waitForAll()
            throw MartletError(.machine, "test.server", "The server ended before it listened.")
        }
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
