// Numbers as people read them, on pages and in messages.

/// Formats a number with thousands separators.
package func grouped(_ number: Int) -> String {
    var out = ""
    for (index, digit) in String(number.magnitude).reversed().enumerated() {
        if index > 0, index % 3 == 0 { out.append(",") }
        out.append(digit)
    }
    return (number < 0 ? "-" : "") + String(out.reversed())
}

/// Formats a number with its noun: "1 row", "2,000 rows".
package func counted(_ number: Int, _ noun: String) -> String { "\(grouped(number)) \(noun)\(number == 1 ? "" : "s")" }

/// Formats a number with four decimals if small, fewer if large; "–" for an undefined one.
package func number(_ value: Double?) -> String {
    guard let value, value.isFinite else { return "–" }
    guard abs(value) < 1e12 else { return "\(value)" }
    let decimals = abs(value) >= 100 ? 1 : abs(value) >= 10 ? 2 : 4
    var scale = 1.0
    for _ in 0..<decimals { scale *= 10 }
    let rounded = Int((value.magnitude * scale).rounded())
    let whole = rounded / Int(scale)
    var rest = String(rounded % Int(scale))
    rest = String(repeating: "0", count: decimals - rest.utf8.count) + rest
    while rest.hasSuffix("0"), rest.utf8.count > 1 { rest.removeLast() }
    return (value < 0 && rounded > 0 ? "-" : "") + grouped(whole) + (rest == "0" ? "" : ".\(rest)")
}

/// Formats a share as a percentage: "11.7 %".
package func percent(_ share: Double) -> String { "\(number(share * 100)) %" }
