// swift-tools-version: 6.2
// The pure half of Skoop: values and functions without I/O, clock or Foundation. Nothing may be added to
// `dependencies`: the architecture test reads the imports of every file here.
import PackageDescription

let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
  .strictMemorySafety(),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

/// name: the modules of this package that it may import.
let modules: [(name: String, imports: [String])] = [
  ("NetTypes", []),
  ("Signals", ["NetTypes"]),
  ("KubeModel", ["NetTypes"]),
  ("NetPolicy", ["NetTypes", "KubeModel"]),
  ("NetModel", ["NetTypes"]),
  ("NetParse", ["NetTypes", "NetModel"]),
  ("NetSim", ["NetTypes", "NetModel"]),
  ("NetDiagnosis", ["NetTypes", "KubeModel", "NetPolicy"]),
]

let package = Package(
  name: "Core",
  products: modules.map { .library(name: $0.name, targets: [$0.name]) },
  dependencies: [],
  targets: modules.flatMap { module -> [Target] in
    [
      .target(
        name: module.name, dependencies: module.imports.map { .target(name: $0) }, swiftSettings: settings),
      .testTarget(
        name: module.name + "Tests",
        dependencies: [.target(name: module.name)] + module.imports.map { .target(name: $0) },
        swiftSettings: settings),
    ]
  }
)
