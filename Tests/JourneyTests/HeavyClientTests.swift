import Testing

/// Clients that bring hundreds of megabytes of Python each. `make interop` names an interpreter for each of them in
/// MARTLET_KSERVE_PYTHON and so on; without those the suite is skipped.
@Suite(.enabled(if: Program.python(of: "kserve") != nil, "large clients are installed and run by `make interop`"))
struct HeavyClientTests {
    @Test(arguments: ["kserve", "mlserver", "mlflow"], ["downtime", "readmission"])
    func `get the probabilities that predict gives`(_ client: String, _ model: String) throws {
        let python = try #require(Program.python(of: client), "`make interop` sets all of them")
        let place = model == "downtime" ? try LookAlikes.downtime() : try LookAlikes.readmission()
        // One of the two needs an approval before it is deployed.
        if model == "downtime" { #expect(try place.martlet("models", "approve", "downtime@1").code == 0) }
        let server = try RunningServer(serving: place, role: "viewer", ["--workers", "0"])
        let outcome = try Program.run(
            python, ["-B", "\(Program.root)/scripts/interop/heavy.py", client, "\(server.port)", server.token, model],
            in: Program.root)
        #expect(outcome.code == 0, "\(outcome)")
    }
}
