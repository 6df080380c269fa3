/// The least role that may use each route, by the route's id. Written down apart from the routes and from the server's
/// table of permissions, so that a slip in either is seen; a route without a line here fails the tests of access.
package enum LeastRole {
    /// Anyone, without a token: probes, what a login needs, what tells strangers nothing of what is served.
    package static let nobody: Set<String> = [
        "logIn", "setUp", "setupPage", "setupScript", "openAPI", "live", "startup", "ready", "health", "predictHealth",
        "serverMetadata", "serverLive", "serverReady", "ping", "version",
    ]

    package static let ofRoute: [String: String] = [
        "modelMetadata": "viewer", "modelReady": "viewer", "infer": "viewer", "modelMetadataOfVersion": "viewer",
        "modelReadyOfVersion": "viewer", "inferOfVersion": "viewer",
        "whoAmI": "viewer", "logOut": "viewer", "listModels": "viewer", "getModel": "viewer", "listVersions": "viewer",
        "deploymentStatus": "viewer", "trainingStatus": "viewer", "trainingLogs": "viewer", "trainingEvents": "viewer",
        "monitoringMetrics": "viewer", "monitoringAlerts": "viewer", "metrics": "viewer",
        "predict": "viewer", "predict1": "viewer", "predict2": "viewer", "predict3": "viewer",
        "predictBatch": "viewer", "predictBatch1": "viewer", "predictBatch2": "viewer", "predictBatch3": "viewer",
        "invocations": "viewer", "invocations1": "viewer",
        "process": "viewer", "process1": "viewer", "process2": "viewer",
        "registerModel": "operator", "startTraining": "operator", "retrain": "operator",
        "promoteModel": "approver", "approveModel": "approver", "rejectModel": "approver", "deploy": "approver",
        "rollback": "approver", "listAudit": "admin",
    ]

    /// Those of a token's own, or of the whole server: they name no project.
    package static let ofNoProject: Set<String> = ["whoAmI", "logOut", "listAudit", "metrics"]
}
