// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
  .strictMemorySafety(),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

/// Tests may be less strict about memory and imports: they are read beside the code that they test.
let testSettings: [SwiftSetting] = [
  .swiftLanguageMode(.v6), .treatAllWarnings(as: .error), .enableUpcomingFeature("ExistentialAny"),
]

let cSettings: [CSetting] = [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]

extension Target.Dependency {
  static func core(_ name: String) -> Self { .product(name: name, package: "Core") }
  static let logging = Self.product(name: "Logging", package: "swift-log")
  static let lifecycle = Self.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
  static let arguments = Self.product(name: "ArgumentParser", package: "swift-argument-parser")
  static let hummingbird = Self.product(name: "Hummingbird", package: "hummingbird")
  static let nioCore = Self.product(name: "NIOCore", package: "swift-nio")
  static let signals = Self.product(name: "UnixSignals", package: "swift-service-lifecycle")
  static let yams = Self.product(name: "Yams", package: "Yams")
}

func swift(_ name: String, path: String? = nil, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
  .target(name: name, dependencies: dependencies, path: path, exclude: exclude, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
  .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: testSettings)
}

/// One folder under Sources/Probes each, with README.md, Probe/, bpf/ and Tests/. A name here makes its library and its
/// test target; Sources/ProbeCatalog lists the type.
let probes = ["PacketLoss", "TCPReset", "TCPRetrans"]

let probeTargets = probes.flatMap { name -> [Target] in
  let path = "Sources/Probes/\(name)"
  return [
    .target(
      name: name,
      dependencies: [
        "ProbeKit", "CProbeEvents", "BPFPrograms", "LinuxBPF", "Workloads", .core("Signals"), .core("NetTypes"),
      ],
      path: path, exclude: ["README.md", "bpf", "Tests"], sources: ["Probe"], swiftSettings: settings),
    .testTarget(
      name: name + "Tests",
      dependencies: [
        .target(name: name), "ProbeKit", "CProbeEvents", "LinuxBPF", "Workloads", .core("Signals"), .core("NetTypes"),
      ],
      path: path + "/Tests", swiftSettings: testSettings),
  ]
}

