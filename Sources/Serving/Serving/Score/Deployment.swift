package import PredictionLog

/// What answers a model's requests: one version, or several in arms.
///
/// ```swift
/// let route = deployment.route("patient-17")
/// let version = route.answering.model.version
/// ```
package protocol Deployment: Sendable {
    /// Decides which arm answers a request, and which ones score its rows beside it without being heard.
    ///
    /// The same entity always has the same route. A request is answered by one version, which its answer names: that of
    /// the first row's entity.
    /// - Parameter entity: whom the request is about; `nil` where that is not known, as for a file.
    func route(_ entity: String?) -> DeploymentRoute
}

/// A version in a deployment, under the name with which its predictions are logged. A class, so that a route costs a
/// request no copies.
package final class Arm: Sendable {
    /// Name of the arm: "champion".
    package let name: String
    /// The version that the arm is.
    package let model: ServedModel
    /// Number that stands for the version as this arm in the log's records; `nil` where its predictions are not logged.
    package let source: PredictionSourceNumber?

    /// Makes an arm whose predictions go into the version's log, if that has one.
    /// - Throws: `predictions.sources`.
    package init(
        _ model: ServedModel, name: String = PredictionSource.champion,
        of deployment: String = PredictionSource.defaultDeployment
    ) throws {
        self.name = name
        self.model = model
        source = try model.journal?.register(deployment: deployment, arm: name)
    }

    /// Makes an arm whose predictions are not logged.
    package init(unlogged model: ServedModel) {
        name = PredictionSource.champion
        self.model = model
        source = nil
    }
}

/// Who answers a request, and who scores its rows beside.
package struct DeploymentRoute: Sendable {
    /// The arm whose predictions the client gets.
    package let answering: Arm
    /// Arms whose predictions are only logged.
    package let shadows: [Arm]

    package init(answering: Arm, shadows: [Arm] = []) {
        self.answering = answering
        self.shadows = shadows
    }
}

/// A deployment in which every request has the same route.
package struct FixedDeployment: Deployment {
    private let all: DeploymentRoute

    package init(_ route: DeploymentRoute) { all = route }

    /// The deployment of a champion alone.
    package init(_ champion: Arm) { all = DeploymentRoute(answering: champion) }

    package func route(_ entity: String?) -> DeploymentRoute { all }
}
