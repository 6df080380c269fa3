internal import Core
internal import NIOCore
internal import PredictionLog
internal import Serving

/// State shared by the fast paths of one event loop: session, date header, acknowledgement couriers.
final class FastPathState {
    private var session: ScoringSession?
    private let clock: any ExecutionClock
    private let loop: any EventLoop
    /// Brings acknowledgements to this loop, all that came together by one call.
    let courier: AcknowledgementCourier
    /// Logs that have records whose writer was not woken yet.
    private var unwoken: [PredictionLog] = []
    var metrics = FastPathMetrics()
    /// Bytes of bodies that are not whole yet and go to the router when they are.
    var gathered = 0
    private static let mostGathered = 32 << 20
    /// Whether more may be kept here; else the router gets bodies as they come.
    var hasRoom: Bool { gathered < Self.mostGathered }
    private var second: Int64 = -1
    private var date: [UInt8] = []

    init(loop: any EventLoop, clock: any ExecutionClock) {
        self.clock = clock
        self.loop = loop
        courier = AcknowledgementCourier { batch in loop.execute { batch.complete() } }
    }

    /// Wakes the log's writer when the loop has read what came at once from all connections, so that they share a write.
    func wakeSoon(_ log: PredictionLog) {
        if unwoken.contains(where: { $0 === log }) { return }
        unwoken.append(log)
        if unwoken.count > 1 { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        loop.execute { bound.value.wakeAll() }
    }

    private func wakeAll() {
        for log in unwoken { log.wakeWriter() }
        unwoken.removeAll(keepingCapacity: true)
    }

    func session(for deployment: any Deployment) -> ScoringSession {
        if let session { return session }
        let made = ScoringSession(deployment.route(nil).answering.model.schema)
        session = made
        return made
    }

    /// The line `date: …` of a response, made once a second.
    func dateLine() -> [UInt8] {
        let moment = clock.now().microseconds / 1_000_000
        if moment != second {
            second = moment
            date = Array("date: \(HTTPDate.text(ofSecond: moment))\r\n".utf8)
        }
        return date
    }
}

/// Formats dates for HTTP headers (RFC 9110, IMF-fixdate).
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
