import Testing
import Vocabulary

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
}
