import Core
import Foundation
import HTTPAPI
import HTTPTypes
import Identity
import ServerTestKit
import Testing

struct OpenAPITests {
    @Test func `every route is in the document, every object is closed and no schema is empty`() async throws {
        let fixture = try await TestServer()
        let document = try await fixture.ask(.get, "/openapi.json").json
        #expect(document["openapi"]?.text == "3.1.0")
        for route in fixture.table.routes {
            let operation = document["paths"]?[route.path]?[route.method.rawValue.lowercased()]
            #expect(operation?["operationId"]?.text == route.id)
            #expect(operation?["security"]?.list?.isEmpty == (route.access == .anyone), "\(route.id)")
            for body in operation?["requestBody"]?["content"]?.members?.values.map(\.self) ?? [] {
                let declared = route.accepts.first?.schema
                if let example = body["example"] {
                    #expect(declared?.faults(in: example).isEmpty == true, "\(route.id)")
                }
            }
        }
        var schemas = 0
        func walk(_ value: JSONValue, _ path: String) {
            if let members = value.members {
                if members["type"]?.text == "object" {
                    schemas += 1
                    #expect(members["additionalProperties"] != nil, "\(path) is open")
                    #expect(
                        members["properties"]?.members?.isEmpty == false
                            || members["additionalProperties"]?.members != nil
                            || path.hasSuffix("requestBody") || path.hasPrefix("$.paths./v2/health/"),
                        "\(path) is empty")
                }
                for name in ["schema", "items"] where members[name] != nil {
                    #expect(members[name]?.members?.isEmpty == false, "\(path).\(name) is empty")
                }
                for (name, member) in members { walk(member, "\(path).\(name)") }
            }
            for (index, item) in (value.list ?? []).enumerated() { walk(item, "\(path)[\(index)]") }
        }
        walk(document, "$")
        #expect(schemas > 40)
    }

    @Test func `a query that its schema allows is never refused as one that does not fit`() async throws {
        let fixture = try await TestServer()
        let admin = try fixture.token(.admin)
        var asked = 0
        for route in fixture.table.routes where route.method == .get && route.pathParameters.isEmpty {
            for parameter in route.query {
                let declared = parameter.schema.json
                for text in Self.extremes(of: declared) {
                    let value = text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
                    let answer = try await fixture.ask(.get, "\(route.path)?\(parameter.name)=\(value)", token: admin)
                    #expect(answer.status != 400, "\(route.id) \(parameter.name)=\(text): \(answer)")
                    asked += 1
                }
            }
        }
        #expect(asked > 20)
        let from = fixture.table.routes.first { $0.id == "trainingLogs" }?.query.first { $0.name == "from" }
        #expect(from?.schema.json["maximum"]?.integer == .max)
    }

    /// Texts at the ends of what a schema of a query parameter allows.
    private static func extremes(of schema: JSONValue) -> [String] {
        if let choices = schema["anyOf"]?.list { return choices.flatMap { extremes(of: $0) } }
        if let choices = schema["enum"]?.list { return choices.compactMap(\.text) }
        switch (schema["type"]?.text, schema["format"]?.text) {
        case ("integer", _): return ["minimum", "maximum"].compactMap { schema[$0]?.integer.map(String.init) }
        case ("boolean", _): return ["true", "false"]
        case ("string", "date-time"): return ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999+14:00"]
        case ("string", "date"): return ["0001-01-01", "9999-12-31"]
        case ("string", _) where schema["pattern"]?.text == "^[^\\u0000]*$":
            return ["", " ", "é☃\u{1}", String(repeating: "x", count: Int(schema["maxLength"]?.integer ?? 9))]
        default: return []
        }
    }
}
