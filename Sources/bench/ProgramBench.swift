import LinuxBPF
import Logging
import ProbeCatalog
import ProbeKit
import Workloads

/// Nanoseconds a hit of every attached program, by the kernel's own count (bpf_stats, whose two clock reads are in part
/// included), provoked by real packets.
enum ProgramBench {
  static let rounds = 10

  static func run(on stage: Stage) throws -> [Finding] {
    try stage.iptables(stage.b, "-A", "INPUT", "-p", "udp", "--dport", "9", "-j", "DROP")
    // What a answers to the SYN-ACK of port 5003 never comes: both ends send again.
    try stage.iptables(
      stage.a, "-A", "INPUT", "-p", "tcp", "--sport", "5003", "--tcp-flags", "SYN,ACK", "SYN,ACK", "-j", "DROP")
    defer {
      try? stage.iptables(stage.a, "-F", "INPUT")
      try? stage.iptables(stage.b, "-F", "INPUT")
    }
    return try AttachMethod.allCases.flatMap { attachment in
      try [(true, true), (true, false), (false, true)].flatMap { events, stacks in
        // Without events there are no stacks: one case.
        try run(stage, attachment, events: events, stacks: events && stacks)
      }
    }
  }

  private static func run(_ stage: Stage, _ attachment: AttachMethod, events: Bool, stacks: Bool) throws -> [Finding] {
    var log = Logger(label: "skoop-bench")
    log.logLevel = .error
    let workloads = WorkloadDirectory(node: "bench")
    let context = ProbeContext(
      kernel: KernelFacts.current(for: ProbeCatalog.manifests), symbols: Symbolizer(), workloads: workloads)
    var options = ProbeRunner.Options()
    options.attachments = [attachment]
    let runner = try ProbeRunner(catalog: ProbeCatalog.all, context: context, options: options, log: log)
    // Read and let go: a full ring buffer would take the short way.
    try runner.startReading { _ in }
    defer { runner.stop() }
    for manifest in ProbeCatalog.manifests {
      let settings = ProbeSettings(
        metrics: true, events: events, arguments: ["enableStack": .bool(stacks), "eventsPerSecond": .integer(0)])
      if case .failed(let reason) = runner.start(manifest.id, settings) {
        throw BenchError("\(manifest.id) by \(attachment.rawValue): \(reason)")
      }
    }
    var perHit: [String: [Double]] = [:]
    var hits: [String: UInt64] = [:]
    for _ in 0..<rounds {
      let before = counts(runner)
      try provoke(stage)
      for (program, now) in counts(runner) {
        guard let then = before[program], now.runs > then.runs else { continue }
        perHit[program, default: []].append(Double(now.nanoseconds - then.nanoseconds) / Double(now.runs - then.runs))
        hits[program, default: 0] += now.runs - then.runs
      }
    }
    let mode = events ? (stacks ? "events with stacks" : "events without stacks") : "metrics only"
    return perHit.keys.sorted().map { program in
      Finding(
        "program.\(program).\(events ? (stacks ? "stacks" : "events") : "metrics")",
        "\(program), \(mode), \(hits[program] ?? 0) hits", Statistics.estimate(perHit[program] ?? []), unit: "ns")
    }
  }

  private static func counts(_ runner: ProbeRunner) -> [String: (runs: UInt64, nanoseconds: UInt64)] {
    Dictionary(
      uniqueKeysWithValues: runner.programStatistics().map {
        ($0.program, ($0.statistics.runCount, $0.statistics.runNanoseconds))
      })
  }

  /// Drops, resets from a closed port, SYNs and SYN-ACKs sent again, and traffic that is none of the probes' business.
  private static func provoke(_ stage: Stage) throws {
    try stage.sendUDP(to: 9, milliseconds: 300, perSecond: 20_000)
    try stage.connectRate(to: 5002, milliseconds: 200)
    // The first second's retransmissions, of both ends.
    try stage.serving(port: 5003) { try stage.beginConnections(to: 5003, count: 200, milliseconds: 1300) }
  }
}
