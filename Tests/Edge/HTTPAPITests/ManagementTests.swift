import Core
import Foundation
import HTTPAPI
import HTTPTypes
import Identity
import Registry
import ServerTestKit
import TestSupport
import Testing

struct ManagementTests {
    /// A fixture with finished runs of the model, none registered.
    private func fixture(runs count: Int) async throws -> (TestServer, [String]) {
        let fixture = try await TestServer()
        let ids = (0..<count).map { String(repeating: "0", count: 24) + String(0x1000_0000 + $0, radix: 16) }
        for id in ids {
            try fixture.registry.runs.record(
                Run(
                    id: id, experiment: "lab", model: "readmission", status: .finished,
                    started: Timestamp(microseconds: 1), ended: Timestamp(microseconds: 2), actor: "ada", seed: 42,
                    fingerprint: Digest(of: id), synthetic: true, modelHash: Digest(of: "m\(id)"),
                    params: ["num_leaves": "15"],
                    metrics: [
                        Metric(part: "test", name: "roc_auc", value: 0.7, low: 0.6, high: 0.8),
                        Metric(part: "test", name: "npv", value: .nan),
                        Metric(part: "cv", name: "roc_auc", value: 0.66, fold: 0),
                    ],
                    gates: [
                        GateResult(part: "test", metric: "roc_auc", comparator: .atLeast, bound: 0.66, value: 0.7)
                    ],
                    artifacts: [
                        Artifact(name: "model.txt", digest: Digest(of: "b"), bytes: 5, mediaType: "text/plain")
                    ],
                    lineage: Lineage(
                        files: [
                            LineageFile(
                                source: "s", digest: Digest(of: "f"), name: "f.csv", rows: 1, rejected: 0,
                                synthetic: true)
                        ],
                        tables: [
                            LineageTable(
                                name: "gold.t", snapshot: 1, rows: 1, hash: "h",
                                parents: [TableSnapshot(name: "silver.t", snapshot: 1)])
                        ])))
        }
        return (fixture, ids)
    }

    /// What a route answers with this status must fit the schema that the OpenAPI document has for it.
    private func fits(_ fixture: TestServer, _ id: String, _ answer: TestAnswer) {
        guard
            let reply = fixture.table.routes.first(where: { $0.id == id })?.replies.first(where: {
                $0.status == answer.status
            }), let schema = reply.bodies.first?.schema
        else {
            Issue.record("\(id) does not declare \(answer)")
            return
        }
        let faults = schema.faults(in: answer.json).map { "\($0.path) \($0.detail)" }
        #expect(faults.isEmpty, "\(id): \(answer)")
    }

