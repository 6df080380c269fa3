internal import ArgumentParser
internal import CommandComposition
internal import Core
internal import Identity

struct UsersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "users",
        abstract: "Manage the people who may log in to the server.",
        discussion: """
            Roles: viewer reads and requests predictions, operator also trains, approver also decides which version is \
            served, admin also manages users and tokens. A password is typed at the terminal, or is the first line of \
            stdin.
            """,
        examples: ["martlet users list", "martlet users add ada --role operator"],
        subcommands: [List.self, Add.self, SetRole.self, SetPassword.self, Disable.self, Enable.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List the users.",
            examples: ["martlet users list --json"])
        @OptionGroup var place: ProjectOptions
        @OptionGroup var format: JSONOption

        func run() throws {
            let users = try place.composition().withIdentityForReading { try $0.users() }
            if format.json { return try Output.json(users) }
            var grid = TextGrid("user", "role", "created (UTC)", "by", "disabled (UTC)")
            for user in users {
                grid.rows.append([
                    user.name, user.role.rawValue, user.created.minute, user.createdBy, user.disabled?.minute ?? "",
                ])
            }
            Output.print(users.isEmpty ? "No users." : grid.text)
        }
    }

    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add",
            abstract: "Add a user.",
            examples: ["martlet users add ada --role operator"])
        @Argument(help: "The name to log in with.") var name: String
        @Option(help: "viewer, operator, approver or admin.") var role: Role
        @OptionGroup var place: ProjectOptions
        @OptionGroup var format: JSONOption

        func run() throws {
            let user = try place.composition().withIdentity {
                try $0.addUser(name, role: role, password: try PasswordInput.read(for: name))
            }
            try tell(user, "\(user.name) is \(user.role.rawValue).", format)
        }
    }

    struct SetRole: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "role",
            abstract: "Change a user's role; effective within a second.",
            examples: ["martlet users role ada approver"])
        @Argument(help: "The person.") var name: String
        @Argument(help: "viewer, operator, approver or admin.") var role: Role
        @OptionGroup var place: ProjectOptions
        @OptionGroup var format: JSONOption

        func run() throws {
            let user = try place.composition().withIdentity { try $0.setRole(of: name, to: role) }
            try tell(user, "\(user.name) is \(user.role.rawValue).", format)
        }
    }

    struct SetPassword: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "password",
            abstract: "Change a user's password, and end the user's sessions.",
            examples: ["martlet users password ada"])
        @Argument(help: "The person.") var name: String
        @OptionGroup var place: ProjectOptions

        func run() throws {
            try place.composition().withIdentity {
                try $0.setPassword(of: name, to: try PasswordInput.read(for: name))
            }
            Output.print("\(name) has another password.")
        }
    }

    struct Disable: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "disable",
            abstract: "Disable a user, and end the user's sessions.",
            examples: ["martlet users disable ada"])
        @Argument(help: "The person.") var name: String
        @OptionGroup var place: ProjectOptions
        @OptionGroup var format: JSONOption

        func run() throws {
            let user = try place.composition().withIdentity { try $0.setDisabled(name, true) }
            try tell(user, "\(user.name) may not log in any more.", format)
        }
    }

    struct Enable: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "enable",
            abstract: "Enable a disabled user.",
            examples: ["martlet users enable ada"])
        @Argument(help: "The person.") var name: String
        @OptionGroup var place: ProjectOptions
        @OptionGroup var format: JSONOption

        func run() throws {
            let user = try place.composition().withIdentity { try $0.setDisabled(name, false) }
            try tell(user, "\(user.name) may log in.", format)
        }
    }
}

private func tell(_ user: User, _ sentence: String, _ format: JSONOption) throws {
    if format.json { return try Output.json(user) }
    Output.print(sentence)
}

extension Role: ExpressibleByArgument {}
