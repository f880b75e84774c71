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

/// What tests share: recorded worlds, and the comparison of an answer with what the kernel did.
let cases = "PathCases"

let package = Package(
  name: "Core",
  products: (modules.map(\.name) + [cases]).map { .library(name: $0, targets: [$0]) },
  dependencies: [],
  targets: modules.flatMap { module -> [Target] in
    let helpers: [Target.Dependency] = module.name == "NetSim" ? [.target(name: cases)] : []
    return [
      .target(
        name: module.name, dependencies: module.imports.map { .target(name: $0) }, swiftSettings: settings),
      .testTarget(
        name: module.name + "Tests",
        dependencies: [.target(name: module.name)] + module.imports.map { .target(name: $0) } + helpers,
        exclude: module.name == "NetSim" ? ["Fixtures"] : [], swiftSettings: settings),
    ]
  } + [
    .target(
      name: cases, dependencies: ["NetTypes", "NetModel", "NetSim"], path: "Tests/\(cases)", swiftSettings: settings)
  ]
)
