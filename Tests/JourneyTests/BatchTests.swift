import Core
import Foundation
import TestSupport
import Testing

@Suite(.needs("curl")) struct `Batches over HTTP` {
    /// A server over a project, ended with the value.
    private struct Server {
        let running: RunningServer
        private let place: Sandbox

        init(_ place: Sandbox) throws {
            self.place = place
            running = try RunningServer(place, "--batch-threads", "2", "--workers", "0")
        }

        /// Posts a text; gives curl's own exit code and the answer.
        func post(_ path: String, _ type: String, _ body: String, accept: String = "*/*") throws -> Outcome {
            try place.write("body", body)
            return try Program.run(
                Program.which("curl") ?? "curl",
                [
                    "-s", "-S", "-H", "Authorization: Bearer \(running.token)", "-H", "Content-Type: \(type)",
                    "-H", "Accept: \(accept)", "-T", place.path("body"), "-X", "POST", running.base + path,
                ], in: place.folder)
        }
    }

    private static func cell(_ value: JSONValue?) -> String {
        switch value {
        case .text(let text): "\"\(text.replacing("\"", with: "\"\""))\""
        case .integer(let integer): "\(integer)"
        case .number(let number): "\(number)"
        case .flag(let flag): "\(flag)"
        default: ""
        }
    }

    @Test func `give what predict gives for the same rows, to the bit, in every form and length`() throws {
        let place = try Wards.run()
        #expect(try place.martlet("predict", "landing/visits/first.csv", "-o", "scores.csv").code == 0)
        let scores = Dictionary(
            uniqueKeysWithValues: try place.read("scores.csv").split(separator: "\n").dropFirst().map {
                let cells = $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
                return (cells[0], cells)
            })
        let rows = try place.sql(
            "SELECT visit_id, ward, weight, readings, weight_per_reading FROM gold.visits ORDER BY visit_id")
        let names = ["visit_id", "ward", "weight", "readings", "weight_per_reading"]
        let known = rows.filter { scores[Self.cell($0["visit_id"])] != nil }
        #expect(known.count > 500)
        let server = try Server(place)
        // More than one block of input.
        let many = (0..<40).flatMap { _ in known }
        let csv =
            names.joined(separator: ",") + "\n"
            + many.map { row in names.map { Self.cell(row[$0]) }.joined(separator: ",") + "\n" }.joined()
        let lines = try many.map { String(decoding: try JSON.encode($0), as: UTF8.self) + "\n" }.joined()
        for (type, body) in [("text/csv", csv), ("application/x-ndjson", lines)] {
            let answer = try server.post("/predict/batch?keep=visit_id", type, body, accept: "text/csv")
            #expect(answer.code == 0, "\(answer.errors)")
            let out = answer.output.split(separator: "\n").map {
                $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            }
            #expect(out.count == many.count + 1)
            #expect(out[0] == ["row", "visit_id", "probability", "decision", "band", "error", "warnings"])
            for (index, (line, row)) in zip(out.dropFirst(), many).enumerated() {
                let wanted = scores[Self.cell(row["visit_id"])] ?? []
                let got = [line[1], line[2], line[4], line[3] == "true" ? "1" : "0"]
                if line[0] != "\(index + 1)" || got != Array(wanted.prefix(4)) || !line[5].isEmpty {
                    Issue.record("\(type) row \(index + 1): \(line), not \(wanted)")
                    return
                }
            }
        }
        // The same by /predict, in JSON.
        let few = Array(known.prefix(50))
        let body = try JSON.encode(JSONValue.object(["records": .list(few)]))
        let single = try JSON.decode(
            JSONValue.self,
            from: try server.post("/predict", "application/json", String(decoding: body, as: UTF8.self)).output)
        let batch = try server.post(
            "/predict/batch", "application/x-ndjson",
            try few.map { String(decoding: try JSON.encode($0), as: UTF8.self) + "\n" }.joined()
        ).output.split(separator: "\n").map { try JSON.decode(JSONValue.self, from: String($0)) }
        #expect(batch.count == 50)
        for (one, line) in zip(single["predictions"]?.list ?? [], batch) {
            #expect(one["probability"]?.number?.bitPattern == line["probability"]?.number?.bitPattern)
            #expect(one["decision"] == line["decision"] && one["band"] == line["band"])
        }
        // Each row is in the log, with the batch's id and its number.
        let logged = try place.martlet("predictions", "show").output.split(separator: "\n")
        #expect(logged.count == 2 * many.count + 100)
        #expect(logged.count { $0.contains(".\(many.count)\"") } == 2)
    }

    @Test func `and single rows go by the policy that the version learned, and the log knows whom they are about`()
        throws
    {
        let place = try Wards.written()
        try place.edit(
            "martlet.yaml", "    approval: none",
            """
                entity: visit_id
                input:
                  missing_column: missing
                  columns:
                    weight: {out_of_range: reject, max: 400}
                    ward: {unknown_category: reject}
                    readings: {wrong_type: missing}
                approval: none
            """)
        try place.write("landing/visits/first.csv", Wards.first)
        let run = try place.martlet("run")
        #expect(run.code == 0, "\(run)")
        let server = try Server(place)
        let header = "visit_id,ward,weight,readings\n"
        let rows = [
            "7,north,70,2", "8,west,70,2", "9,north,401,2", "10,north,399,two", "11,north,1,2", "12,north,70,99",
        ]
        let answer = try server.post("/predict/batch?keep=visit_id", "text/csv", header + rows.joined(separator: "\n"))
        let lines = answer.output.split(separator: "\n").map {
            $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
        #expect(lines.count == 7, "\(answer)")
        guard lines.count == 7 else { return }
        #expect(lines[1][5].isEmpty && lines[1][6].isEmpty, "\(lines[1])")
        #expect(
            answer.output.contains("2,8,,,,\"serving.unknown-category: column ward")
                && answer.output.contains("3,9,,,,\"serving.out-of-range: column weight"))
        #expect(lines[4][5].isEmpty && lines[4][6].isEmpty, "below 400, and a text counts as missing: \(lines[4])")
        #expect(
            answer.output.contains("5,11,,,,\"serving.out-of-range: column weight"),
            "the least weight is what training had")
        #expect(lines[6][6] == "serving.out-of-range", "more readings than training had are warned of: \(lines[6])")
        let single = try server.post(
            "/predict", "application/json", #"{"record": {"visit_id": 5, "ward": "north", "weight": 500}}"#)
        #expect(single.output.contains("\"serving.out-of-range\"") && single.output.contains("\"$.record.weight\""))
        let logged = try place.martlet("predictions", "show").output
        #expect(logged.contains("\"7\"") && logged.split(separator: "\n").count == 3, "\(logged)")
    }

    @Test func `keep the good rows of a bad file, or refuse it, or end without an end`() throws {
        let place = try Wards.run()
        let server = try Server(place)
        let good = "north,70,2,35\n"
        let header = "ward,weight,readings,weight_per_reading\n"
        let body = header + good + "north,heavy,2,35\n" + "north,70\n" + good
        let report = try server.post("/predict/batch", "text/csv", body)
        let lines = report.output.split(separator: "\n").map(String.init)
        #expect(lines.count == 5 && lines[2].contains("serving.wrong-type") && lines[3].contains("serving.shape"))
        #expect(lines[4].hasPrefix("4,0."), "\(lines)")
        let skip = try server.post("/predict/batch?on_error=skip", "text/csv", body).output.split(separator: "\n")
        #expect(skip.count == 3 && skip[2].hasPrefix("4,0."))
        let reject = try server.post("/predict/batch?on_error=reject", "text/csv", body).output
        #expect(reject.contains("\"status\":422") && reject.contains("row 2, column weight"), "\(reject)")
        // A record that is too long, after many good rows: the answer has begun and cannot be completed.
        let long = String(repeating: "x", count: 1 << 20)
        let broken = header + String(repeating: good, count: 100_000) + "north,70,2,\(long)\n"
        let cut = try server.post("/predict/batch", "text/csv", broken)
        #expect(cut.code == 18, "curl sees that the body is not whole: \(cut.code) \(cut.errors)")
        let after = try server.post("/predict/batch", "text/csv", header + good).output
        #expect(after.contains("\n1,0."), "\(after)")
    }

    @Test func `answer every row whatever its quotes, and invocations say which row is broken`() throws {
        let place = try Wards.run()
        let server = try Server(place)
        let header = "ref,ward,weight,readings,weight_per_reading\n"
        let rows = [
            "5\" pipe,north,70,2,35", "\"50\"7,north,70,2,35", "\"6\" pipe\",north,70,2,35", "a\0b,north,70,2,35",
            "\"say \"\"hi\"\"\",north,70,2,35", "\"two\nlines\",north,70,2,35", "\"open,north,70,2,35",
            "r8,north,70,2,35",
        ]
        let body = header + rows.joined(separator: "\r\n") + "\n\n"
        for (accept, refs) in [
            ("text/csv", ["5\"\" pipe", "a\u{FFFD}b", "say \"\"hi\"\"", "two\nlines", "r8"]),
            ("application/x-ndjson", ["5\\\" pipe", "a\u{FFFD}b", "say \\\"hi\\\"", "two\\nlines", "r8"]),
        ] {
            let answer = try server.post("/predict/batch?keep=ref", "text/csv", body, accept: accept)
            #expect(answer.code == 0, "\(answer)")
            for ref in refs { #expect(answer.output.contains(ref), "\(ref): \(answer)") }
            for (row, line) in [(2, 3), (3, 4), (4, 5), (7, 9)] {
                #expect(answer.output.contains("row \(row), line \(line)"), "row \(row): \(answer)")
            }
            #expect(answer.output.ranges(of: "serving.malformed").count == 4, "\(answer)")
            #expect(answer.output.ranges(of: "0.").count == 4, "\(answer)")
        }
        let refused = try server.post("/invocations", "text/csv", body).output
        for part in ["BAD_REQUEST", "row 2, line 3", "row 7, line 9", "serving.malformed"] {
            #expect(refused.contains(part), "\(part): \(refused)")
        }
        #expect(!refused.contains("predictions"), "\(refused)")
        let good = header + [0, 4, 5, 7].map { rows[$0] }.joined(separator: "\n\n")
        let taken = try JSON.decode(JSONValue.self, from: try server.post("/invocations", "text/csv", good).output)
        #expect(taken["predictions"]?.list?.count == 4)
        let rejected = try server.post("/predict/batch?on_error=reject", "text/csv", body).output
        #expect(rejected.contains("\"row 7, line 9\""), "\(rejected)")
        for path in ["/predict/batch", "/invocations"] {
            let answer = try server.post(path, "text/csv", "ward,weight,\"readings\nnorth,70,2\n").output
            #expect(answer.contains("line 1") && answer.contains("serving.malformed"), "\(path): \(answer)")
        }
    }

    @Test func `of Parquet with one column keep their rows without a value`() throws {
        let place = try Sandbox()
        try place.write("rows.csv", "a\nx\n\n\"\"\ny\n")
        let convert = "'\(Program.path)' convert"
        let both = "\(convert) to-parquet '[\"a\"]' <rows.csv >rows.parquet && \(convert) from-parquet 3<rows.parquet"
        let outcome = try Program.run("/bin/sh", ["-c", both], in: place.folder)
        #expect(outcome.output == "a\nx\n\"\"\n\"\"\ny\n", "\(outcome)")
    }

    @Test(.needsInterop)
    func `take and give Parquet, to the bit, without an SQL engine in the server`() throws {
        let place = try Wards.run()
        let server = try Server(place).running
        let outcome = try Program.interop(
            "batch_parquet.py", [server.base, server.token, "\(server.process.processIdentifier)"])
        #expect(outcome.code == 0, "\(outcome)")
        #expect(try outcome.json()["rows"]?.integer == 20_000)
        #expect(place.list(".martlet/scratch").isEmpty, "an upload has no name")
    }

    @Test func `are begun by a server that is asked to, and go on longer than a client may be silent`() throws {
        let place = try Wards.run()
        let server = try RunningServer(place, "--workers", "0", "--client-timeout", "2")
        let header = "ward,weight,readings,weight_per_reading\n"
        try place.write("body", header + String(repeating: "north,70,2,35\n", count: 60_000))
        // Seven seconds for 840 KB, each of which is progress; the answer is begun before the end.
        let slow = try Program.run(
            Program.which("curl") ?? "curl",
            [
                "-s", "-S", "-v", "--limit-rate", "120k", "-H", "Authorization: Bearer \(server.token)", "-H",
                "Content-Type: text/csv", "-H", "Expect: 100-continue", "--expect100-timeout", "30", "-T",
                place.path("body"), "-X", "POST", server.base + "/predict/batch",
            ], in: place.folder)
        #expect(slow.code == 0, "\(slow.errors)")
        #expect(slow.output.split(separator: "\n").count == 60_001)
        #expect(slow.errors.contains("HTTP/1.1 100 Continue"), "\(slow.errors.prefix(2000))")
    }
}
