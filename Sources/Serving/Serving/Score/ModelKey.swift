/// Identifies a model by project and name.
package struct ModelKey: Sendable, Hashable, CustomStringConvertible {
    /// Name of the project as in its martlet.yaml.
    package let project: String
    /// Name of the model, unique within the project.
    package let model: String

    package init(project: String, model: String) {
        self.project = project
        self.model = model
    }

    package var description: String { "\(project)/\(model)" }
}
