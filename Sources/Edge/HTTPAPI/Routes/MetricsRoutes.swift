internal import Core
internal import HTTPTypes
internal import Hummingbird
internal import Identity
internal import NIOCore
internal import NIOPosix
internal import PredictionLog
internal import Serving
internal import Synchronization

/// Resource use of a process: CPU, memory, file descriptors.
package struct ProcessFigures: Sendable {
    /// Processor time since the start in seconds, user and system.
    package var cpuSeconds = 0.0
    /// Resident memory in bytes; 0 when unknown, as on macOS.
    package var residentBytes = 0
    /// Virtual memory in bytes; 0 when unknown, as on macOS.
    package var virtualBytes = 0
    /// Number of open file descriptors; 0 when unknown, as on macOS.
    package var openDescriptors = 0
    /// Largest number of file descriptors that may be open (soft limit); 0 when unknown.
    package var mostDescriptors = 0
    /// Start time in seconds since 1970.
    package var started = 0.0

    package init() {}
}

/// The route `GET /metrics` for Prometheus.
///
/// ```swift
/// let routes = MetricsRoutes(
///     catalog: catalog, metrics: metrics, version: version, isOpen: false, logs: logs,
///     process: { process.figures() }).routes
/// ```
struct MetricsRoutes: Sendable {
    let catalog: ModelCatalog
    let metrics: ServerMetrics
    let version: String
    let isOpen: Bool
    let logs: [(project: String, counters: @Sendable () -> PredictionLogCounters)]
    let process: @Sendable () -> ProcessFigures

    /// The routes with their handlers.
    var routes: [Route] {
        [
            Route(
                .get, "/metrics", id: "metrics", "Counts and durations in the text format of Prometheus.",
                access: isOpen ? .anyone : .needs(.readMonitoring),
                replies: [.init(200, "Version 0.0.4 of the format.", .init("text/plain", .text))]
            ) { _, _ in
                let requests = await metrics.requests()
                let rest = try await NIOThreadPool.singleton.runIfActive { (process(), logs.map { $0.counters() }) }
                return .text(text(requests, rest.0, rest.1), type: MetricsText.mediaType)
            }
        ]
    }

    private func text(
        _ requests: [RequestSeries: Latencies], _ process: ProcessFigures, _ counters: [PredictionLogCounters]
    ) -> String {
        var out = MetricsText()
        out.family("martlet_build_info", .gauge, "The version that runs; always 1.")
        out.sample("martlet_build_info", [("version", version)], 1)
        write(requests, &out)
        writeEdge(&out)
        writeModels(&out)
        writeLogs(counters, &out)
        write(process, &out)
        return out.text
    }

    private func write(_ requests: [RequestSeries: Latencies], _ out: inout MetricsText) {
        let sorted = requests.sorted {
            ($0.key.route, $0.key.method, $0.key.status) < ($1.key.route, $1.key.method, $1.key.status)
        }
        func labels(_ series: RequestSeries) -> [(String, String)] {
            [("method", series.method), ("route", series.route), ("status", "\(series.status)")]
        }
        let total = "martlet_http_requests_total"
        out.family(total, .counter, "Requests that were answered.")
        for (series, latencies) in sorted { out.sample(total, labels(series), Double(latencies.count)) }
        let duration = "martlet_http_request_duration_seconds"
        out.family(duration, .histogram, "From a request's head to its answer's, the prediction log's wait included.")
        for (series, latencies) in sorted { out.histogram(duration, labels(series), latencies) }
    }

    private func writeEdge(_ out: inout MetricsText) {
        func read(_ counter: borrowing Atomic<Int>) -> Int { counter.load(ordering: .relaxed) }
        out.single("martlet_http_connections", .gauge, "Connections that are open.", read(metrics.connections))
        out.single(
            "martlet_http_connections_accepted_total", .counter, "Connections that were taken.", read(metrics.accepted))
        out.single(
            "martlet_http_connections_refused_total", .counter, "Connections turned away: too many were open.",
            read(metrics.connectionsRefused))
        out.single(
            "martlet_http_requests_underway", .gauge, "Requests that the router works on.", read(metrics.underway))
        out.single(
            "martlet_http_requests_busy_total", .counter, "Requests turned away: too many were at work.",
            read(metrics.busy))
        out.single(
            "martlet_http_requests_rate_limited_total", .counter, "Requests turned away by the rate limit.",
            read(metrics.rateLimited))
        let slow = "martlet_http_slow_clients_total"
        out.family(slow, .counter, "Connections closed because the client was slow, by what it was slow with.")
        out.sample(slow, [("with", "head")], Double(read(metrics.slowHead)))
        out.sample(slow, [("with", "body")], Double(read(metrics.slowBody)))
        out.sample(slow, [("with", "reading")], Double(read(metrics.slowReader)))
    }

