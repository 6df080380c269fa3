import Core
import Foundation
import TestSupport
import Testing

@Suite struct `Projects as they are written` {
    @Test func `the blank template is a project that runs once rows have landed`() throws {
        let place = try Sandbox()
        let made = try place.martlet("init", "mine", "--template", "blank")
        #expect(made.code == 0 && made.output.contains("martlet doctor"), "\(made)")
        #expect(try place.read("mine/martlet.yaml").contains("name: mine"))
        let doctor = try place.martlet("doctor", "--project", "mine")
        #expect(doctor.code == 0, "\(doctor)")
        #expect(doctor.output.contains("no file in"))
        let empty = try place.martlet("run", "--project", "mine")
        #expect(empty.code == 1 && empty.errors.contains("ingest.nothing"), "\(empty)")
        var generator = SeededGenerator(seed: 5)
        let rows = (1...500).map { id in
            let value = Int(generator.uniform() * 100)
            let isYes = generator.uniform() < Double(value) / 100
            return "\(id),2026-01-01 00:00:00,\(["a", "b", "c"][id % 3]),\(value),\(isYes ? "yes" : "no")"
        }
        let source = try #require(place.list("mine/contracts").first).replacing(".yaml", with: "")
        try place.write(
            "mine/landing/\(source)/rows.csv", "id,taken_at,kind,value,outcome\n" + rows.joined(separator: "\n"))
        let run = try place.martlet("run", "--project", "mine")
        #expect(run.code == 0, "\(run)")
        let shown = try place.martlet("models", "show", "blank", "--project", "mine", "--json").json()
        #expect(shown["synthetic"] == .flag(false), "these rows do not say that they are made up")
        #expect(!(try place.martlet("models", "card", "blank@1", "--project", "mine").output.contains("Synthetic")))
    }

    @Test func `init makes the landing folder of the template's source`() throws {
        for (template, sources) in [
            ("readmission", ["encounters"]), ("downtime", ["readings"]), ("blank", ["measurements"]),
            ("lab-delay", ["instrument_telemetry", "queue_logs", "reagent_logs", "workflow_logs"]),
        ] {
            let place = try Sandbox()
            #expect(try place.martlet("init", "p", "--template", template).code == 0)
            #expect(place.list("p/landing") == sources, "\(template)")
            let empty = try place.martlet("run", "--project", "p")
            #expect(empty.code == 1 && empty.errors.contains("ingest.nothing"), "\(empty)")
            #expect(empty.errors.contains("martlet generate \(template) -o ") == (template != "blank"), "\(empty)")
        }
    }

    @Test func `init with data lands the file`() throws {
        let place = try Sandbox()
        #expect(try place.martlet("generate", "downtime", "--rows", "50", "-o", "rows.csv").code == 0)
        #expect(try place.martlet("init", "p", "--template", "downtime", "--data", "rows.csv").code == 0)
        #expect(try place.bytes("p/landing/readings/rows.csv") == place.bytes("rows.csv"))
        let ingest = try place.martlet("ingest", "--project", "p", "--json")
        #expect(try ingest.json().at("0.files.0.synthetic") == .flag(true), "\(ingest)")
    }

    @Test func `a template of several sources takes a folder of folders`() throws {
        let place = try Sandbox()
        try place.write("logs/workflow_logs/a.csv", "x\n")
        try place.write("logs/queue_logs/b.csv", "y\n")
        try place.write("logs/truth.csv", "z\n")
        #expect(try place.martlet("init", "p", "--template", "lab-delay", "--data", "logs").code == 0)
        #expect(try place.read("p/landing/workflow_logs/a.csv") == "x\n")
        #expect(place.list("p/landing/queue_logs") == ["b.csv"])
        let single = try place.martlet("init", "q", "--template", "lab-delay", "--data", "logs/truth.csv")
        #expect(single.code == 64 && single.errors.contains("init.data") && !place.exists("q"), "\(single)")
    }

