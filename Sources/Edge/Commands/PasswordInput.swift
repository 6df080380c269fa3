internal import CLibrary
internal import Core
internal import Storage

/// Reads a password from the terminal or stdin; never from an argument, which other accounts can see.
enum PasswordInput {
    /// From a terminal twice, unseen; else the first line of standard input.
    static func read(for name: String) throws -> String {
        guard isatty(0) == 1 else {
            guard let line = readLine() else {
                throw MartletError(
                    .usage, "identity.no-password", "There is no password on standard input.",
                    remedy: "Type it at a terminal, or `… < FILE`.")
            }
            return line
        }
        let first = try ask("Password for \(name): ")
        guard try ask("Once more: ") == first else {
            throw MartletError(.usage, "identity.no-password", "The two passwords differ.")
        }
        return first
    }

    private static func ask(_ question: String) throws -> String {
        var before = termios()
        guard tcgetattr(0, &before) == 0 else { throw Disk.failure("read", "the terminal") }
        var unseen = before
        unseen.c_lflag &= ~tcflag_t(ECHO)
        Output.raw(question, to: 2)
        tcsetattr(0, TCSAFLUSH, &unseen)
        defer {
            tcsetattr(0, TCSAFLUSH, &before)
            Output.raw("\n", to: 2)
        }
        return readLine() ?? ""
    }
}
