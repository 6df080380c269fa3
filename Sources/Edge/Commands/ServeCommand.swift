internal import ArgumentParser
internal import Composition
internal import Core
internal import Storage

/// The command `martlet serve`: replaces the process by the program `martlet-serve`, which links no SQL engine.
struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve predictions over HTTP with the champions of one or more projects.",
        discussion: "Runs the program martlet-serve; `martlet serve --help` lists its options.",
        examples: ["martlet serve hospital", "martlet serve hospital lab --port 9000"])

    @Argument(parsing: .captureForPassthrough, help: "See `martlet serve --help`.")
    var arguments: [String] = []

    func run() throws {
        let program = Disk.parent(of: SystemPlatform.executable) + "/martlet-serve"
        try SystemPlatform.become(program, arguments)
    }
}
