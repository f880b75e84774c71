// swift-tools-version: 6.2
// Measurements that `make bench` prints. A package of its own, so that nothing of it is built with the programs.
import PackageDescription

let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
  .strictMemorySafety(),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

func core(_ name: String) -> Target.Dependency { .product(name: name, package: "Core") }

let package = Package(
  name: "Benchmarks",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(name: "skoop", path: ".."),
    .package(path: "../Core"),
    .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.2"),
  ],
  targets: [
    .executableTarget(
      name: "manifest-bench",
      dependencies: [
        .product(name: "KubeManifests", package: "skoop"), core("NetTypes"), core("KubeModel"), core("NetPolicy"),
        core("NetDiagnosis"), .product(name: "Yams", package: "Yams"),
      ],
      swiftSettings: settings),
    .executableTarget(
      name: "path-bench", dependencies: [core("NetTypes"), core("NetModel"), core("NetSim")], swiftSettings: settings),
  ]
)
