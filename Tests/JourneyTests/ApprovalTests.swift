import Core
import Storage
import TestSupport
import Testing

@Suite struct `Approval and the moves of the champion` {
    /// The downtime project with further versions of other split seeds, and gates that let them through.
    private func versions(_ count: Int) throws -> Sandbox {
        let place = try LookAlikes.downtime()
        let yaml = try place.read("martlet.yaml")
        try place.write("martlet.yaml", String(yaml.split(separator: "    gates:")[0]) + "    approval: required\n")
        for seed in 0..<(count - 1) {
            let run = try place.martlet("run", "--split-seed", "\(100 + seed)")
            guard run.code == 0 else { throw Unusable(what: "\(run)") }
        }
        return place
    }

    private func state(_ place: Sandbox) throws -> JSONValue {
        try place.martlet("models", "list", "--json").json().list?.first ?? .null
    }

    @Test func `a version that needs approval is pending and has no alias, then champion`() throws {
        let place = try LookAlikes.downtime()
        #expect(try state(place)["champion"] == nil)
        #expect(try state(place)["pending"] == .list([.integer(1)]))
        #expect(try place.martlet("run").output.contains("waits for approval"))
        let none = try place.martlet("models", "show", "downtime@champion")
        #expect(none.code != 0 && none.isClean && none.errors.contains("registry.unknown-alias"), "\(none)")
        let predict = try place.martlet("predict", "landing/readings/look-alikes.csv", "-o", "x.csv")
        #expect(predict.code != 0 && !place.exists("x.csv"), "nothing is scored by a version nobody approved")
        let pending = try place.martlet("models", "show", "downtime@1", "--json").json()
        #expect(pending.at("approval.state")?.text == "pending")
        #expect(pending["aliases"] == .list([]))
        #expect(try place.martlet("models", "card", "downtime@1").output.contains("pending"))

        let approved = try place.martlet("models", "approve", "downtime@1", "--reason", "read the card", "--json")
        #expect(approved.code == 0)
        #expect(try approved.json()["aliases"] == .list([.text("champion")]))
        let shown = try place.martlet("models", "show", "downtime@champion", "--json").json()
        #expect(shown.at("approval.state")?.text == "approved")
        #expect(shown.at("approval.reason")?.text == "read the card")
        #expect(shown.at("metrics.cv.roc_auc.value")?.number ?? 0 > 0.99)
        #expect(try place.martlet("predict", "landing/readings/look-alikes.csv", "-o", "x.csv").code == 0)
        let twice = try place.martlet("models", "approve", "downtime@1")
        #expect(twice.code != 0 && twice.errors.contains("registry.already-approved"), "\(twice)")
    }

    @Test func `later versions become candidates; promote and rollback move the champion`() throws {
        let place = try versions(3)
        #expect(try state(place)["pending"] == .list([.integer(1), .integer(2), .integer(3)]))
        #expect(try place.martlet("models", "approve", "downtime@1").code == 0)
        #expect(try place.martlet("models", "approve", "downtime@2").code == 0)
        #expect(try state(place)["champion"]?.integer == 1)
        #expect(try state(place)["candidate"]?.integer == 2)
        let early = try place.martlet("models", "promote", "downtime@3")
        #expect(early.code == 2 && early.errors.contains("registry.pending"), "\(early)")
        let promoted = try place.martlet("models", "promote", "downtime@candidate", "--reason", "better", "--json")
        #expect(promoted.code == 0, "\(promoted)")
        #expect(try promoted.json()["from"]?.integer == 1)
        #expect(try promoted.json()["to"]?.integer == 2)
        #expect(try state(place)["champion"]?.integer == 2)
        #expect(try place.martlet("models", "rollback", "downtime", "--reason", "worse").code == 0)
        #expect(try state(place)["champion"]?.integer == 1)
        let events = try place.martlet("models", "history", "downtime", "--json").json()["events"]?.list ?? []
        #expect(events.count { $0["event"]?.text == "registered" } == 3)
        #expect(events.count { $0["event"]?.text == "approved" } == 2)
        let reasons = events.compactMap { $0["reason"]?.text }
        #expect(reasons.contains("worse"))
        #expect(events.map { $0["position"]?.integer } == events.indices.map { $0 + 1 })
    }

