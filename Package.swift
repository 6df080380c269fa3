// swift-tools-version: 6.2
import PackageDescription

// Modules import only from layers below, or from their own (ARCHITECTURE.md).
// `make check` refuses an import that is not declared here, and one from a layer above.

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// The folders of Sources, from the bottom to the top.
enum Layer: String {
    case base = "Base"
    case engines = "Engines"
    case lake = "Lake"
    case learning = "Learning"
    case metadata = "Metadata"
    case serving = "Serving"
    case platform = "Platform"
    case edge = "Edge"

    func path(of module: String) -> String { "Sources/\(rawValue)/\(module)" }
}

func module(_ name: String, in layer: Layer, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, path: layer.path(of: name), swiftSettings: settings)
}

func tests(
    _ name: String, in layer: Layer, _ dependencies: [Target.Dependency], exclude: [String] = []
) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, path: "Tests/\(layer.rawValue)/\(name)", exclude: exclude,
        swiftSettings: settings)
}

let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let cryptoExtras: Target.Dependency = .product(name: "CryptoExtras", package: "swift-crypto")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let jwt: Target.Dependency = .product(name: "JWTKit", package: "jwt-kit")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let nio: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioHTTP: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioTLS: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let nioHTTPTypes: Target.Dependency = .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras")
let nioHTTPMessages: Target.Dependency = .product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "martlet",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "martlet", targets: ["martlet"]),
        .executable(name: "martlet-serve", targets: ["martlet-serve"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", exact: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        .package(url: "https://github.com/vapor/jwt-kit", exact: "5.7.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
    ],
    targets: [
        // Tiny and stable: the C library; errors, time, JSON, the disk; SQL as values; the one reader of CSV.
        module("CLibrary", in: .base),
        module("Core", in: .base, ["CLibrary", crypto]),
        module("Storage", in: .base, ["CLibrary", "Core"]),
        module("SQLText", in: .base, ["Core"]),
        module("JSONText", in: .base),
        .systemLibrary(
            name: "CZlib", path: Layer.base.path(of: "CZlib"), pkgConfig: "zlib",
            providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
        .systemLibrary(
            name: "CZstd", path: Layer.base.path(of: "CZstd"), pkgConfig: "libzstd",
            providers: [.apt(["libzstd-dev"]), .brew(["zstd"])]),
        .systemLibrary(
            name: "CExpat", path: Layer.base.path(of: "CExpat"), pkgConfig: "expat",
            providers: [.apt(["libexpat1-dev"]), .brew(["expat"])]),
        module("DelimitedText", in: .base, ["CLibrary", "CZlib", "CZstd", "Core", "Storage"]),

        // One library's synchronous Swift each, without a word of the product.
        .systemLibrary(
            name: "CDuckDB", path: Layer.engines.path(of: "CDuckDB"), pkgConfig: "martlet-duckdb",
            providers: [.brew(["duckdb"])]),
        .systemLibrary(
            name: "CLightGBM", path: Layer.engines.path(of: "CLightGBM"), pkgConfig: "martlet-lightgbm",
            providers: [.brew(["lightgbm"])]),
        .systemLibrary(
            name: "CXGBoost", path: Layer.engines.path(of: "CXGBoost"), pkgConfig: "martlet-xgboost",
            providers: [.brew(["xgboost"])]),
        .systemLibrary(
            name: "CPQ", path: Layer.engines.path(of: "CPQ"), pkgConfig: "martlet-pq",
            providers: [.apt(["libpq-dev"]), .brew(["libpq"])]),
        module("DuckDB", in: .engines, ["CDuckDB", "Core"]),
        module("LightGBM", in: .engines, ["CLightGBM"]),
        module("XGBoost", in: .engines, ["CXGBoost"]),
        module("Postgres", in: .engines, ["CLibrary", "CPQ", "Core", "SQLText", "Storage"]),
        module("SQLite", in: .engines, ["SQLText", "Core", "Storage", grdb]),

        // Contracts, Delta tables, ingestion, transforms, lineage; their engine.
        module("SQLLineage", in: .lake, ["Core"]),
        module(
            "SourceFormats", in: .lake,
            ["CLibrary", "CExpat", "CZlib", "DelimitedText", "JSONText", "Core", "Storage"]),
        module("Lakehouse", in: .lake, ["DelimitedText", "SourceFormats", "SQLLineage", "Core", "Storage"]),
        module(
            "LakehouseDuckDB", in: .lake,
            ["CLibrary", "DelimitedText", "SourceFormats", "Lakehouse", "SQLLineage", "DuckDB", "Core", "Storage"]),

        // Splits, learners, calibration, evaluation, gates; tree ensembles without a library.
        module("Training", in: .learning, ["CLibrary", "Core"]),
        module("Generators", in: .learning, ["Core"]),
        module("Forests", in: .learning, ["Core"]),
        module("TrainingLightGBM", in: .learning, ["Training", "LightGBM", "Core"]),
        module("TrainingXGBoost", in: .learning, ["Training", "XGBoost", "Forests", "Core"]),

        // Runs, models, events and jobs in a database; people, tokens and roles.
        .target(
            name: "Registry", dependencies: ["Core", "Storage", "SQLText"], path: Layer.metadata.path(of: "Registry"),
            exclude: ["Migrations"], swiftSettings: settings),
        .target(
            name: "Identity", dependencies: ["Registry", "Core", "Storage", "SQLText", crypto, cryptoExtras, jwt],
            path: Layer.metadata.path(of: "Identity"), exclude: ["Migrations"], swiftSettings: settings),

        // Rows in, predictions out, and their log; no HTTP.
        module("PredictionLog", in: .serving, ["Core", "Storage"]),
        module(
            "Serving", in: .serving,
            ["CLibrary", "DelimitedText", "JSONText", "Forests", "PredictionLog", "Training", "Core"]),

        // Projects, the use cases, processes that do long work, and the wiring.
        module(
            "Projects", in: .platform,
            ["DelimitedText", "SourceFormats", "Lakehouse", "SQLLineage", "Training", "Core", "Storage", yams]),
        module("Workers", in: .platform, ["CLibrary", "Registry", "Core", "Storage"]),
        module(
            "Composition", in: .platform,
            ["CLibrary", "Core", "Identity", "Postgres", "Projects", "Registry", "SQLText", "SQLite", "Storage"]),
        module(
            "Workflow", in: .platform,
            [
                "Projects", "SourceFormats", "Lakehouse", "SQLLineage", "PredictionLog", "Training", "Registry", "Core",
                "Storage",
            ]),
        module(
            "CommandComposition", in: .platform,
            [
                "CLibrary", "Workflow", "Projects", "Lakehouse", "SQLLineage", "LakehouseDuckDB", "PredictionLog",
                "Training",
                "TrainingLightGBM", "TrainingXGBoost",
                "Registry", "Identity", "SQLite", "SQLText", "DelimitedText", "DuckDB", "LightGBM", "XGBoost",
                "Workers",
                "Composition", "Core", "Storage",
            ]),

        // Command line and HTTP.
        module(
            "HTTPAPI", in: .edge,
            [
                "CLibrary", "CZlib", "Identity", "PredictionLog", "Registry", "SQLText", "Serving", "Training",
                "Workflow",
                "Core", "Storage", hummingbird, hummingbirdCore, nio,
                nioPosix, nioHTTP, nioTLS, httpTypes,
                nioHTTPTypes, nioHTTPMessages, logging, lifecycle,
            ]),
        module(
            "ServingComposition", in: .edge,
            [
                "CLibrary", "HTTPAPI", "Identity", "Serving", "Forests", "PredictionLog", "Workflow", "Projects",
                "Training", "Registry", "SQLText", "Composition", "Core", "Storage", "Workers", hummingbird,
                logging,
                lifecycle, signals, nioPosix, arguments,
            ]),
        module(
            "Commands", in: .edge,
            [
                "CLibrary", "CommandComposition", "Workflow", "Projects", "Lakehouse", "SQLLineage", "PredictionLog",
                "Training",
                "Registry", "Identity",
                "Generators", "Workers", "Composition", "Core", "Storage", arguments,
            ]),
        .executableTarget(
            name: "martlet-serve", dependencies: ["ServingComposition"], path: Layer.edge.path(of: "martlet-serve"),
            swiftSettings: settings),
        .executableTarget(
            name: "martlet", dependencies: ["Commands"], path: Layer.edge.path(of: "martlet"), swiftSettings: settings),

        // What `make bench NAME=forest_speed` and `forest_equality` run.
        .target(name: "CMallocs", path: "Benchmarks/mallocs"),
        .executableTarget(
            name: "forestbench", dependencies: ["Forests", "CMallocs"], path: "Benchmarks/forestbench",
            swiftSettings: settings),
        // What `make bench NAME=ece` runs.
        .executableTarget(
            name: "ecebench", dependencies: ["Training", "Core", "Storage"], path: "Benchmarks/ecebench",
            swiftSettings: settings),

        // The measure that `make bench NAME=neighbours` holds the server against.
        .executableTarget(
            name: "responder", dependencies: [nio, nioPosix, nioHTTP], path: "Benchmarks/responder",
            swiftSettings: settings),

        .target(
            name: "TestSupport",
            dependencies: [
                "CLibrary", "CZlib", "Core", "Identity", "Postgres", "Registry", "SQLText", "SQLite", "Storage",
            ],
            path: "Tests/TestSupport", swiftSettings: settings),
        // A project in a folder, with the product's engine and learners.
        .target(
            name: "ProjectTestKit",
            dependencies: [
                "TestSupport", "Workflow", "Projects", "Lakehouse", "LakehouseDuckDB", "Training", "TrainingLightGBM",
                "Registry", "SQLText", "Core", "Storage",
            ],
            path: "Tests/ProjectTestKit", swiftSettings: settings),
        // The product's routes over real stores, with and without sockets.
        .target(
            name: "ServerTestKit",
            dependencies: [
                "TestSupport", "HTTPAPI", "Identity", "Registry", "Serving", "SQLText", "Core", "Storage", hummingbird,
                nio, nioEmbedded, nioPosix, nioHTTP, httpTypes, logging, lifecycle,
            ],
            path: "Tests/ServerTestKit", swiftSettings: settings),
        tests("DelimitedTextTests", in: .base, ["TestSupport", "DelimitedText", "Core", "Storage"]),
        tests("CoreTests", in: .base, ["CLibrary", "TestSupport", "Core", "Storage", "SQLText"]),
        tests(
            "ProjectsTests", in: .platform,
            [
                "TestSupport", "DelimitedText", "SourceFormats", "Projects", "Lakehouse", "SQLLineage", "Training",
                "Core",
                "Storage",
            ]),
        tests(
            "LakehouseTests", in: .lake,
            [
                "TestSupport", "DelimitedText", "SourceFormats", "Lakehouse", "SQLLineage", "LakehouseDuckDB", "DuckDB",
                "Core", "Storage",
            ]),
        tests(
            "TrainingTests", in: .learning,
            [
                "CLibrary", "Training", "TrainingLightGBM", "TrainingXGBoost", "Forests", "LightGBM", "XGBoost", "Core",
                "Storage",
            ],
            exclude: ["Fixtures"]),
        tests(
            "RegistryTests", in: .metadata,
            ["TestSupport", "Postgres", "Registry", "SQLite", "SQLText", "Core", "Storage"]),
        tests(
            "IdentityTests", in: .metadata,
            ["TestSupport", "Identity", "Registry", "SQLite", "SQLText", "Core", "Storage"]),
        tests(
            "WorkflowTests", in: .platform,
            [
                "TestSupport", "ProjectTestKit", "Workflow", "Projects", "Lakehouse", "SQLLineage", "PredictionLog",
                "Registry", "Identity", "SQLText", "Training", "Core", "Storage",
            ]),
        tests(
            "CompositionTests", in: .platform,
            [
                "TestSupport", "ProjectTestKit", "CommandComposition", "Composition", "Workflow", "Projects",
                "Lakehouse", "SQLLineage", "Identity", "Registry", "SQLText", "Training", "Core", "Storage",
            ]),
        tests(
            "WorkersTests", in: .platform,
            ["TestSupport", "Workers", "Registry", "SQLite", "SQLText", "Core", "Storage"]),
        tests("GeneratorsTests", in: .learning, ["Generators", "Core", "Storage"]),
        tests("ForestsTests", in: .learning, ["Forests", "LightGBM", "CXGBoost", "Core", "Storage"]),
        tests(
            "PredictionLogTests", in: .serving, ["CLibrary", "TestSupport", "PredictionLog", "Core", "Storage"],
            exclude: ["Fixtures"]),
        tests(
            "HTTPAPITests", in: .edge,
            [
                "TestSupport", "ServerTestKit", "HTTPAPI", "Identity", "Registry", "Serving", "SQLText",
                "Core", "Storage", hummingbird,
                nio, nioEmbedded, nioPosix, httpTypes, logging,
            ]),
        tests(
            "ServingCompositionTests", in: .edge,
            [
                "TestSupport", "ProjectTestKit", "ServerTestKit", "ServingComposition", "HTTPAPI", "Identity",
                "Serving", "Workflow",
                "PredictionLog", "Projects", "Registry", "Composition", "SQLText", "Training", "Core", "Storage",
                httpTypes, logging, nioPosix, lifecycle,
                arguments,
            ]),
        tests("ServingTests", in: .serving, ["CLibrary", "DelimitedText", "Serving", "Training", "Core", "Storage"]),
        .testTarget(
            name: "JourneyTests",
            dependencies: ["CLibrary", "TestSupport", "Registry", "SQLText", "SQLite", "Core", "Storage"],
            exclude: ["Fixtures"],
            swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)
