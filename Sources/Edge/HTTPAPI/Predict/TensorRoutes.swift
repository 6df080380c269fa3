internal import Core
internal import HTTPTypes
internal import Hummingbird
internal import Identity
internal import Serving
internal import Training

/// Routes of the Open Inference Protocol, version 2 (KServe's and Triton's), over HTTP.
///
/// A model is named as in its project, or PROJECT.MODEL where two projects have one of that name.
///
/// ```swift
/// let routes = TensorRoutes(
///     catalog: catalog, predictions: predictions, version: version, isDraining: isDraining).routes
/// ```
struct TensorRoutes: Sendable {
    let catalog: ModelCatalog
    let predictions: PredictionRoutes
    let version: String
    let isDraining: @Sendable () -> Bool

    /// The routes with their handlers.
    var routes: [Route] {
        func told(_ name: String) -> Schema { .object(.init(name, .boolean)) }
        let models = ["/v2/models/{model}", "/v2/models/{model}/versions/{version}"]
        var routes = [
            Route(
                .get, "/v2", id: "serverMetadata", "What the server is.", access: .anyone,
                replies: [
                    .init(
                        200, "Name, version, extensions.",
                        .init(
                            .object(.init("name", .text), .init("version", .text), .init("extensions", .list(.text)))))
                ]
            ) { _, _ in
                try .json(
                    JSONValue.object([
                        "name": .text("martlet"), "version": .text(version),
                        "extensions": .list([.text("binary_tensor_data")]),
                    ]))
            },
            Route(
                .get, "/v2/health/live", id: "serverLive", "Whether the process answers.", access: .anyone,
                replies: [.init(200, "It does.", .init(told("live")))]
            ) { _, _ in try .json(["live": true]) },
            Route(
                .get, "/v2/health/ready", id: "serverReady", "Whether every model answers.", access: .anyone,
                replies: [
                    .init(200, "They do.", .init(told("ready"))),
                    .init(503, "Not yet, or no longer.", .init(told("ready"))),
                ]
            ) { _, _ in
                let isReady = catalog.isReady && !isDraining()
                return try .json(["ready": isReady], status: isReady ? .ok : .serviceUnavailable)
            },
        ]
        for (index, path) in models.enumerated() {
            let suffix = index == 0 ? "" : "OfVersion"
            routes += [
                Route(
                    .get, path, id: "modelMetadata\(suffix)", "Inputs and outputs of a model.",
                    access: .needs(.predict),
                    replies: [.init(200, "Them.", .init(Self.metadata))]
                ) { _, context in
                    try .json(metadata(try call(context).model(), name: Self.name(context)))
                },
                Route(
                    .get, path + "/ready", id: "modelReady\(suffix)", "Whether a model answers.",
                    access: .needs(.predict),
                    replies: [.init(200, "It does.", .init(Self.ready))]
                ) { _, context in
                    _ = try call(context).model()
                    return try .json(JSONValue.object(["name": .text(Self.name(context)), "ready": .flag(true)]))
                },
                Route(
                    .post, path + "/infer", id: "infer\(suffix)", "Score rows given as tensors.",
                    access: .needs(.predict),
                    accepts: [.init(Self.request), .init("application/octet-stream", .text(format: "binary"))],
                    replies: [
                        .init(
                            200, "Tensors.", .init(Self.answer),
                            .init("application/octet-stream", .text(format: "binary")))
                    ]
                ) { request, context in
                    var call = try call(context)
                    call.jsonBytes = request.headers[.inferenceHeader].flatMap { Int($0) }
                    return try await predictions.answer(call, request, context)
                },
            ]
        }
        return routes
    }

    private static func name(_ context: APIContext) -> String { context.segment("model") ?? "" }

    private func call(_ context: APIContext) throws -> ScoringCall {
        let (name, version) = (Self.name(context), context.segment("version"))
        if let version, Int(version) == nil {
            throw MartletError(.missing, "serving.unknown-version", "\(version) is no version.")
        }
        let slot = try catalog.slot(named: name)
        try context.require(project: slot.key.project)
        return ScoringCall(form: .tensors(name), slot: slot, version: version.flatMap { Int($0) })
    }

    private func metadata(_ model: ServedModel, name: String) -> JSONValue {
        func tensor(_ name: String, _ type: TensorType) -> JSONValue {
            .object(["name": .text(name), "datatype": .text(type.rawValue), "shape": .list([.integer(-1)])])
        }
        return .object([
            "name": .text(name), "versions": .list([.text("\(model.version)")]), "platform": .text("martlet_forest"),
            "inputs": .list(
                model.signature.columns.map { tensor($0.name, $0.type == .category ? .bytes : .fp64) }),
            "outputs": .list(ScoringSession.outputs(of: model).map { tensor($0.name, $0.type) }),
        ])
    }

    private static let value = Schema.oneOf([.number, .text, .boolean, .null])
    private static let type = Schema.text(oneOf: TensorType.allCases.map(\.rawValue))
    private static let parameters = Schema.Member("parameters", .object([], additional: value), optional: true)
    private static let metadata = Schema.object(
        .init("name", .text), .init("versions", .list(.text)), .init("platform", .text),
        .init("inputs", .list(described)), .init("outputs", .list(described)))
    private static let described = Schema.object(
        .init("name", .text), .init("datatype", type), .init("shape", .list(.integer)))
    private static let ready = Schema.object(.init("name", .text), .init("ready", .boolean))
    private static let data = Schema.list(.oneOf([value, .list(value)]))
    private static let request = Schema.object(
        .init("id", .text, optional: true), parameters,
        .init(
            "inputs",
            .list(
                .object(
                    .init("name", .text), .init("shape", .list(.integer(minimum: 0))), .init("datatype", type),
                    parameters, .init("data", data, optional: true)), minItems: 1)),
        .init("outputs", .list(.object(.init("name", .text), parameters)), optional: true))
    private static let answer = Schema.object(
        .init("model_name", .text), .init("model_version", .text), .init("id", .text, optional: true),
        .init(
            "outputs",
            .list(
                .object(
                    .init("name", .text), .init("datatype", type), .init("shape", .list(.integer)), parameters,
                    .init("data", data, optional: true)))))
}
