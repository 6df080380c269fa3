package import ArgumentParser
internal import CommandComposition
internal import Composition
internal import Core

/// The root command of the command line: `martlet <command>`.
///
/// ```swift
/// Martlet.runToExit()  // the whole of `main`
/// ```
package struct Martlet: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "martlet",
        abstract: "Trains, registers and serves models on tabular data, reproducibly, from raw files.",
        discussion: "Exit codes: 0 done, 1 failed, 2 a gate or a comparison did not pass, 64 wrong usage.",
        examples: [
            "martlet init hospital --template readmission",
            "martlet run --project hospital",
            "martlet serve hospital",
        ],
        version: Composition.version,
        subcommands: [
            InitCommand.self, GenerateCommand.self, IngestCommand.self, RunCommand.self, PredictCommand.self,
            VerifyCommand.self, LineageCommand.self, ReplayCommand.self, LakeCommand.self, QuarantineCommand.self,
            RunsCommand.self, PredictionsCommand.self, ModelsCommand.self, EventsCommand.self, JobsCommand.self,
            WorkerCommand.self, ServeCommand.self, UsersCommand.self,
            TokensCommand.self, AuditCommand.self, DoctorCommand.self, SchemaCommand.self, FeaturesCommand.self,
            ConvertCommand.self,
        ])

    package init() {}

    /// Runs the command line and ends the process with its exit code.
    package static func runToExit() -> Never {
        SystemPlatform.installFailpoints()
        SystemPlatform.ignoreFileSizeSignal()
        let arguments = Array(CommandLine.arguments.dropFirst())
        let command = arguments.first ?? ""
        // What a new project or its examples hold is for whoever shall work with them.
        if !["init", "generate", "schema"].contains(command) { SystemPlatform.keepNewFilesToAccount() }
        if ["run", "verify", "predict"].contains(command) { SystemPlatform.restartWithPassiveWaiting() }
        let asJSON = ErrorOutput.isJSON(arguments)
        do {
            if let unknown = ErrorOutput.unknownCommand(arguments, of: Martlet.self) { throw unknown }
            var command = try parseAsRoot()
            try command.run()
            exit()
        } catch let error as MartletError {
            ErrorOutput.tell(error, asJSON: asJSON)
            exit(withError: ExitCode(error.exitCode))
        } catch {
            guard asJSON, let usage = ErrorOutput.usage(error, of: Martlet.self) else { exit(withError: error) }
            ErrorOutput.tell(usage, asJSON: true)
            exit(withError: ExitCode(usage.exitCode))
        }
    }
}
