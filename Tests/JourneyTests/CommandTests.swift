import Core
import Foundation
import TestSupport
import Testing

@Suite struct `What commands print` {
    @Test(arguments: [
        ("num_leaves: 4", "num_leafs: 4"), ("positive: \"yes\"", "positive: \"Yes\""), ("key: visit_id", "key: visit"),
    ])
    func `a configuration that cannot be trained leaves no run behind`(old: String, new: String) throws {
        let place = try Wards.written()
        try place.write("landing/visits/first.csv", Wards.first)
        try place.edit("martlet.yaml", old, new)
        let run = try place.martlet("run")
        #expect(run.code == 1 && run.errors.contains("martlet.yaml"), "\(run)")
        try Wards.mend(place)
        try place.write("landing/visits/first.csv", Wards.first)
        #expect(try place.martlet("run", "--to", "transform").code == 0)
        #expect(try place.martlet("runs", "list", "--json").json().list == [])
    }

    @Test func `metrics stand in the order of the model card, counts apart`() throws {
        let place = try Wards.run()
        let card = try place.martlet("models", "card", "stay").output
        let shown = try place.martlet("models", "show", "stay").output
        let order = card.split(separator: "\n").drop { !$0.hasPrefix("| metric") }.dropFirst(2)
            .prefix { $0.hasPrefix("| ") }.compactMap {
                $0.split(separator: "|").first.map { String($0).trimmingCharacters(in: .whitespaces) }
            }
            .filter { !$0.contains(" ") }
        #expect(order.first == "roc_auc" && order.count == 13)
        let test = shown.split(separator: "\n").drop { !$0.hasPrefix("test ") }.dropFirst()
        #expect(test.prefix(order.count).compactMap { $0.split(separator: " ").first.map(String.init) } == order)
        // Four decimals each.
        for line in test.prefix(order.count) {
            let value = try #require(line.split(separator: " ").dropFirst().first)
            #expect(value.split(separator: ".").last?.count == 4, "\(line)")
        }
        #expect(shown.contains("rows 1") && shown.contains("true positives "))
        let compared = try {
            _ = try place.martlet("run", "--split-seed", "5")
            let runs = try place.martlet("runs", "list", "--json").json().list?.compactMap { $0["id"]?.text } ?? []
            return try place.martlet("runs", "compare", runs[0], runs[1]).output
        }()
        let names = compared.split(separator: "\n").filter { $0.hasPrefix("test ") }
            .compactMap { $0.split(separator: " ").dropFirst().first.map(String.init) }
        #expect(names.filter { order.contains($0) } == order.filter { names.contains($0) })
    }

    @Test func `a prediction tells its summary as JSON, with the rows unless a file takes them`() throws {
        let place = try Wards.run()
        let input = "landing/visits/later.csv"
        let whole = try place.martlet("predict", input, "--json").json()
        #expect(whole["records"]?.integer == 40 && whole["scored"]?.integer == 40 && whole["rejected"]?.integer == 0)
        #expect(whole["model"]?.text == "stay" && whole["version"]?.integer == 1)
        let rows = try #require(whole["rows"]?.list)
        #expect(rows.count == 40)
        #expect(rows.count { $0["decision"] == .flag(true) } == whole["positive"]?.integer)
        #expect(rows[0]["visit_id"]?.integer == 1001 && rows[0]["key"] == nil)
        let brief = try place.martlet("predict", input, "--json", "-o", "out.json").json()
        #expect(brief["rows"] == nil && brief["output"]?.text == "out.json")
        #expect(try JSON.decode(JSONValue.self, from: try place.read("out.json")).list == rows)
    }

    @Test func `history tells who was champion at an instant`() throws {
        let place = try Wards.run()
        #expect(try place.martlet("run", "--split-seed", "5").code == 0)
        #expect(try place.martlet("models", "promote", "stay@2").code == 0)
        let events = try place.martlet("models", "history", "stay", "--json").json()["events"]?.list ?? []
        let promoted = try #require(events.first { $0["cause"]?.text == "promotion" }?["at"]?.text)
        let before = try #require(Timestamp(promoted)).microseconds - 1
        func champion(_ at: String) throws -> Int? {
            try place.martlet("models", "history", "stay", "--at", at, "--json").json().at("champion.version")?.integer
        }
        #expect(try champion("2001-01-01") == nil)
        #expect(try champion(Timestamp(microseconds: before).description) == 1)
        #expect(try champion(promoted) == 2)
        #expect(try champion("2999-12-31T23:59") == 2)
        let told = try place.martlet("models", "history", "stay", "--at", promoted).output
        #expect(told.contains("stay@2 was champion") && told.contains("promotion"), "\(told)")
        #expect(try place.martlet("models", "history", "stay", "--at", "2001-01-01").output.contains("no champion"))
        #expect(try place.martlet("models", "history", "stay", "--at", "noon").code == 64)
    }

