internal import ArgumentParser
internal import Composition
internal import Core
internal import Storage

/// Hands over to the program `martlet-serve` beside this one, which links no training and no SQL library.
struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Answer predictions over HTTP with the champions of one or more projects.")

    @Argument(parsing: .captureForPassthrough, help: "See `martlet serve --help`.")
    var arguments: [String] = []

    func run() throws {
        let program = Disk.parent(of: SystemPlatform.executable) + "/martlet-serve"
        try SystemPlatform.become(program, arguments)
    }
}
