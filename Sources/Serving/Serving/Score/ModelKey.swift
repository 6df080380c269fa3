/// Identifies a model by project and name.
package struct ModelKey: Sendable, Hashable, CustomStringConvertible {
    package let project: String
    package let model: String

    package init(project: String, model: String) {
        self.project = project
        self.model = model
    }

    package var description: String { "\(project)/\(model)" }
}