    @Test(.needs("python3"))
    func `colour is for terminals, and NO_COLOR takes it away`() throws {
        let place = try Sandbox()
        let script = """
            import os, pty, sys
            def read(file):
                data = os.read(file, 1024)
                return data
            sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:], read)))
            """
        func terminal(_ environment: [String: String]) throws -> String {
            let outcome = try Program.run(
                #require(Program.python), ["-c", script, Program.path, "lake", "tables"], in: place.folder,
                environment: ["TERM": "xterm"].merging(environment) { _, new in new })
            return outcome.output
        }
        #expect(try terminal(["NO_COLOR": ""]).contains("\u{1B}[31merror:"))
        #expect(try terminal(["NO_COLOR": "1"]).contains("\u{1B}") == false)
        #expect(try terminal(["NO_COLOR": "", "TERM": "dumb"]).contains("\u{1B}") == false)
        #expect(try place.martlet("lake", "tables", environment: ["NO_COLOR": ""]).errors.hasPrefix("error:"))
    }

    @Test(arguments: [
        (["rnu"], "Did you mean run?"), (["models", "shwo", "x"], "Did you mean show?"),
        (["lake", "tabels"], "Did you mean tables?"), (["help", "modles"], "Did you mean models?"),
        (["zzzzzzzz"], "Commands: init, generate"), (["jobs", "zzzzzzzz"], "Commands: "),
    ])
    func `a command that does not exist gets a suggestion`(_ words: [String], _ hint: String) throws {
        let outcome = try Sandbox().martlet(words)
        #expect(outcome.code == 64 && outcome.output.isEmpty, "\(outcome)")
        #expect(outcome.errors.contains("[usage.command]") && outcome.errors.contains(hint), "\(outcome)")
    }

    @Test(arguments: [
        (["lake", "tables"], "project.none", "missing", 1), (["rnu"], "usage.command", "usage", 64),
        (["runs", "list", "--jsn"], "usage.arguments", "usage", 64),
        (["models", "show"], "usage.arguments", "usage", 64),
        (["predict", "x.csv", "--model", "a@b@c"], "", "", 0),
    ])
    func `an error under --json is one line of JSON on standard error`(
        _ words: [String], _ code: String, _ kind: String, _ exit: Int
    ) throws {
        let outcome = try Sandbox().martlet(words + ["--json"])
        #expect(outcome.output.isEmpty && outcome.code != 0, "\(outcome)")
        let told = try #require(outcome.errors.split(separator: "\n").last.flatMap { JSONValue(parsing: String($0)) })
        #expect(told["exit_code"]?.integer == Int(outcome.code))
        #expect(told.at("error.message")?.text?.isEmpty == false)
        guard !code.isEmpty else { return }
        #expect(told.at("error.code")?.text == code && told.at("error.kind")?.text == kind, "\(outcome)")
        #expect(told["exit_code"]?.integer == exit && told.at("error.remedy")?.text != nil, "\(outcome)")
    }

    @Test func `an error under --json has its place, and those found besides`() throws {
        let place = try Wards.written()
        try place.edit("martlet.yaml", "models:", "modles: 1\nsorces: 2\nmodels:")
        let outcome = try place.martlet("run", "--json")
        let told = try #require(outcome.errors.split(separator: "\n").last.flatMap { JSONValue(parsing: String($0)) })
        #expect(told.at("error.place.file")?.text?.hasSuffix("martlet.yaml") == true, "\(outcome)")
        #expect(told.at("error.place.line")?.integer != nil && told.at("error.remedy")?.text == "Did you mean models?")
        #expect(told["others"]?.list?.first?["place"]?["line"] != nil, "\(outcome)")
    }

    @Test(.needs("python3")) func `serve prints lines for people on a terminal, and JSON elsewhere`() throws {
        let place = try Wards.run()
        let script = """
            import pty, sys
            pty.spawn(["timeout", "--foreground", "-s", "TERM", "4", *sys.argv[1:]])
            """
        let server = [Program.path + "-serve", "--port", "0", "--workers", "0"]
        let shown = try Program.run(
            #require(Program.python), ["-c", script] + server, in: place.folder, environment: ["TERM": "xterm"]
        ).output
        let line = shown.split(whereSeparator: \.isNewline).first { $0.contains("  listening  ") } ?? ""
        #expect(line.contains("  info      listening  host=127.0.0.1  port="), "\(shown)")
        #expect(!shown.contains("{\""), "\(shown)")
        let running = try RunningServer(serving: place, role: "viewer")
        #expect(try running.log().contains { $0["message"]?.text == "listening" })
    }

    @Test func `benchmarks are listed when none is named`() throws {
        let outcome = try Program.run(Program.root + "/scripts/bench", [], in: Program.root)
        #expect(outcome.code == 0 && outcome.output.contains("readmission"), "\(outcome)")
    }
}
