// swift-tools-version: 6.2
import PackageDescription

// Modules point only down: edge, wiring, story, domain, adapters, faces, roots (ARCHITECTURE.md).
// `make check` refuses an import that is not declared here.

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let cryptoExtras: Target.Dependency = .product(name: "CryptoExtras", package: "swift-crypto")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "martlet",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "martlet", targets: ["martlet"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    ],
    targets: [
        // Roots: tiny and stable.
        module("Vocabulary", [crypto]),
        module("SQLText", ["Vocabulary"]),
        .systemLibrary(name: "CDuckDB", pkgConfig: "martlet-duckdb", providers: [.brew(["duckdb"])]),
        .systemLibrary(name: "CLightGBM", pkgConfig: "martlet-lightgbm", providers: [.brew(["lightgbm"])]),
        .systemLibrary(name: "CXGBoost", pkgConfig: "martlet-xgboost", providers: [.brew(["xgboost"])]),

        // Faces: one library's synchronous Swift, no product concept.
        module("DuckDB", ["CDuckDB", "Vocabulary"]),
        module("LightGBM", ["CLightGBM", "Vocabulary"]),
        module("XGBoost", ["CXGBoost", "Vocabulary"]),
        module("SQLite", ["SQLText", "Vocabulary", grdb]),

        // Domain: each one stage with its protocols.
        module("Projects", ["Lakehouse", "Training", "Vocabulary", yams]),
        module("Lakehouse", ["Vocabulary"]),
        module("Training", ["Vocabulary"]),
        .target(
            name: "Registry", dependencies: ["Vocabulary", "SQLText"], exclude: ["Migrations"], swiftSettings: settings),
        module("Identity", ["Vocabulary", "SQLText", crypto, cryptoExtras]),
        module("Generators", ["Vocabulary"]),
        module("Forests", ["Vocabulary"]),
        module("PredictionLog", ["Vocabulary"]),

        // Adapters: join one domain protocol to one face.
        module("LakehouseDuckDB", ["Lakehouse", "DuckDB", "Vocabulary"]),
        module("TrainingLightGBM", ["Training", "LightGBM", "Vocabulary"]),

        // Processes that do the long work.
        module("Workers", ["Registry", "Vocabulary"]),

        // Story, wiring, edge.
        module("Workflow", ["Projects", "Lakehouse", "Training", "Registry", "Vocabulary"]),
        module(
            "Composition",
            [
                "Workflow", "Projects", "Lakehouse", "LakehouseDuckDB", "Training", "TrainingLightGBM", "Registry",
                "Identity", "SQLite", "SQLText", "DuckDB", "LightGBM", "XGBoost", "Workers", "Vocabulary",
            ]),
        module(
            "Commands",
            [
                "Composition", "Workflow", "Projects", "Lakehouse", "Training", "Registry", "Identity", "Generators",
                "Workers", "Vocabulary", arguments,
            ]),
        .executableTarget(name: "martlet", dependencies: ["Commands"], swiftSettings: settings),

        // What `make bench NAME=forest_speed` and `forest_equality` run.
        .target(name: "CMallocs", path: "Benchmarks/mallocs"),
        .executableTarget(
            name: "forestbench", dependencies: ["Forests", "CMallocs"], path: "Benchmarks/forestbench",
            swiftSettings: settings),

        tests("VocabularyTests", ["Vocabulary", "SQLText"]),
        tests("ProjectsTests", ["Projects", "Lakehouse", "Training", "Vocabulary"]),
        tests("LakehouseTests", ["Lakehouse", "LakehouseDuckDB", "DuckDB", "Vocabulary"]),
        .testTarget(
            name: "TrainingTests", dependencies: ["Training", "TrainingLightGBM", "LightGBM", "Vocabulary"],
            exclude: ["Fixtures"], swiftSettings: settings),
        tests("RegistryTests", ["Registry", "SQLite", "SQLText", "Vocabulary"]),
        tests("IdentityTests", ["Identity", "Registry", "SQLite", "SQLText", "Vocabulary"]),
        tests("WorkflowTests", ["Workflow", "Lakehouse", "Registry", "SQLite", "Vocabulary"]),
        tests("WorkersTests", ["Workers", "Registry", "SQLite", "SQLText", "Vocabulary"]),
        tests("GeneratorsTests", ["Generators", "Vocabulary"]),
        tests("ForestsTests", ["Forests", "LightGBM", "CXGBoost", "Vocabulary"]),
        tests("PredictionLogTests", ["PredictionLog", "Vocabulary"]),
        tests("JourneyTests", ["Vocabulary"]),
    ],
    swiftLanguageModes: [.v6]
)
