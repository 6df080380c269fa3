internal import ArgumentParser
internal import CommandComposition
internal import Core
internal import Projects
internal import Training

struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "Print the JSON Schemas of martlet.yaml and of contracts.",
        discussion: """
            Editors use them for completion and checks. For the YAML language server, put this line first in \
            martlet.yaml:
              # yaml-language-server: $schema=martlet.schema.json
            """,
        examples: ["martlet schema project", "martlet schema contract"])

    @Argument(help: "project or contract.")
    var what: String

    func run() throws {
        switch what {
        case "project":
            try Output.json(
                ConfigSchemas.project(learners: Composition.learners.kinds).jsonSchema(title: "martlet.yaml"))
        case "contract": try Output.json(ConfigSchemas.contract.jsonSchema(title: "A Martlet contract"))
        default:
            throw MartletError(
                .usage, "schema.what", "There is no schema of \(what).",
                remedy: "Write `martlet schema project` or `martlet schema contract`.")
        }
    }
}
