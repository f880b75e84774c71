import ArgumentParser
import CBenchReference
import Foundation
import Glibc
import LinuxSystem

@main
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "skoop-bench",
    abstract: "Measures the agent on the running kernel, as root; prints a table and writes JSON. Takes some minutes.")

  enum Part: String, ExpressibleByArgument, CaseIterable {
    case ring, programs, load, throughput, snapshot
  }

  @Option(help: ArgumentHelp("The agent's program (a release build).", valueName: "file"))
  var agent: String

  @Option(help: ArgumentHelp("Where the JSON goes.", valueName: "file"))
  var output: String?

  @Option(help: "Only this part; may be repeated.")
  var only: [Part] = []

  func validate() throws {
    guard unsafe access(agent, X_OK) == 0 else { throw ValidationError("\(agent) is no program.") }
  }

  func run() throws {
    guard geteuid() == 0 else { throw ValidationError("skoop-bench makes network namespaces: run it as root.") }
    // Before any thread starts, so that only the one below gets them.
    cbench_block_signals()
    let stage = try Stage()
    defer { stage.remove() }
    _ = try DedicatedThread("bench-signals") {
      let signal = cbench_wait_signal()
      stage.remove()
      Glibc.exit(128 + signal)
    }
    var report = Report(
      date: ISO8601DateFormatter().string(from: Date()), commit: Self.commit(), kernel: Machine.kernelRelease,
      machine: Self.machine())
    print("\(report.date) · commit \(report.commit) · Linux \(report.kernel) · \(report.machine)\n\n\(Finding.head)")
    for part in Part.allCases where only.isEmpty || only.contains(part) {
      FileHandle.standardError.write(Data("measuring: \(part.rawValue)\n".utf8))
      let findings =
        switch part {
        case .ring: try RingBench.run()
        case .programs: try ProgramBench.run(on: stage)
        case .load: try LoadBench.run(agent: agent, on: stage)
        case .throughput: try ThroughputBench.run(agent: agent, on: stage)
        case .snapshot: try SnapshotBench.run(agent: agent, on: stage)
        }
      report.findings += findings
      // At once: a later part may fail.
      for finding in findings { print(finding.row) }
    }
    guard let output else { return }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try encoder.encode(report).write(to: URL(fileURLWithPath: output))
  }

  static func commit() -> String {
    guard let commit = try? Stage.tool("git", "rev-parse", "--short", "HEAD") else { return "unknown" }
    let isClean = (try? Stage.tool("git", "status", "--porcelain", "--untracked-files=no"))?.isEmpty ?? false
    return isClean ? commit : "\(commit) with changes"
  }

  static func machine() -> String {
    let model =
      (try? Files.text("/proc/cpuinfo"))?.split(separator: "\n").first { $0.hasPrefix("model name") }?
      .split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown processor"
    let memory = (sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))) >> 30
    return "\(sysconf(Int32(_SC_NPROCESSORS_ONLN))) × \(model), \(memory) GiB"
  }
}
