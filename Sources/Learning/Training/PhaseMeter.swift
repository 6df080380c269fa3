/// Measures the cost of the phases of training. A phase may occur more than once.
package protocol PhaseMeter {
    /// Runs the body and books its cost under the phase's name: "split", "signature", "encode", "fit", "score",
    /// "calibrate", "evaluate".
    func measure<Result>(_ phase: String, _ body: () throws -> Result) rethrows -> Result
}

/// A `PhaseMeter` that measures nothing.
struct NoMeter: PhaseMeter {

    /// Runs the body.
    func measure<Result>(_ phase: String, _ body: () throws -> Result) rethrows -> Result { try body() }
}
