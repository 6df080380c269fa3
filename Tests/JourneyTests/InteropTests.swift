import Core
import TestSupport
import Testing

@Suite(.needsInterop)
struct `What delta-rs reads` {
    private func compare(_ place: Sandbox, tables expected: Set<String>) throws -> JSONValue {
        let outcome = try Program.interop("read_tables.py", [place.path(".martlet/lake")])
        #expect(outcome.code == 0, "\(outcome)")
        let found = try outcome.json()
        guard case .object(let tables) = found else { throw Unusable(what: "\(outcome)") }
        #expect(Set(tables.keys) == expected)
        let listed = try place.martlet("lake", "tables", "--json").json().list ?? []
        for (name, table) in tables {
            let ours = listed.first { $0["table"]?.text == name }
            #expect(ours?["version"] == table["version"], "\(name)")
            #expect(ours?["rows"] == table["rows"], "\(name)")
            let history = try place.martlet("lake", "history", name, "--json").json().list ?? []
            #expect(table["history"]?.list?.count == history.count, "\(name)")
            guard case .object(let sums)? = table["sums"] else { continue }
            let list = sums.keys.sorted().map { "sum(CAST(\"\($0)\" AS DOUBLE)) AS \"\($0)\"" } + ["count(*) AS _n"]
            let row = try #require(try place.sql("SELECT \(list.joined(separator: ", ")) FROM \(name)").first)
            #expect(row["_n"]?.integer == table["rows"]?.integer, "\(name)")
            for (column, theirs) in sums {
                guard let sum = theirs.number else {
                    #expect(row[column] == .null, "\(name).\(column)")
                    continue
                }
                let here = try #require(row[column]?.number, "\(name).\(column)")
                #expect(abs(here - sum) <= 1e-9 * max(1, abs(sum)), "\(name).\(column)")
            }
        }
        return found
    }

    @Test func `every table of a finished project, with the same rows, sums and history`() throws {
        let place = try Wards.run()
        let found = try compare(place, tables: Set(Wards.counts.keys))
        for table in ["bronze.visits", "silver.visits"] {
            let times = found[table]?["times"]?["seen_at"]?.list?.compactMap(\.text) ?? []
            let ours = try #require(
                try place.sql(
                    "SELECT strftime(min(seen_at), '%Y-%m-%dT%H:%M:%S') AS a, strftime(max(seen_at), '%Y-%m-%dT%H:%M:%S') AS b FROM \(table)"
                ).first)
            #expect(times == [ours["a"]?.text, ours["b"]?.text].compactMap(\.self), "\(table)")
            #expect(times.count == 2)
            #expect(found[table]?["columns"]?["seen_at"]?.text == "timestamp_ntz")
        }
    }

    @Test func `the tables after a second ingestion, with replaced rows`() throws {
        let place = try Wards.written()
        try place.edit("contracts/visits.yaml", "on_key_conflict: reject", "on_key_conflict: latest-wins")
        try place.write("landing/visits/a.csv", Wards.first)
        #expect(try place.martlet("run").code == 0)
        try place.write("landing/visits/b.csv", Wards.csv(Wards.rows(500..<700)))
        #expect(try place.martlet("run").code == 0)
        let found = try compare(place, tables: ["bronze.visits", "silver.visits", "gold.visits", "quarantine.visits"])
        #expect(found["bronze.visits"]?["rows"]?.integer == 699)
        #expect(found["bronze.visits"]?["version"]?.integer == 1)
    }

    @Test func `the tables of both templates`() throws {
        _ = try compare(
            try LookAlikes.readmission(), tables: ["bronze.encounters", "silver.encounters", "gold.encounters"])
        let place = try LookAlikes.downtime()
        let found = try compare(place, tables: ["bronze.readings", "silver.readings", "gold.readings"])
        #expect(found["bronze.readings"]?["columns"]?["reading_date"]?.text == "date")
    }
}
