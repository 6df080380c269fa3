import Serving

/// Open Inference Protocol: two bytes say how many of the others are JSON (0xFFFF: all), as the header would.
enum TensorSurface {
    static func run(_ input: UnsafeRawBufferPointer) {
        guard input.count >= 2 else { return }
        let told = Int(input[0]) | Int(input[1]) << 8
        let body = UnsafeRawBufferPointer(rebasing: input[2...])
        let json = told == 0xFFFF ? nil : Int(Int16(truncatingIfNeeded: told))
        let outcome = Bodies.read("tensors") { batch, _ in
            _ = try TensorRequest(body, jsonBytes: json, into: batch, mostRows: Bodies.mostRows)
        }
        guard outcome.refusal == nil else { return }
        _ = Bodies.reference("tensors", UnsafeRawBufferPointer(rebasing: body[..<(json ?? body.count)]))
        demand(outcome.rows <= Bodies.mostRows, "rows are bounded")
        guard outcome.values.allSatisfy({ !$0.isInfinite }) else { return }
        Bodies.agree("tensors", outcome)
        if outcome.isAccepted { plant(size: outcome.values.first ?? 0) }
    }
}
