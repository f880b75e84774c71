import Glibc
import LinuxSystem

/// The agent under 10,000 dropped packets a second: its share of a core, and its memory before and after.
enum LoadBench {
  static let perSecond: UInt32 = 10_000
  static let windows = 6
  static let windowMilliseconds: Int32 = 10_000

  static func run(agent binary: String, on stage: Stage) throws -> [Finding] {
    try stage.iptables(stage.b, "-A", "INPUT", "-p", "udp", "--dport", "9", "-j", "DROP")
    defer { try? stage.iptables(stage.b, "-F", "INPUT") }
    return try [true, false].flatMap { try run(binary, stage, stacks: $0) }
  }

  private static func run(_ binary: String, _ stage: Stage, stacks: Bool) throws -> [Finding] {
    let file = "\(stage.folder)/events.json"
    defer { unsafe unlink(file) }
    let agent = try AgentProcess(
      binary, on: stage, AgentProcess.Options(stacks: stacks, eventsPerSecond: 0), events: file)
    // Start-up is over and the follow-up scans are done.
    usleep(3_000_000)
    let start = try agent.memory("VmRSS")
    let startAnonymous = try agent.memory("RssAnon")
    var shares: [Double] = []
    var delivered: [Double] = []
    let idle = try share(agent, milliseconds: windowMilliseconds) {
      usleep(useconds_t(windowMilliseconds) * 1000)
      return 0
    }
    for _ in 0..<windows {
      // The file stays small; the agent appends, wherever the end is.
      unsafe truncate(file, 0)
      var sent: Int64 = 0
      shares.append(
        try share(agent, milliseconds: windowMilliseconds) {
          sent = try stage.sendUDP(to: 9, milliseconds: windowMilliseconds, perSecond: perSecond)
          // The last batch is written within the agent's latency of 50 ms.
          usleep(300_000)
          return sent
        })
      let lines = try Files.bytes(file).count { $0 == 0x0a }
      delivered.append(Double(lines) / Double(sent))
    }
    let end = try agent.memory("VmRSS")
    let endAnonymous = try agent.memory("RssAnon")
    let peak = try agent.memory("VmHWM")
    try agent.stop()
    let id = stacks ? "stacks" : "nostacks"
    let what = stacks ? "with stacks" : "without stacks"
    return [
      Finding(
        "cpu.\(id)", "Agent at 10,000 events a second into a file, \(what): share of a core",
        Statistics.estimate(shares), unit: "%", aim: .atMost(2)),
      Finding("cpu.\(id).idle", "… the same agent without traffic", Statistics.estimate([idle]), unit: "%"),
      Finding("cpu.\(id).delivered", "… events in the file, of packets sent", Statistics.estimate(delivered), unit: ""),
      Finding(
        "memory.\(id).start", "Resident memory at start, \(what)", Statistics.estimate([start]), unit: "MB",
        aim: .atMost(40)),
      Finding(
        "memory.\(id).end", "Resident memory after \(windows) × 100,000 events, \(what)", Statistics.estimate([end]),
        unit: "MB", aim: .atMost(40)),
      Finding(
        "memory.\(id).anonymous", "… of which its own (RssAnon), at start", Statistics.estimate([startAnonymous]),
        unit: "MB"),
      Finding("memory.\(id).anonymous.end", "… and after", Statistics.estimate([endAnonymous]), unit: "MB"),
      Finding("memory.\(id).peak", "… peak (VmHWM), while loading", Statistics.estimate([peak]), unit: "MB"),
    ]
  }

  /// Per cent of a core while `body` runs, for as long as the traffic lasts.
  private static func share(
    _ agent: AgentProcess, milliseconds: Int32, _ body: () throws -> Int64
  ) throws -> Double {
    let before = try agent.cpuSeconds()
    _ = try body()
    return (try agent.cpuSeconds() - before) / (Double(milliseconds) / 1000) * 100
  }
}
