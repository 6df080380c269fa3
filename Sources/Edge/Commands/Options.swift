internal import ArgumentParser
internal import CommandComposition
internal import Core
internal import Registry
internal import Storage
internal import Workers
internal import Workflow

/// Options that select the project; shared by nearly all commands.
struct ProjectOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("The project's folder (default: the nearest upwards with a martlet.yaml).", valueName: "dir")
    )
    var project: String?

    @Option(
        help: ArgumentHelp(
            "The folder of the project's state (default: <project>/.martlet, or MARTLET_HOME).", valueName: "dir"))
    var home: String?

    func settings() throws -> Composition.Settings { try Self.settings(project: project, home: home) }

    func composition() throws -> Composition { Composition(try settings()) }

    /// The same for a command that takes its projects otherwise.
    static func composition(project: String?, home: String?) throws -> Composition {
        Composition(try settings(project: project, home: home))
    }

    private static func settings(project: String?, home: String?) throws -> Composition.Settings {
        let folder: String
        if let project {
            folder = Disk.absolute(project)
            guard Disk.exists(folder + "/martlet.yaml") else {
                throw MartletError(
                    .missing, "project.none", "There is no martlet.yaml in \(folder).",
                    remedy: "Write a project with `martlet init NAME --template readmission`.")
            }
        } else {
            folder = try ProjectFolder.find()
        }
        var settings = Composition.Settings(projectFolder: folder, home: home)
        settings.warn = { Output.note("warning: \($0)") }
        // A job does not fail because another martlet is at work: it waits for its turn.
        if let line = ParentWatchdog.current {
            settings.makesRegistry = false
            settings.whenBusy = { line.report(JobProgress(step: "waiting for another martlet at work")) }
        }
        return settings
    }
}

/// Options for numbers of threads; results do not depend on them.
struct ThreadOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Threads of the SQL engine (default: all processors, or MARTLET_THREADS).", valueName: "n"))
    var engineThreads: Int?

    @Option(
        help: ArgumentHelp(
            "Threads of the learner (default: all processors, or MARTLET_TRAINING_THREADS).", valueName: "n"))
    var trainingThreads: Int?

    func validate() throws {
        try asUsage { try threads.validate() }
    }

    func apply(to settings: inout Composition.Settings) {
        settings.engineThreads = engineThreads
        settings.trainingThreads = trainingThreads
    }
}

/// The flag `--json`.
struct JSONOption: ParsableArguments {
    @Flag(help: "Print JSON (its shape is in docs/cli.md) instead of a table.")
    var json = false
}

/// A moment that a person wrote.
func moment(_ text: String, _ option: String) throws -> Timestamp {
    guard let moment = Timestamp(text) else {
        throw MartletError(
            .usage, "settings.time", "\(option) is \(text), which is not a time.",
            remedy:
                "Write it like 2026-01-31, 2026-01-31T08:15 or 2026-01-31T08:15:00Z; it is UTC unless said otherwise.")
    }
    return moment
}

/// A memory size as a command-line value: "512MB", "2GiB".
struct ByteCount: ExpressibleByArgument {
    var bytes: Int64
    /// As it was written.
    var text: String

    init?(argument: String) {
        guard let bytes = ByteAmount.bytes(argument) else { return nil }
        self.bytes = bytes
        text = argument
    }
}
