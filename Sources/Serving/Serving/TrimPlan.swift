/// Decides when the process returns free memory to the system.
///
/// Whenever the process is a tenth larger than it was at its smallest, since what it used in the middle of a large
/// request says nothing about what it uses after it. Where that did not help, because the memory is in use, after a
/// pause that doubles each time, from 4 to 32 seconds.
///
/// ```swift
/// if plan.isWorth(resident, at: seconds) {
///     SystemPlatform.trimMemory()
///     plan.trimmed(from: resident, to: OwnProcess.memory()?.resident ?? resident, at: seconds)
/// }
/// ```
package struct TrimPlan {
    private static let growth = 1.1
    /// The share of the process that makes a trim one that helped.
    private static let gain = 0.05
    private static let pauses = 4.0...32.0

    /// Bytes.
    private var smallest = Int.max
    private var pause = pauses.lowerBound
    private var due = 0.0

    package init() {}

    /// Whether to return memory now, at this resident size in bytes and this time in seconds since the start.
    package mutating func isWorth(_ resident: Int, at seconds: Double) -> Bool {
        smallest = min(smallest, resident)
        return seconds >= due && Double(resident) > Double(smallest) * Self.growth
    }

    /// Records the effect of returning memory.
    package mutating func trimmed(from before: Int, to after: Int, at seconds: Double) {
        smallest = min(smallest, after)
        let helped = Double(before - after) > Double(before) * Self.gain
        pause = helped ? Self.pauses.lowerBound : min(pause * 2, Self.pauses.upperBound)
        due = seconds + pause
    }
}
