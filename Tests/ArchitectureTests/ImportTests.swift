import Foundation
import Testing

/// Which module may import which: arrows point one way. A new module adds its row.
struct ImportTests {
  static let standard: Set = ["Synchronization"]

  /// Folder of a module, ours that it may import, others.
  static let rules: [(folder: String, ours: Set<String>, others: Set<String>)] = [
    ("Core/Sources/NetTypes", [], []),
    ("Core/Sources/Signals", ["NetTypes"], []),
    ("Core/Sources/KubeModel", ["NetTypes"], []),
    ("Core/Sources/NetPolicy", ["KubeModel", "NetTypes"], []),
    ("Core/Sources/NetModel", ["NetTypes"], []),
    ("Core/Sources/NetParse", ["NetModel", "NetTypes"], []),
    ("Core/Sources/NetSim", ["NetModel", "NetTypes"], []),
    ("Core/Sources/NetDiagnosis", ["KubeModel", "NetPolicy", "NetTypes"], []),
    ("Sources/BPFPrograms", [], []),
    ("Sources/embed-bpf", [], ["Glibc"]),
    ("Sources/LinuxSystem", ["CLinux", "NetTypes"], ["Glibc"]),
    ("Sources/LinuxBPF", ["CLibbpf", "BPFPrograms", "LinuxSystem"], ["Glibc"]),
    ("Sources/LinuxNetlink", ["LinuxSystem", "NetParse"], ["Glibc"]),
    (
      "Sources/NodeState", ["LinuxBPF", "LinuxNetlink", "LinuxSystem", "NetModel", "NetParse", "NetTypes"], ["Glibc"]
    ),
    ("Sources/Wire", ["NetModel", "NetSim", "NetTypes"], ["Foundation", "FoundationEssentials"]),
    ("Sources/Workloads", ["CLinux", "LinuxSystem", "NetTypes"], ["Glibc"]),
    (
      "Sources/ProbeKit",
      ["BPFPrograms", "CProbeEvents", "LinuxBPF", "LinuxSystem", "Workloads", "NetTypes", "Signals"],
      ["Glibc", "Logging"]
    ),
    (
      "Sources/Probes", ["ProbeKit", "CProbeEvents", "BPFPrograms", "LinuxBPF", "Workloads", "NetTypes", "Signals"], []
    ),
    ("Sources/ProbeCatalog", ["ProbeKit", "PacketLoss", "TCPReset", "TCPRetrans"], []),
    ("Sources/Sinks", ["Signals", "LinuxSystem"], ["Glibc", "Logging"]),
    ("Sources/YAML", ["CLibyaml"], []),
    (
      "Sources/AgentApp",
      ["ProbeKit", "ProbeCatalog", "Sinks", "Workloads", "LinuxBPF", "LinuxSystem", "NetTypes", "Signals", "YAML"],
      ["FoundationEssentials", "Hummingbird", "Logging", "NIOCore", "ServiceLifecycle", "UnixSignals"]
    ),
    (
      "Sources/agent",
      [
        "AgentApp", "LinuxSystem", "NetModel", "NetSim", "NetTypes", "NodeState", "ProbeCatalog", "ProbeKit", "Sinks",
        "Wire",
      ],
      ["ArgumentParser", "FoundationEssentials", "Logging"]
    ),
    ("Sources/KubeManifests", ["KubeModel", "NetTypes"], ["Foundation", "Yams"]),
    (
      "Sources/cli", ["KubeManifests", "KubeModel", "NetDiagnosis", "NetPolicy", "NetTypes"],
      ["ArgumentParser", "Foundation"]
    ),
  ]

  @Test("every file imports only what its module may", arguments: rules.map(\.folder))
  func imports(folder: String) throws {
    let rule = Self.rules.first { $0.folder == folder }!
    let allowed = rule.ours.union(rule.others).union(Self.standard)
    let files = Repository.files(folder, suffix: ".swift").filter { !$0.contains("/Tests/") }
    #expect(!files.isEmpty)
    for file in files {
      for module in try Repository.imports(file) {
        #expect(allowed.contains(module), "\(file) imports \(module)")
      }
    }
  }

  @Test("every folder of sources has its rule")
  func complete() {
    // C targets, and what is measured but does not ship.
    let free: Set = ["CLinux", "CLibbpf", "CLibyaml", "CProbeEvents", "CBenchReference", "bench"]
    let ruled = Set(Self.rules.map { String($0.folder.split(separator: "/").last!) })
    for folder in Repository.folders("Sources") where !free.contains(folder) {
      #expect(ruled.contains(folder), "\(folder)")
    }
    for folder in Repository.folders("Core/Sources") { #expect(ruled.contains(folder), "\(folder)") }
  }

  @Test("unsafe code stays where it is declared to be")
  func unsafeCode() throws {
    // ProbeKit reads the kernel's records; everything else uses the façades.
    let places = [
      "Sources/LinuxSystem/", "Sources/LinuxBPF/", "Sources/BPFPrograms/", "Sources/embed-bpf/",
      "Sources/ProbeKit/Record.swift",
      "Sources/ProbeKit/ProbeRunner.swift", "Sources/Workloads/NamespaceWatcher.swift",
      "Sources/YAML/YAMLReader.swift", "Core/Sources/NetTypes/JSONString.swift",
      "Sources/bench/",
    ]
    for file in Repository.files("Sources", suffix: ".swift") + Repository.files("Core/Sources", suffix: ".swift")
    where !file.contains("/Tests/") && !places.contains(where: { file.hasPrefix($0) }) {
      let words = try Repository.text(file).split { !$0.isLetter }
      #expect(!words.contains("unsafe"), "\(file)")
    }
  }

  @Test("no file is longer than 500 lines without a reason")
  func length() throws {
    // Tables, one entry a line or two.
    let tables: Set = ["Sources/Probes/PacketLoss/Probe/DropReasonTexts.swift"]
    for suffix in [".swift", ".c", ".h"] {
      for folder in ["Sources", "Core/Sources", "Core/Tests", "Tests", "Plugins"] {
        for file in Repository.files(folder, suffix: suffix) where !tables.contains(file) {
          let lines = try Repository.text(file).split(separator: "\n", omittingEmptySubsequences: false).count
          #expect(lines <= 500, "\(file) has \(lines)")
        }
      }
    }
  }
}
