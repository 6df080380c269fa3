import Core
import HTTPAPI
import HTTPTypes
import Identity
import ServerTestKit
import Testing

/// What each family of routes refuses, and in which form.
struct RouteFamilyTests {
    @Test(arguments: [
        ("/v2", "open-inference"), ("/v2/", "open-inference"), ("//v2//models/m", "open-inference"),
        ("/v2/nothing", "open-inference"), ("/v20", "api"), ("/api/v2", "api"), ("/", "api"), ("", "api"),
        ("/invocations", "mlflow"), ("/invocations/more", "mlflow"), ("/ping", "mlflow"), ("/version", "mlflow"),
        ("/pings", "api"), ("/projects/lab/models/m/invocations", "mlflow"), ("/projects/lab/models/m/predict", "api"),
        ("/projects/lab/invocations", "api"), ("/projects/models/invocations", "api"),
    ])
    func `a path belongs to the family that covers it, with whole segments`(path: String, name: String) async throws {
        #expect(try await TestServer().table.families.covering(path).name == name)
    }

    /// Requests that are refused, for each of the three families on a route and beside it.
    private static let refused: [(HTTPRequest.Method, path: String, hasToken: Bool, status: Int, code: String)] = [
        (.post, "/api/predict", false, 401, "access.unknown"), (.get, "/api/predict", true, 405, "http.405"),
        (.get, "/api/nothing", true, 404, "http.404"), (.post, "/api/predict", true, 503, "serving.not-loaded"),
        (.post, "/v2/models/readmission/infer", false, 401, "access.unknown"),
        (.get, "/v2/models/readmission/infer", true, 405, "http.405"), (.get, "/v2/nothing", true, 404, "http.404"),
        (.get, "/v2/models/nobody", true, 404, "serving.unknown-model"),
        (.get, "/v2/models/readmission/ready", true, 503, "serving.not-loaded"),
        (.post, "/v2/models/readmission/infer", true, 503, "serving.not-loaded"),
        (.post, "/invocations", false, 401, "access.unknown"), (.get, "/invocations", true, 405, "http.405"),
        (.get, "/invocations/nothing", true, 404, "http.404"), (.post, "/ping", true, 405, "http.405"),
        (.post, "/projects/lab/models/nobody/invocations", true, 404, "serving.unknown-model"),
        (.post, "/projects/lab/models/readmission/invocations", true, 503, "serving.not-loaded"),
    ]
    /// MLflow's names, by Martlet's code.
    private static let errorCodes = [
        "access.unknown": "UNAUTHENTICATED", "http.404": "ENDPOINT_NOT_FOUND", "http.405": "BAD_REQUEST",
        "serving.unknown-model": "RESOURCE_DOES_NOT_EXIST", "serving.not-loaded": "TEMPORARILY_UNAVAILABLE",
    ]

    /// Holds an answer against the form of the family whose path was asked.
    private func check(_ answer: TestAnswer, of path: String, _ server: TestServer, status: Int, code: String) {
        #expect(answer.status == status && answer.code == code, "\(path): \(answer)")
        let family = server.table.families.covering(path)
        let members = Set(answer.json.members.map { Array($0.keys) } ?? [])
        switch family.name {
        case "open-inference": #expect(members == ["error"], "\(path): \(answer)")
        case "mlflow":
            #expect(members == ["error_code", "message"], "\(path): \(answer)")
            #expect(answer.json["error_code"]?.text == Self.errorCodes[code], "\(path): \(answer)")
        default: #expect(answer.json["type"]?.text == "about:blank" && answer.json["status"]?.integer == status)
        }
        #expect(answer.headers[.contentType] == family.errors.mediaType, "\(path): \(answer)")
        #expect(family.name == "api" || family.errors.schema.faults(in: answer.json).isEmpty)
    }

    @Test func `whoever refuses a request, it is told in the form of its family, through a socket too`() async throws {
        let server = try await TestServer()
        let token = try server.token(.viewer)
        try await server.listening { port in
            for each in Self.refused {
                let token = each.hasToken ? token : nil
                let body: String? = each.0 == .post ? "{}" : nil
                let answers = [
                    try await server.ask(each.0, each.path, token: token, body: body),
                    try await port.ask(each.0, each.path, token: token, body: body),
                ]
                for answer in answers { check(answer, of: each.path, server, status: each.status, code: each.code) }
            }
        }
    }

    @Test(arguments: ["/api/predict", "/v2/models/readmission/infer", "/invocations"])
    func `a body that is too long, and one that is packed otherwise, are refused in the family's form`(
        path: String
    ) async throws {
        let server = try await TestServer()
        let token = try server.token(.viewer)
        let long = try await server.ask(
            .post, path, token: token, headers: ["Content-Length": "99999999999"], body: "{}")
        #expect(long.status == 413 && long.code == "http.413", "\(long)")
        let packed = try await server.ask(.post, path, token: token, headers: ["Content-Encoding": "br"], body: "{}")
        #expect(packed.status == 415 && packed.code == "body.coding", "\(packed)")
        #expect(packed.headers[.acceptEncoding] == "gzip, deflate")
        for answer in [long, packed] {
            #expect(answer.headers[.contentType] == server.table.families.covering(path).errors.mediaType)
        }
    }

    @Test func `a person's session is taken by the API, and not by protocols of programs`() async throws {
        let server = try await TestServer()
        try await server.store.addUser("ada", role: .admin, password: TestServer.password)
        let body = #"{"name": "ada", "password": "\#(TestServer.password)"}"#
        let cookie = try await server.ask(.post, "/api/session", body: body).cookie
        let own = try await server.ask(.get, "/api/models", headers: ["Cookie": cookie])
        #expect(own.status == 200, "\(own)")
        for path in ["/v2/models/readmission", "/invocations"] {
            let method: HTTPRequest.Method = path == "/invocations" ? .post : .get
            let answer = try await server.ask(method, path, headers: ["Cookie": cookie])
            #expect(answer.status == 401 && answer.code == "access.unknown", "\(answer)")
            #expect(answer.body.contains("needs a token."), "\(answer)")
        }
    }

    @Test func `the document says of every route what it takes and how it refuses`() async throws {
        let server = try await TestServer()
        let document = try await server.ask(.get, "/openapi.json").json
        for route in server.table.routes {
            let operation = document["paths"]?[route.path]?[route.method.rawValue.lowercased()]
            if route.access != .anyone {
                let taken = operation?["security"]?.list?.flatMap { $0.members.map { Array($0.keys) } ?? [] } ?? []
                #expect(Set(taken) == Set(route.family.credentials.map(\.rawValue)), "\(route.id)")
            }
            let own = Set(route.replies.map { "\($0.status)" })
            for (status, response) in operation?["responses"]?.members ?? [:] where !own.contains(status) {
                let name = response["$ref"]?.text?.split(separator: "/").last.map(String.init) ?? ""
                let content = document["components"]?["responses"]?[name]?["content"]
                #expect(content?[route.family.errors.mediaType] != nil, "\(route.id) \(status)")
            }
            // Two of the three have 400 for that.
            let refusal = route.family.refusal(Problem(.unprocessableContent, "", ""), requestID: "")
            #expect((operation?["responses"]?["422"] != nil) == (refusal.status.code == 422), "\(route.id)")
        }
    }
}