    private func writeModels(_ out: inout MetricsText) {
        func each(_ name: String, _ kind: MetricsText.Kind, _ help: String, _ value: (ModelSlot) -> Int?) {
            out.family(name, kind, help)
            for slot in catalog.slots {
                guard let value = value(slot) else { continue }
                out.sample(name, [("project", slot.key.project), ("model", slot.key.model)], Double(value))
            }
        }
        each("martlet_predictions_total", .counter, "Rows that were scored, those of batches included.") {
            $0.predictions
        }
        each("martlet_model_version", .gauge, "The version that answers.") { $0.served?.version }
        each("martlet_model_ready", .gauge, "Whether a version answers.") { $0.served == nil ? 0 : 1 }
        each("martlet_model_trouble", .gauge, "Whether something keeps the model from being brought up to date.") {
            $0.trouble == nil ? 0 : 1
        }
    }

    private func writeLogs(_ counters: [PredictionLogCounters], _ out: inout MetricsText) {
        let all = Array(zip(logs.map(\.project), counters))
        func each(
            _ name: String, _ kind: MetricsText.Kind, _ help: String, _ value: (PredictionLogCounters) -> Double
        ) {
            out.family(name, kind, help)
            for (project, counters) in all { out.sample(name, [("project", project)], value(counters)) }
        }
        let log = "martlet_prediction_log_"
        each(log + "records_appended_total", .counter, "Records taken.") { Double($0.appended) }
        each(log + "records_written_total", .counter, "Records with the system.") { Double($0.written) }
        each(log + "written_bytes_total", .counter, "Bytes written.") { Double($0.bytes) }
        each(log + "records_dropped_total", .counter, "Records answered and not logged.") { Double($0.dropped) }
        each(log + "records_sampled_out_total", .counter, "Records left out by sampling.") { Double($0.sampledOut) }
        each(log + "records_refused_total", .counter, "Records refused; not answered.") { Double($0.refused) }
        each(log + "writes_total", .counter, "Calls of write.") { Double($0.writes) }
        each(log + "syncs_total", .counter, "Calls of fsync.") { Double($0.syncs) }
        each(log + "last_sync_seconds", .gauge, "How long the last fsync took.") { $0.lastSyncSeconds }
        each(log + "longest_sync_seconds", .gauge, "How long the longest fsync took.") { $0.longestSyncSeconds }
        each(log + "held_total", .counter, "Times that answers waited for a late fsync.") { Double($0.held) }
        each(log + "segments_total", .counter, "Segments begun.") { Double($0.segments) }
        each(log + "segments_expired_total", .counter, "Segments removed by age or size.") { Double($0.expired) }
        each(log + "expired_bytes_total", .counter, "Bytes of segments removed by age or size.") {
            Double($0.expiredBytes)
        }
        each(log + "segments_expired_uncompacted_total", .counter, "Of those, segments that were not in the lake.") {
            Double($0.expiredUncompacted)
        }
        each(log + "segments_bytes", .gauge, "Bytes of all segments, looked at once a minute.") { Double($0.keptBytes) }
        each(log + "segments_bytes_limit", .gauge, "Bytes that segments may have; +Inf without a limit.") {
            $0.mostBytes.map(Double.init) ?? .infinity
        }
        each(log + "set_aside_files", .gauge, "Damaged pieces that were set aside for a person.") {
            Double($0.tornFiles)
        }
        each(log + "set_aside_bytes", .gauge, "Their bytes.") { Double($0.tornFileBytes) }
        each(log + "waiting_bytes", .gauge, "Bytes in the buffer.") { Double($0.waitingBytes) }
        each(log + "healthy", .gauge, "Whether the log takes records.") { $0.isFull || $0.hasFailed ? 0 : 1 }
    }

    private func write(_ process: ProcessFigures, _ out: inout MetricsText) {
        func one(_ name: String, _ kind: MetricsText.Kind, _ help: String, _ value: Double) {
            out.family(name, kind, help)
            out.sample(name, [], value)
        }
        one("process_cpu_seconds_total", .counter, "Processor time, user and system.", process.cpuSeconds)
        one("process_resident_memory_bytes", .gauge, "Resident memory.", Double(process.residentBytes))
        one("process_virtual_memory_bytes", .gauge, "Virtual memory.", Double(process.virtualBytes))
        one("process_open_fds", .gauge, "Open file descriptors.", Double(process.openDescriptors))
        one("process_max_fds", .gauge, "File descriptors that may be open.", Double(process.mostDescriptors))
        one("process_start_time_seconds", .gauge, "When the process began, since 1970.", process.started)
    }
}
