package import ArgumentParser
internal import Composition
internal import Core
internal import Foundation
internal import Logging
internal import PredictionLog
internal import Projects
internal import Storage

/// The command `martlet serve`, in a program of its own that links no training and no SQL library.
///
/// ```swift
/// await ServeCommand.runToExit()  // the whole of `main`
/// ```
package struct ServeCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "martlet serve",
        abstract: "Serve predictions over HTTP with the champions of one or more projects.",
        discussion: """
            All models of every project are served; /predict without a model name means the first one. A new champion \
            is loaded without an interruption. On SIGTERM the server finishes the requests in progress and ends.

            Examples:
              martlet serve hospital
              martlet serve hospital lab --port 9000 --workers 0
              martlet serve hospital --tls-certificate server.pem --tls-key server.key
            """)

    @Argument(
        help: ArgumentHelp(
            "Folders of projects (default: the nearest upwards with a martlet.yaml).", valueName: "project"))
    var projects: [String] = []

    @OptionGroup(title: "Network")
    var edge: EdgeOptions

    @Option(
        help: ArgumentHelp(
            "Seconds that the server keeps answering while the metadata database is unreachable; then 503.",
            valueName: "s"))
    var staleLimit = 900.0

    @Option(help: "TCP port; 0 selects a free one.")
    var port = 8080

    @Option(
        help: ArgumentHelp(
            "The folder of the only project's state (default: <project>/.martlet, or MARTLET_HOME).", valueName: "dir"))
    var home: String?

    @Option(
        help: ArgumentHelp(
            "When a response is sent: strict (its log record is on disk), written (passed to the system), best-effort (at once).",
            valueName: "mode"))
    var log = PredictionLogMode.written.rawValue

    @OptionGroup(title: "Prediction log")
    var logging: LogOptions

    @Option(
        help: ArgumentHelp(
            "Seconds after SIGTERM in which requests are still accepted, each response closing its connection.",
            valueName: "s"))
    var drainSeconds = 1.0

    @Option(
        help: ArgumentHelp(
            "Threads that read, score single rows and write (default: as many as processors).", valueName: "n"))
    var loops: Int?

    @OptionGroup(title: "Batches")
    var batches: BatchOptions

    @Option(
        help: ArgumentHelp(
            "Number of concurrent jobs of its worker for each project; 0 for no workers.", valueName: "n"))
    var workers = 1

    package init() {}

    static let version = "0.1.0"

    /// Checks the combination of options.
    package func validate() throws {
        if !(0...65_535).contains(port) { throw ValidationError("--port must be from 0 to 65535.") }
        if !(0...3600).contains(drainSeconds) { throw ValidationError("--drain-seconds must be from 0 to 3600.") }
        if !(0...86_400).contains(staleLimit) { throw ValidationError("--stale-limit must be from 0 to 86400.") }
        if !(0...256).contains(workers) { throw ValidationError("--workers must be from 0 to 256.") }
        if let loops, !(1...256).contains(loops) { throw ValidationError("--loops must be from 1 to 256.") }
        if PredictionLogMode(rawValue: log) == nil {
            throw ValidationError("--log must be strict, written or best-effort.")
        }
        if home != nil, projects.count > 1 {
            throw ValidationError("--home is for one project; there are \(projects.count).")
        }
    }

    /// Serves until the process is asked to stop.
    package func run() async throws {
        let context = SystemPlatform.context()
        let logger = Logger(label: "martlet.serve") { _ in TerminalLogHandler.forStandardError(now: context.now) }
        let certificate = try edge.certificate()
        if let key = edge.tlsKey, let mode = Disk.permissions(Disk.absolute(key)), mode & 0o077 != 0 {
            logger.warning(
                "others may read the private key", metadata: ["file": "\(key)", "mode": "\(String(mode, radix: 8))"])
        }
        let folders = projects.isEmpty ? [try Project.find(from: ".")] : projects.map { Disk.absolute($0) }
        let home = (home ?? SystemPlatform.environment("MARTLET_HOME")).map { ProjectHome(Disk.absolute($0)) }
        let served = try folders.map {
            try ServedProject(
                folder: $0, home: folders.count == 1 ? home : nil, log: PredictionLogMode(rawValue: log),
                policy: logging.policy, context: context)
        }
        for project in served {
            guard let trouble = project.lastError else { continue }
            logger.error(
                "registry could not be brought up to date",
                metadata: ["project": "\(project.project.name)", "reason": "\(trouble)"])
        }
        OwnProcess.raiseDescriptors()
        let application = try await ServerApplication(self, served, certificate, context, logger)
        try await application.run()
        logger.info("ended")
    }

    /// Runs the command line and ends the process with its exit code.
    package static func runToExit() async -> Never {
        SystemPlatform.installFailpoints()
        SystemPlatform.returnLargeMemory()
        SystemPlatform.ignoreFileSizeSignal()
        SystemPlatform.keepNewFilesToAccount()
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand { try await command.run() } else { try command.run() }
            exit()
        } catch let error as MartletError {
            FileHandleText.error("error: \(error)")
            exit(withError: ExitCode(error.exitCode))
        } catch {
            exit(withError: error)
        }
    }
}