    @Test func `the generators give the same bytes for the same seed`() throws {
        let place = try Sandbox()
        for kind in ["readmission", "downtime"] {
            let first = try place.martlet("generate", kind, "--rows", "300").output
            #expect(first.split(separator: "\n").count == 301)
            #expect(try place.martlet("generate", kind, "--rows", "300").output == first)
            #expect(try place.martlet("generate", kind, "--rows", "300", "--seed", "8").output != first)
            #expect(first.split(separator: "\n").first?.contains("_synthetic") == true)
        }
    }

    @Test func `doctor names every part of a broken project and says what to do`() throws {
        let sound = try Wards.run().martlet("doctor")
        #expect(sound.code == 0 && !sound.output.contains("✗"), "\(sound)")
        let place = try Wards.run()
        try place.edit("transforms/gold/visits.sql", "silver.visits", "silver.visit")
        let parquet = try #require(place.files(".martlet/lake/silver/visits", ending: ".parquet").first)
        try place.remove(parquet)
        let doctor = try place.martlet("doctor")
        #expect(doctor.code == 1 && doctor.isClean, "\(doctor)")
        for word in [
            "✗ transforms", "Did you mean silver.visits", "✗ silver.visits",
            "lake.missing-file", "✓ bronze.visits",
        ] {
            #expect(doctor.output.contains(word), "\(word) in \(doctor)")
        }
        let json = try place.martlet("doctor", "--json")
        #expect(json.code == 1)
        #expect((try json.json().list ?? []).count { $0["state"]?.text == "wrong" } >= 2)
        try place.edit("martlet.yaml", "num_leaves", "num_leafs")
        let misspelt = try place.martlet("doctor")
        #expect(misspelt.code == 1 && misspelt.output.contains("Did you mean num_leaves?"), "\(misspelt)")
        try place.write("martlet.yaml", "name: [")
        let yaml = try place.martlet("doctor")
        #expect(yaml.code == 1 && yaml.output.contains("config.yaml"), "\(yaml)")
        let nowhere = try Sandbox().martlet("doctor")
        #expect(
            nowhere.code == 1 && nowhere.output.contains("project.none") && nowhere.output.contains("✓ duckdb"),
            "\(nowhere)")
    }

    @Test(arguments: ["project", "contract"])
    func `the schema is JSON Schema in which every reference is a known keyword`(what: String) throws {
        let place = try Sandbox()
        let outcome = try place.martlet("schema", what)
        #expect(outcome.code == 0)
        let schema = try outcome.json()
        #expect(schema["$schema"]?.text == "https://json-schema.org/draft/2020-12/schema")
        #expect(schema["type"]?.text == "object")
        let known: Set<String> = [
            "$schema", "title", "description", "type", "enum", "minimum", "maximum", "items",
            "properties", "additionalProperties", "required",
        ]
        let types: Set<String> = ["object", "array", "string", "number", "integer", "boolean", "null"]
        func check(_ node: JSONValue, _ path: String) {
            guard case .object(let members) = node else {
                Issue.record("\(path) is no schema: \(node)")
                return
            }
            #expect(Set(members.keys).isSubset(of: known), "\(path)")
            for type in members["type"]?.list ?? members["type"].map({ [$0] }) ?? [] {
                #expect(types.contains(type.text ?? ""), "\(path)")
            }
            if case .object(let properties)? = members["properties"] {
                for (name, child) in properties { check(child, "\(path).\(name)") }
                for name in members["required"]?.list ?? [] { #expect(properties[name.text ?? ""] != nil, "\(path)") }
            }
            if let items = members["items"] { check(items, path + "[]") }
            if let more = members["additionalProperties"], more.flag == nil { check(more, path + ".*") }
        }
        check(schema, what)
        let keys: [String]
        if what == "project" {
            keys = [
                "properties.models.items.properties.learner.properties.kind",
                "properties.sources.additionalProperties.properties.csv.properties.missing",
            ]
        } else {
            keys = ["properties.columns.additionalProperties.properties.from", "properties.on_key_conflict"]
        }
        for key in keys { #expect(schema.at(key) != nil, "\(key)") }
    }
}