    @Test func `register, approve, deploy, roll back: each answers as declared, and the champion moves`() async throws {
        let (fixture, runs) = try await fixture(runs: 2)
        let (operator1, approver) = (try fixture.token(.operator), try fixture.token(.approver))
        for run in runs {
            let made = try await fixture.ask(.post, "/api/models", token: operator1, body: #"{"run": "\#(run)"}"#)
            #expect(made.status == 201 && made.json["new"] == .flag(true), "\(made)")
            fits(fixture, "registerModel", made)
        }
        let early = try await fixture.ask(
            .put, "/api/models/readmission@1/promote", token: approver, body: "{}")
        #expect(early.status == 409 && early.code == "registry.pending", "\(early)")
        for version in 1...2 {
            let done = try await fixture.ask(
                .post, "/api/models/readmission@\(version)/approve", token: approver, body: #"{"reason": "fine"}"#)
            #expect(done.json["approval"]?["actor"]?.text?.hasPrefix("token:approver-") == true, "\(done)")
            fits(fixture, "approveModel", done)
        }
        let deployed = try await fixture.ask(
            .post, "/api/deploy", token: approver, body: #"{"model": "readmission@2"}"#)
        #expect(deployed.json["from"]?.integer == 1 && deployed.json["to"]?.integer == 2, "\(deployed)")
        fits(fixture, "deploy", deployed)
        let back = try await fixture.ask(
            .post, "/api/deploy/rollback", token: approver, body: #"{"model": "readmission", "reason": "alarms"}"#)
        #expect(back.json["to"]?.integer == 1, "\(back)")
        fits(fixture, "rollback", back)
        let viewer = try fixture.token(.viewer)
        for (id, path) in [
            ("listModels", "/api/models"), ("getModel", "/api/models/readmission"),
            ("getModel", "/api/models/readmission@2"), ("listVersions", "/api/models/readmission/versions"),
            ("deploymentStatus", "/api/deploy/status"), ("monitoringMetrics", "/api/monitoring/metrics"),
            ("monitoringAlerts", "/api/monitoring/alerts"), ("whoAmI", "/api/session"),
        ] {
            let answer = try await fixture.ask(.get, path, token: viewer)
            #expect(answer.status == 200, "\(answer)")
            fits(fixture, id, answer)
        }
        let admin = try fixture.token(.admin)
        let audit = try await fixture.ask(.get, "/api/audit?subject=models&limit=100", token: admin)
        fits(fixture, "listAudit", audit)
        let moves = audit.json["items"]?.list?.filter { $0["action"]?.text == "alias.moved" } ?? []
        #expect(moves.last?["before"]?["version"]?.integer == 2 && moves.last?["after"]?["version"]?.integer == 1)
        #expect(try fixture.registry.models.history("readmission").events.last?.actor.hasPrefix("token:") == true)
    }

    @Test func `the same act has the same entry in the audit by command and over HTTP`() async throws {
        let (fixture, runs) = try await fixture(runs: 4)
        let command = fixture.registry.audited(by: Author(actor: "local:ada"), as: "ada")
        for run in runs { try fixture.registry.models.register(run: run, approval: .required) }
        let (approver, admin) = (try fixture.token(.approver), try fixture.token(.admin))
        func over(_ path: String, _ body: String, _ method: HTTPRequest.Method = .post) async throws {
            let answer = try await fixture.ask(method, path, token: approver, body: body)
            #expect(answer.status == 200, "\(answer)")
        }
        // The first champion, so that both have one to move from.
        try fixture.registry.models.approve(ModelReference(parsing: "readmission@1"))
        try command.models.approve(ModelReference(parsing: "readmission@2"), reason: "read")
        try await over("/api/models/readmission@3/approve", #"{"reason": "read"}"#)
        try command.models.promote(ModelReference(parsing: "readmission@2"), reason: "better")
        try command.models.rollback("readmission", reason: "alarms")
        try await over("/api/models/readmission@2/promote", #"{"reason": "better"}"#, .put)
        try await over("/api/deploy/rollback", #"{"model": "readmission", "reason": "alarms"}"#)
        let audit = try await fixture.ask(.get, "/api/audit?subject=models&limit=100", token: admin)
        let entries = audit.json["items"]?.list ?? []
        fits(fixture, "listAudit", audit)
        func acts(_ isTheirs: (String) -> Bool) -> [String] {
            entries.filter { isTheirs($0["actor"]?.text ?? "") }.map { entry in
                var after = entry["after"]?.members ?? [:]
                // Who it was, and which of two versions, is all that differs.
                after["actor"] = nil
                if entry["action"]?.text == "version.approved" || after["alias"] == .text("candidate") {
                    after["version"] = nil
                    after["previous"] = nil
                    return
                        "\(entry["action"]?.text ?? "") \(entry["project"]?.text ?? "") \(after.sorted { $0.key < $1.key })"
                }
                return "\(entry["action"]?.text ?? "") \(entry["subject"]?.text ?? "") \(entry["project"]?.text ?? "") "
                    + "\(String(describing: entry["before"])) \(after.sorted { $0.key < $1.key })"
            }.filter { !$0.hasPrefix("alias.removed") && !$0.contains("candidate") }
        }
        let (ours, theirs) = (acts { $0 == "local:ada" }, acts { $0.hasPrefix("token:") })
        #expect(ours.count == 3 && ours == theirs, "\(ours)\n\(theirs)")
        #expect(entries.contains { $0["actor"]?.text == "local:ada" && $0["after"]?["reason"]?.text == "alarms" })
        for wrong in ["since=yesterday", "until=x", "sinse=2026-01-31"] {
            #expect(try await fixture.ask(.get, "/api/audit?\(wrong)", token: admin).status == 400, "\(wrong)")
        }
        let none = try await fixture.ask(.get, "/api/audit?since=2100-01-01&action=alias", token: admin)
        #expect(none.json["items"]?.list?.isEmpty == true)
    }

    @Test func `a long log is told from its end, says what it leaves out, and can be read whole in parts`() async throws
    {
        let fixture = try await TestServer()
        let token = try fixture.token(.operator)
        let job = try #require(
            try await fixture.ask(.post, "/retraining", token: token, body: "{}").json["job"]?.text)
        // 3 MiB in lines, one of them longer than a part, and an end without an end of line.
        var text = (0..<30_000).map { "line \($0) ünïcode\n" }.joined()
        text += String(repeating: "ä", count: 1_200_000) + "\n" + (0..<100).map { "end \($0)\n" }.joined() + "the last"
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(fixture.folder)/\(job)-0.log"))
        _ = try fixture.registry.jobs.cancel(job, reason: "no need")
        let path = "/api/training/logs/\(job)"
        let end = try await fixture.ask(.get, path, token: token).body
        #expect(end.hasSuffix("end 99\nthe last"))
        #expect(end.hasPrefix("[") && end.prefix(100).contains("bytes before this are not shown"))
        var whole = ""
        var from: Int? = 0
        while let at = from, whole.utf8.count < 10_000_000 {
            let part = try await fixture.ask(.get, "\(path)?from=\(at)", token: token).body
            let lines = part.split(separator: "\n", omittingEmptySubsequences: false)
            from = nil
            if let told = lines.dropLast().last, told.contains("bytes follow; ?from="),
                let next = Int(told.split(separator: "=").last?.prefix { $0.isNumber } ?? "")
            {
                whole += part.dropLast(
                    told.count - (told.firstIndex(of: "[").map { told.distance(from: told.startIndex, to: $0) } ?? 0)
                        + 1)
                from = next
            } else {
                whole += part
            }
        }
        #expect(whole == text)
        // And by events, until the last line.
        let stream = try await fixture.ask(.get, "/api/training/events/\(job)", token: token).body
        #expect(stream.contains("data: the last\n") && stream.contains("data: line 29999 ünïcode\n"))
        #expect(stream.split(separator: "ä", omittingEmptySubsequences: false).count == 1_200_001)
        #expect(stream.ranges(of: "event: status").count == 1)
        for odd in ["from=9223372036854775807", "from=99999999"] {
            #expect(try await fixture.ask(.get, "\(path)?\(odd)", token: token).status == 200)
        }
        let odd = try await fixture.ask(
            .get, "/api/training/events/\(job)", token: token, headers: ["Last-Event-ID": "0-9223372036854775807"])
        #expect(odd.status == 200 && odd.body.contains("event: status"))
    }

    @Test func `alerts go on beyond two thousand`() async throws {
        let fixture = try await TestServer()
        let time = Timestamp(microseconds: 1)
        try fixture.registry.events.record(
            (0..<2_150).map {
                EventDraft(
                    .runFailed, id: "run/\($0)/failed", subject: "runs/\($0)", time: time,
                    data: ["model": .text("m"), "error": .text("no")])
            }, upTo: TableOffset(name: "gold.t", tableID: "x", version: 1, stamp: ""))
        let token = try fixture.token(.viewer)
        var seen: [Int] = []
        var cursor: String? = ""
        while let at = cursor, seen.count < 5_000 {
            let page = try await fixture.ask(.get, "/api/monitoring/alerts?limit=200&cursor=\(at)", token: token)
            seen += page.json["items"]?.list?.compactMap { $0["position"]?.integer } ?? []
            cursor = page.json["next_cursor"]?.text
        }
        #expect(seen == (1...2_150).reversed())
    }

    @Test func `a key is done once: same answer again, 422 for something else, its own for each token`() async throws {
        let fixture = try await TestServer()
        let token = try fixture.token(.operator)
        func start(_ body: String, _ token: String, _ key: String = "k1") async throws -> TestAnswer {
            try await fixture.ask(
                .post, "/api/training/start", token: token, headers: ["Idempotency-Key": key], body: body)
        }
        let first = try await start(#"{"kind": "train"}"#, token)
        let second = try await start(#"{"kind": "train"}"#, token)
        #expect(first.status == 202 && second.status == 202 && first.body == second.body)
        #expect(second.headers[HTTPField.Name("Idempotency-Replayed") ?? .accept] == "true")
        #expect(try fixture.registry.jobs.list().count == 1)
        let other = try await start(#"{"kind": "run"}"#, token)
        #expect(other.status == 422 && other.code == "request.key-taken", "\(other)")
        #expect(try await start(#"{"kind": "train"}"#, try fixture.token(.operator)).body != first.body)
        #expect(try fixture.registry.jobs.list().count == 2)
        #expect(try await start("{}", token, "").status == 400)
        fixture.clock.advance(seconds: 25 * 3600)
        #expect(try await start(#"{"kind": "train"}"#, token).body != first.body, "kept for a day")
    }

    @Test func `what was refused may be asked again with its key`() async throws {
        let (fixture, runs) = try await fixture(runs: 1)
        let approver = try fixture.token(.approver)
        func deploy() async throws -> TestAnswer {
            try await fixture.ask(
                .post, "/api/deploy", token: approver, headers: ["Idempotency-Key": "d"],
                body: #"{"model": "readmission@1"}"#)
        }
        #expect(try await deploy().status == 404)
        try fixture.registry.models.register(run: runs[0], approval: .none)
        #expect(try await deploy().status == 200)
    }

    @Test func `pages go on where they stopped, and tell each once`() async throws {
        let (fixture, runs) = try await fixture(runs: 5)
        for run in runs { try fixture.registry.models.register(run: run, approval: .none) }
        let token = try fixture.token(.viewer)
        var seen: [Int] = []
        var cursor: String? = ""
        while let at = cursor, seen.count < 20 {
            let page = try await fixture.ask(
                .get, "/api/models/readmission/versions?limit=2&cursor=\(at)", token: token)
            seen += page.json["items"]?.list?.compactMap { $0["version"]?.integer } ?? []
            cursor = page.json["next_cursor"]?.text
        }
        #expect(seen == [5, 4, 3, 2, 1])
        for wrong in [
            "limit=0", "limit=201", "limit=x", "limit=%2B5", "cursor=!", "cursor=AAAA", "limt=5", "limit=1&limit=2",
        ] {
            let answer = try await fixture.ask(.get, "/api/models?\(wrong)", token: token)
            #expect(answer.status == 400, "\(wrong): \(answer)")
        }
    }

    @Test func `faults of a body are told with their places`() async throws {
        let fixture = try await TestServer()
        let token = try fixture.token(.operator)
        let answer = try await fixture.ask(
            .post, "/api/training/start", token: token,
            body: #"{"kind": "train", "priority": "high", "split_seed": -1, "kidn": 1}"#)
        #expect(answer.status == 422)
        let paths = answer.json["errors"]?.list?.compactMap { $0["path"]?.text } ?? []
        #expect(Set(paths) == ["$.priority", "$.split_seed", "$.kidn"], "\(answer)")
        for (body, status) in [("", 202), ("[]", 422), ("{", 400), ("\"x\"", 422), ("{\"kind\": null}", 422)] {
            let answer = try await fixture.ask(.post, "/api/training/start", token: token, body: body)
            #expect(answer.status == status, "\(body): \(answer)")
        }
        let form = try await fixture.ask(
            .post, "/api/training/start", token: token, headers: ["Content-Type": "text/plain"], body: "{}")
        #expect(form.status == 415, "\(form)")
        let long = #"{"kind": "\#(String(repeating: "x", count: 70_000))"}"#
        #expect(try await fixture.ask(.post, "/api/training/start", token: token, body: long).status == 413)
    }

    @Test func `what a job says cannot pass for an event, and who is let out hears no more`() async throws {
        let fixture = try await TestServer()
        let (token, admin) = (try fixture.token(.operator), try fixture.token(.admin))
        let job = try #require(
            try await fixture.ask(.post, "/retraining", token: token, body: "{}").json["job"]?.text)
        try Data("10 %\rid: 9-9\r\nevent: status\n".utf8).write(
            to: URL(fileURLWithPath: "\(fixture.folder)/\(job)-0.log"))
        let listener = Task { try await fixture.ask(.get, "/api/training/events/\(job)", token: token) }
        try fixture.store.revokeToken(String(token.prefix(12)))
        try fixture.identity.known.refresh()
        let heard = try await fixture.clock.passing { try await listener.value }
        if heard.status != 401 {
            #expect(
                heard.body.contains("event: log\ndata: 10 %\ndata: id: 9-9\ndata: event: status\n\n"), "\(heard)")
        }
        _ = try fixture.registry.jobs.cancel(job, reason: "no need")
        let whole = try await fixture.ask(.get, "/api/training/events/\(job)", token: admin)
        #expect(whole.body.contains("event: log\ndata: 10 %\ndata: id: 9-9\ndata: event: status\n\n"), "\(whole)")
    }

    @Test func `only so many listen to jobs at once, and their places are given back`() async throws {
        let fixture = try await TestServer()
        let token = try fixture.token(.operator)
        let job = try #require(
            try await fixture.ask(.post, "/retraining", token: token, body: "{}").json["job"]?.text)
        let path = "/api/training/events/\(job)"
        let listeners = (0..<80).map { _ in Task { try await fixture.ask(.get, path, token: token) } }
        await fixture.clock.untilWaiting(64)
        let refused = try await fixture.ask(.head, path, token: token).status == 503 ? 1 : 0
        #expect(refused == 1)
        _ = try fixture.registry.jobs.cancel(job, reason: "no need")
        var statuses: [Int] = []
        try await fixture.clock.passing {
            for listener in listeners { statuses.append(try await listener.value.status) }
        }
        #expect(statuses.filter { $0 == 200 }.count == 64 && statuses.contains(503), "\(statuses)")
        for _ in 0..<100 { #expect(try await fixture.ask(.head, path, token: token).status == 200) }
    }

    @Test func `a job's states, progress and lines come as events, and go on from where one stopped`() async throws {
        let fixture = try await TestServer()
        let token = try fixture.token(.operator)
        let job = try #require(
            try await fixture.ask(.post, "/retraining", token: token, body: "{}").json["job"]?.text)
        let lines = (1...3).map { "line \($0)\n" }.joined()
        try Data(lines.utf8).write(to: URL(fileURLWithPath: "\(fixture.folder)/\(job)-0.log"))
        _ = try fixture.registry.jobs.cancel(job, reason: "no need")
        let stream = try await fixture.ask(.get, "/api/training/events/\(job)", token: token)
        #expect(stream.headers[.contentType] == "text/event-stream")
        #expect(stream.body.contains("event: log\ndata: line 1\ndata: line 2\ndata: line 3\n\n"), "\(stream)")
        #expect(stream.body.contains("event: status\n") && stream.body.contains("\"cancelled\""))
        let rest = try await fixture.ask(
            .get, "/api/training/events/\(job)", token: token, headers: ["Last-Event-ID": "0-7"])
        #expect(rest.body.contains("data: line 2") && !rest.body.contains("data: line 1"), "\(rest)")
        let status = try await fixture.ask(.get, "/api/training/status/\(job)", token: token)
        #expect(status.json["state"]?.text == "cancelled")
        fits(fixture, "trainingStatus", status)
        #expect(try await fixture.ask(.get, "/api/training/logs/\(job)", token: token).body == lines)
        #expect(try await fixture.ask(.get, "/api/training/status/abcdef", token: token).status == 404)
    }
}
