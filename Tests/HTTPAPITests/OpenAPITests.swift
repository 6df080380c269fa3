import HTTPAPI
import HTTPTypes
import Testing
import Vocabulary

struct OpenAPITests {
    @Test func `every route is in the document, every object is closed and no schema is empty`() async throws {
        let house = try await House()
        let document = try await house.ask(.get, "/openapi.json").json
        #expect(document["openapi"]?.text == "3.1.0")
        for route in house.table.routes {
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
}
