internal import ArgumentParser

extension CommandConfiguration {
    /// A command whose `--help` ends with examples.
    ///
    /// ```swift
    /// CommandConfiguration(commandName: "list", abstract: "List jobs.", examples: ["martlet jobs list --state failed"])
    /// ```
    ///
    /// - Parameter examples: whole command lines, of at most 78 characters so that a narrow terminal does not break them.
    init(
        commandName: String, abstract: String, discussion: String = "", examples: [String], version: String = "",
        shouldDisplay: Bool = true, subcommands: [any ParsableCommand.Type] = [],
        defaultSubcommand: (any ParsableCommand.Type)? = nil
    ) {
        let list = (["Examples:"] + examples.map { "  \($0)" }).joined(separator: "\n")
        self.init(
            commandName: commandName, abstract: abstract,
            discussion: discussion.isEmpty ? list : "\(discussion)\n\n\(list)", version: version,
            shouldDisplay: shouldDisplay, subcommands: subcommands, defaultSubcommand: defaultSubcommand)
    }
}