    @Test func `a rejected version stays rejected`() throws {
        let place = try versions(2)
        #expect(try place.martlet("models", "reject", "downtime@2").code == 64, "a reason is asked for")
        #expect(try place.martlet("models", "reject", "downtime@2", "--reason", "wrong month").code == 0)
        #expect(
            try place.martlet("models", "show", "downtime@2", "--json").json().at("approval.state")?.text == "rejected")
        for arguments in [["approve", "downtime@2"], ["promote", "downtime@2"]] {
            let refused = try place.martlet(["models"] + arguments)
            #expect(refused.code != 0 && refused.isClean && refused.errors.contains("rejected"), "\(refused)")
        }
        #expect(try place.martlet("models", "approve", "downtime@1").code == 0)
        #expect(try state(place)["champion"]?.integer == 1)
        #expect(try state(place)["candidate"] == nil)
    }

    @Test func `without approval the first version is champion and the next one candidate`() throws {
        let place = try Wards.run()
        #expect(try place.martlet("run", "--split-seed", "3").code == 0)
        #expect(try state(place)["champion"]?.integer == 1)
        #expect(try state(place)["candidate"]?.integer == 2)
        #expect(try place.martlet("models", "promote", "stay@2").code == 0)
        #expect(try state(place)["champion"]?.integer == 2)
        let needless = try place.martlet("models", "approve", "stay@1")
        #expect(needless.code != 0 && needless.errors.contains("registry.no-approval-needed"), "\(needless)")
    }

    @Test func `a champion is moved and rolled back while another process works on the project, and the audit has it`()
        throws
    {
        let place = try versions(3)
        let lock = try FileLock(place.path(".martlet/lock"))
        #expect(lock != nil)
        for words in [
            ["approve", "downtime@1"], ["approve", "downtime@2", "--reason", "read"],
            ["reject", "downtime@3", "--reason", "wrong month"], ["promote", "downtime@2", "--reason", "better"],
            ["rollback", "downtime", "--reason", "worse"],
        ] {
            let outcome = try place.martlet(["models"] + words)
            #expect(outcome.code == 0, "\(outcome)")
        }
        #expect(try place.martlet("run").errors.contains("[project.busy]"))
        withExtendedLifetime(lock) {}
        let lines = try place.martlet("audit", "--subject", "models", "--json").output.split(separator: "\n")
        let audit = lines.compactMap { JSONValue(parsing: String($0)) }
        #expect(audit.allSatisfy { $0["actor"]?.text?.hasPrefix("local:") == true && $0["project"]?.text != nil })
        #expect(
            audit.compactMap { $0["action"]?.text } == [
                "version.registered", "version.registered", "version.registered", "version.approved", "alias.moved",
                "version.approved", "alias.moved", "version.rejected", "alias.moved", "alias.removed", "alias.moved",
            ])
        let last = try #require(audit.last)
        #expect(last.at("before.version")?.integer == 2 && last.at("after.version")?.integer == 1)
        #expect(last.at("after.reason")?.text == "worse" && last["subject"]?.text == "models/downtime/aliases/champion")
        let since = try #require(last["at"]?.text)
        #expect(try place.martlet("audit", "--since", since, "--json").output.split(separator: "\n").count == 1)
        #expect(
            try place.martlet("audit", "--action", "version", "--until", since, "--json").output
                .split(separator: "\n").count == 6)
        let cut = try place.martlet("audit", "--limit", "2")
        #expect(cut.errors.contains("not shown"), "\(cut)")
    }

    @Test func `the audit of several projects is one list by time`() throws {
        let (one, two) = (try Wards.run(), try Wards.run())
        #expect(try one.martlet("run", "--split-seed", "3").code == 0)
        #expect(try two.martlet("run", "--split-seed", "3").code == 0)
        for place in [two, one, two] {
            let champion = try state(place)["champion"]?.integer ?? 0
            #expect(try place.martlet("models", "promote", "stay@\(3 - champion)").code == 0)
        }
        let both = try one.martlet(
            "audit", "--project", one.folder, "--project", two.folder, "--action", "alias.moved", "--json")
        let entries = both.output.split(separator: "\n").compactMap { JSONValue(parsing: String($0)) }
        let times = entries.compactMap { $0["at"]?.text }
        #expect(times.count == entries.count && times == times.sorted())
        let single = try one.martlet("audit", "--action", "alias.moved", "--json").output.split(separator: "\n").count
        let other = try two.martlet("audit", "--action", "alias.moved", "--json").output.split(separator: "\n").count
        #expect(single > 0 && other > single && entries.count == single + other)
        #expect(
            try one.martlet("audit", "--project", one.folder, "--project", two.folder, "--after", "1").code == 64)
    }
}
