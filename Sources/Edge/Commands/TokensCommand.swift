internal import ArgumentParser
internal import CommandComposition
internal import Core
internal import Identity
internal import Projects

struct TokensCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokens",
        abstract: "Manage API tokens, with which programs access the server.",
        discussion: "Only a digest of a token is stored: the token is shown once, when it is created.",
        examples: ["martlet tokens create scoring", "martlet tokens revoke scoring"],
        subcommands: [Create.self, List.self, Revoke.self])

    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "create",
            abstract: "Create a token and print it; it cannot be shown again.",
            examples: ["martlet tokens create scoring", "martlet tokens create ci --role operator --expires 12h"])
        @Argument(help: "Name of the token, as history and audit show it.") var name: String
        @Option(help: "viewer, operator, approver or admin.") var role: Role = .viewer
        @Flag(help: "Give access to all projects of the server instead of this one.") var allProjects = false
        @Option(
            help: ArgumentHelp(
                "Expiry: a time like 2027-01-31, a span like 12h, 90d, 8w, or never.", valueName: "when")
        )
        var expires = "90d"
        @OptionGroup var place: ProjectOptions
        @OptionGroup var format: JSONOption

        func run() throws {
            let composition = try place.composition()
            let end = try Expiry.parse(expires, now: composition.context.now())
            let project = allProjects ? nil : try composition.project().name
            let (token, secret) = try composition.withIdentity {
                try $0.createToken(name, role: role, project: project, expires: end)
            }
            if format.json { return try Output.json(Made(token: token, secret: secret.text)) }
            Output.print(secret.text)
            Output.note(
                "\(token.name): \(token.role.rawValue) of \(token.project ?? "all projects"), "
                    + "\(token.expires.map { "until \($0.minute) UTC" } ?? "for good"). It is shown this once.")
        }

        /// The shape of `tokens create --json`.
        private struct Made: Encodable {
            var token: APIToken
            var secret: String
            private enum CodingKeys: String, CodingKey { case secret }

            func encode(to encoder: any Encoder) throws {
                try token.encode(to: encoder)
                var box = encoder.container(keyedBy: CodingKeys.self)
                try box.encode(secret, forKey: .secret)
            }
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List tokens, newest first, with their last use.",
            examples: ["martlet tokens list --json"])
        @OptionGroup var place: ProjectOptions
        @OptionGroup var format: JSONOption

        func run() throws {
            let composition = try place.composition()
            let now = composition.context.now()
            let tokens = try composition.withIdentityForReading { try $0.tokens() }
            if format.json { return try Output.json(tokens) }
            var grid = TextGrid("token", "begins", "role", "project", "created (UTC)", "last used (UTC)", "state")
            for token in tokens {
                let state =
                    if token.revoked != nil {
                        "revoked by \(token.revokedBy ?? "somebody")"
                    } else if let end = token
                        .expires
                    { end <= now ? "expired" : "until \(end.minute)" } else { "for good" }
                grid.rows.append([
                    token.name, token.prefix + "…", token.role.rawValue, token.project ?? "all", token.created.minute,
                    token.lastUsed?.minute ?? "", state,
                ])
            }
            Output.print(tokens.isEmpty ? "No tokens." : grid.text)
        }
    }

    struct Revoke: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "revoke",
            abstract: "Revoke a token for good; effective within a second.",
            examples: ["martlet tokens revoke scoring"])
        @Argument(help: "Its name, its id, or the beginning that `list` shows.") var token: String
        @OptionGroup var place: ProjectOptions
        @OptionGroup var format: JSONOption

        func run() throws {
            let revoked = try place.composition().withIdentity { try $0.revokeToken(token) }
            if format.json { return try Output.json(revoked) }
            Output.print("\(revoked.name) is revoked.")
        }
    }
}

/// Parses an expiry time as a person writes it.
enum Expiry {
    static func parse(_ text: String, now: Timestamp) throws -> Timestamp? {
        if text == "never" { return nil }
        if let moment = Timestamp(text) { return moment }
        let hours: [Character: Int64] = ["h": 1, "d": 24, "w": 168]
        guard let unit = text.last.flatMap({ hours[$0] }), let count = Int64(text.dropLast()),
            (1...100_000).contains(count)
        else {
            throw MartletError(
                .usage, "settings.time", "--expires is \(text), which is neither a time nor a span.",
                remedy: "Write it like 2027-01-31, 12h, 90d, 8w, or never.")
        }
        return Timestamp(microseconds: now.microseconds + count * unit * 3_600_000_000)
    }
}
