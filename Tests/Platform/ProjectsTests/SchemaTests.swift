import Core
import Projects
import Testing
import Training

/// The JSON Schemas say the same as the decoder: every key that it reads is in them, with a type and a description.
@Suite struct SchemaTests {
    private let project = ConfigSchemas.project(learners: Folder.learners.kinds).jsonSchema(
        title: "martlet.yaml")
    private let contract = ConfigSchemas.contract.jsonSchema(title: "contract")

    private func walk(_ schema: JSONValue, _ path: String, _ visit: (JSONValue, String) -> Void) {
        visit(schema, path)
        if case .object(let properties)? = schema["properties"] {
            for (name, value) in properties { walk(value, "\(path).\(name)", visit) }
        }
        if let items = schema["items"] { walk(items, path + "[]", visit) }
        if let additional = schema["additionalProperties"], case .object = additional {
            walk(additional, path + ".*", visit)
        }
    }

    @Test func `are closed at every level, with a type and a word for each key`() {
        for (schema, name) in [(project, "project"), (contract, "contract")] {
            #expect(schema["$schema"]?.text == "https://json-schema.org/draft/2020-12/schema")
            #expect(schema["title"]?.text != nil)
            var count = 0
            walk(schema, name) { part, path in
                count += 1
                #expect(part["type"] != nil, "\(path)")
                if part["type"]?.text == "object" { #expect(part["additionalProperties"] != nil, "\(path)") }
                if part["type"]?.text == "array" { #expect(part["items"] != nil, "\(path)") }
                if !path.hasSuffix("[]"), !path.hasSuffix(".*"), path != name {
                    #expect(part["description"]?.text?.isEmpty == false, "\(path)")
                }
                guard case .object(let properties)? = part["properties"] else { return }
                for required in part["required"]?.list ?? [] {
                    #expect(properties[required.text ?? ""] != nil, "\(path)")
                }
            }
            #expect(count > 15)
        }
    }

    @Test func `name what is required`() {
        #expect(project["required"] == .list([.text("name"), .text("sources")]))
        #expect(contract["required"] == .list([.text("columns")]))
        let model = project["properties"]?["models"]?["items"]
        #expect(model?["required"] == .list(["name", "table", "key", "target", "learner"].map { .text($0) }))
    }

    @Test func `list the values that may be chosen`() {
        let column = contract["properties"]?["columns"]?["additionalProperties"]?["properties"]
        #expect(column?["pii"]?["enum"] == .list(["none", "quasi", "direct"].map { .text($0) }))
        let model = project["properties"]?["models"]?["items"]?["properties"]
        #expect(
            model?["split"]?["properties"]?["kind"]?["enum"] == .list(["hash", "stratified", "time"].map { .text($0) }))
        #expect(model?["gates"]?["items"]?["properties"]?["metric"]?["enum"]?.list?.contains(.text("roc_auc")) == true)
        #expect(model?["threshold"]?["properties"]?["fixed"]?["maximum"] == .number(1))
    }

    /// The fullest files of the decoding tests use every key of the schemas.
    @Test func `have no key that the decoding tests leave out`() {
        for (schema, text) in [(project, fullProject), (contract, fullContract)] {
            walk(schema, "") { part, path in
                guard case .object(let properties)? = part["properties"] else { return }
                for key in properties.keys { #expect(text.contains("\(key):"), "\(path).\(key)") }
            }
        }
    }
}
