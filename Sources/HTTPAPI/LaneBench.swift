internal import NIOCore
internal import Serving
internal import Vocabulary

/// What the lanes of one event loop share: a desk, and the date as headers tell it. Used by that loop only.
final class LaneBench {
    private(set) var desk: ScoringDesk?
    private let now: @Sendable () -> Timestamp
    private var second: Int64 = -1
    private var date: [UInt8] = []

    init(now: @escaping @Sendable () -> Timestamp) { self.now = now }

    func desk(for model: ServedModel) -> ScoringDesk {
        if let desk { return desk }
        let made = ScoringDesk(model.schema)
        desk = made
        return made
    }

    /// The line `date: …` of a response, made once a second.
    func dateLine() -> [UInt8] {
        let moment = now().microseconds / 1_000_000
        if moment != second {
            second = moment
            date = Array("date: \(HTTPDate.text(ofSecond: moment))\r\n".utf8)
        }
        return date
    }
}

/// Dates as HTTP tells them (RFC 9110, IMF-fixdate).
enum HTTPDate {
    private static let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// - Parameter second: since 1970, not negative.
    static func text(ofSecond second: Int64) -> String {
        // "2026-01-31T08:15:00.000000Z"
        let text = Array(Timestamp(microseconds: second * 1_000_000).description)
        let month = Int(String(text[5..<7])) ?? 1
        let weekday = weekdays[Int(second / 86_400 % 7)]
        return
            "\(weekday), \(String(text[8..<10])) \(months[(month - 1) % 12]) \(String(text[0..<4])) \(String(text[11..<19])) GMT"
    }
}
