/// Writer of metrics in Prometheus' text format, version 0.0.4.
struct MetricsText {
    enum Kind: String { case counter, gauge, histogram }

    static let mediaType = "text/plain; version=0.0.4; charset=utf-8"
    private(set) var text = ""

    /// Begins a family; all its samples follow.
    mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    }

    mutating func sample(_ name: String, _ labels: [(String, String)], _ value: Double) {
        text += name
        if !labels.isEmpty {
            text += "{" + labels.map { "\($0)=\"\(MetricsText.escaped($1))\"" }.joined(separator: ",") + "}"
        }
        text += " \(MetricsText.number(value))\n"
    }

    /// A family of one sample.
    mutating func single(_ name: String, _ kind: Kind, _ help: String, _ value: Int) {
        family(name, kind, help)
        sample(name, [], Double(value))
    }

    mutating func histogram(_ name: String, _ labels: [(String, String)], _ latencies: Latencies) {
        var below = 0
        for (place, count) in latencies.counts.enumerated() {
            below += count
            let bound = place < Latencies.bounds.count ? MetricsText.number(Latencies.bounds[place]) : "+Inf"
            sample(name + "_bucket", labels + [("le", bound)], Double(below))
        }
        sample(name + "_sum", labels, latencies.sum)
        sample(name + "_count", labels, Double(below))
    }

    private static func number(_ value: Double) -> String {
        if let whole = Int64(exactly: value) { return "\(whole)" }
        return value.isNaN ? "NaN" : value == .infinity ? "+Inf" : value == -.infinity ? "-Inf" : "\(value)"
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