let package = Package(
  name: "skoop",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "skoop-agent", targets: ["skoop-agent"]),
    .executable(name: "skoop", targets: ["skoop"]),
    .library(name: "KubeManifests", targets: ["KubeManifests"]),
  ],
  dependencies: [
    .package(path: "Core"),
    .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
    .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.1", traits: []),
    .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.2"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
  ],
  targets: [
    // Kernel programs: compiled by the plugin, embedded as Swift.
    .executableTarget(name: "embed-bpf", swiftSettings: settings),
    .plugin(name: "EmbedBPF", capability: .buildTool(), dependencies: ["embed-bpf"]),
    .target(name: "BPFPrograms", swiftSettings: settings, plugins: ["EmbedBPF"]),

    // The C boundary: unsafe code lives here, in LinuxSystem and in LinuxBPF.
    .target(name: "CLinux", cSettings: cSettings),
    // Static libraries do not say themselves what they need: libbpf libelf, and that zlib and, where it is newer, zstd.
    .target(
      name: "CLibbpf", cSettings: cSettings, linkerSettings: ["bpf", "elf", "z", "zstd"].map { .linkedLibrary($0) }),
    .target(name: "CProbeEvents", cSettings: cSettings),
    .systemLibrary(name: "CLibyaml", providers: [.apt(["libyaml-dev"])]),
    swift("LinuxSystem", ["CLinux", .core("NetTypes")]),
    swift("LinuxBPF", ["CLibbpf", "BPFPrograms", "LinuxSystem"]),

    swift("LinuxNetlink", ["LinuxSystem", .core("NetParse")]),
    swift(
      "NodeState",
      ["LinuxBPF", "LinuxNetlink", "LinuxSystem", .core("NetModel"), .core("NetParse"), .core("NetTypes")]),

    swift("Wire", [.core("NetModel"), .core("NetSim"), .core("NetTypes")]),

    swift("Workloads", ["CLinux", "LinuxSystem", .core("NetTypes")]),
    swift(
      "ProbeKit",
      [
        "BPFPrograms", "CProbeEvents", "LinuxBPF", "LinuxSystem", "Workloads", .core("NetTypes"), .core("Signals"),
        .logging,
      ],
      exclude: ["bpf"]),
    swift("ProbeCatalog", probes.map { .target(name: $0) } + ["ProbeKit"]),
    swift("Sinks", [.core("Signals"), "LinuxSystem", .logging]),
    swift("YAML", ["CLibyaml"]),
    swift(
      "AgentApp",
      [
        "ProbeKit", "ProbeCatalog", "Sinks", "Workloads", "LinuxBPF", "LinuxSystem", .core("Signals"),
        .core("NetTypes"),
        "YAML", .hummingbird, .lifecycle, .logging, .nioCore, .signals,
      ]),
    .executableTarget(
      name: "skoop-agent",
      dependencies: [
        "AgentApp", "LinuxSystem", "NodeState", "ProbeCatalog", "ProbeKit", "Sinks", "Wire", .core("NetModel"),
        .core("NetSim"), .core("NetTypes"), .arguments, .logging,
      ], path: "Sources/agent", swiftSettings: settings),

    // Tests. LabSupport makes namespaces and sockets in them, and runs an agent inside the test's process.
    .target(
      name: "LabSupport",
      dependencies: [
        "AgentApp", "LinuxSystem", "ProbeKit", "Sinks", .core("NetTypes"), .core("Signals"), .logging,
      ],
      path: "Tests/LabSupport", swiftSettings: testSettings),
    tests("LinuxBPFTests", ["LinuxBPF", "LinuxSystem"]),
    tests(
      "NodeStateTests",
      [
        "skoop-agent", "CLibbpf", "CLinux", "NodeState", "LinuxSystem", "SchemaSupport", "Wire", .core("NetModel"),
        .core("NetTypes"),
      ]),
    .target(name: "SchemaSupport", path: "Tests/SchemaSupport", swiftSettings: testSettings),
    tests("ProbeKitTests", ["ProbeKit", "LinuxBPF", "PacketLoss", "TCPReset"]),
    tests("WorkloadsTests", ["Workloads", "LinuxSystem", .core("NetTypes")]),
    tests("SinksTests", ["Sinks", .core("Signals"), .logging]),
    tests("AgentAppTests", ["AgentApp", "ProbeCatalog", "ProbeKit", .core("NetTypes"), .core("Signals")]),
    tests(
      "FuzzTests",
      [
        "AgentApp", "LinuxBPF", "ProbeCatalog", "ProbeKit", "Wire", "Workloads", .core("NetModel"), .core("NetParse"),
        .core("NetTypes"), .core("Signals"),
      ] + probes.map { .target(name: $0) }, exclude: ["Corpus"]),
    tests(
      "ArchitectureTests",
      ["AgentApp", "LinuxBPF", "PacketLoss", "ProbeCatalog", "ProbeKit", "TCPReset", .core("Signals")]),
    tests(
      "LabTests",
      [
        "LabSupport", "AgentApp", "CLibbpf", "CLinux", "PacketLoss", "TCPReset", "LinuxBPF", "LinuxSystem",
        "ProbeCatalog",
        "ProbeKit", "Sinks", "Workloads",
        .core("NetTypes"), .core("Signals"), .logging,
      ]),

    // The path laboratory: worlds of namespaces in which the kernel's outcome is compared with the simulator's.
    .target(name: "CPathLab", path: "Tests/CPathLab", cSettings: cSettings),
    .target(
      name: "PathLab",
      dependencies: [
        "BPFPrograms", "CLinux", "CPathLab", "CProbeEvents", "LinuxBPF", "LinuxSystem", "NodeState", "PacketLoss",
        "ProbeKit",
        "Workloads", .core("NetModel"), .core("NetSim"), .core("NetTypes"), .core("PathCases"), .core("Signals"),
        .logging,
      ],
      path: "Tests/PathLab", exclude: ["bpf"], swiftSettings: testSettings, plugins: ["EmbedBPF"]),
    .executableTarget(
      name: "path-lab",
      dependencies: ["PathLab", .core("NetSim"), .core("PathCases"), .arguments], path: "Tests/PathLabCommand",
      swiftSettings: testSettings),

    tests("PathLabTests", ["PathLab", .core("NetSim"), .core("PathCases")]),

    // `make bench`. Ships with nothing.
    .target(name: "CBenchReference", dependencies: ["CProbeEvents", "CLibbpf"], cSettings: cSettings),
    .executableTarget(
      name: "skoop-bench",
      dependencies: [
        "BPFPrograms", "CBenchReference", "CProbeEvents", "LinuxBPF", "LinuxSystem", "NodeState", "ProbeCatalog",
        "ProbeKit", "Workloads", .arguments, .logging,
      ],
      path: "Sources/bench", exclude: ["bpf"], swiftSettings: settings, plugins: ["EmbedBPF"]),
    tests("BenchTests", ["skoop-bench"]),

    // The command line: nothing of Linux, so that it builds on macOS too.
    swift("KubeManifests", [.core("NetTypes"), .core("KubeModel"), .yams]),
    .executableTarget(
      name: "skoop",
      dependencies: [
        "KubeManifests", .core("NetTypes"), .core("KubeModel"), .core("NetPolicy"), .core("NetDiagnosis"), .arguments,
      ],
      path: "Sources/cli", swiftSettings: settings),
    tests("KubeManifestsTests", ["KubeManifests", .core("NetTypes"), .core("KubeModel")]),
    tests(
      "SkoopTests",
      [
        "KubeManifests", "SchemaSupport", "skoop", .core("NetTypes"), .core("KubeModel"), .core("NetPolicy"),
        .core("NetDiagnosis"),
      ]),
  ] + probeTargets
)
