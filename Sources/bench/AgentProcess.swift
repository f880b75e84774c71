import CBenchReference
import Foundation
import Glibc
import LinuxSystem

/// The real agent, as a child.
@safe
final class AgentProcess {
  let pid: pid_t
  private let stage: Stage
  private let log: String

  struct Options {
    var events = true
    var metrics = true
    var stacks = true
    /// 0: no limit.
    var eventsPerSecond = 100
  }

  /// Returns when every probe runs.
  init(_ binary: String, on stage: Stage, _ options: Options, events file: String) throws {
    self.stage = stage
    let configuration = "\(stage.folder)/agent.yaml"
    log = "\(stage.folder)/agent.log"
    var text = "address: unix://\(stage.folder)/agent.sock\n"
    let sides = [("metrics", options.metrics), ("event", options.events)]
    for (side, _) in sides.filter(\.1) {
      text += "\(side):\n  probes:\n"
      for probe in ["packetloss", "tcpretrans", "tcpreset"] {
        text += "  - name: \(probe)\n    args: "
        text += "{eventsPerSecond: \(options.eventsPerSecond), enableStack: \(options.stacks)}\n"
      }
    }
    if options.events { text += "  sinks:\n  - name: file\n    args: {path: \(file)}\n" }
    try text.write(toFile: configuration, atomically: true, encoding: .utf8)
    pid = unsafe cbench_spawn_agent(binary, configuration, log)
    guard pid > 0 else { throw SystemError(errno: -pid, doing: "starting \(binary)") }
    stage.adopt(pid)
    // Each probe says so once it runs.
    for _ in 0..<300 {
      let said = (try? Files.text(log)) ?? ""
      if said.split(separator: "\n").count(where: { $0.contains("probe ") && $0.contains(" runs: ") }) == 3 { return }
      if kill(pid, 0) != 0 || said.contains("does not run") { break }
      usleep(100_000)
    }
    throw BenchError("the agent did not start: \((try? Files.text(log)) ?? "")")
  }

  /// Ends it in order.
  func stop() throws {
    kill(pid, SIGTERM)
    let status = stage.bury(pid)
    guard status == 0 else { throw BenchError("the agent ended with \(status): \((try? Files.text(log)) ?? "")") }
  }

  /// User and system time so far, seconds (proc_pid_stat(5)).
  func cpuSeconds() throws -> Double {
    let text = try Files.text("/proc/\(pid)/stat")
    guard let end = text.lastIndex(of: ")") else { throw BenchError("no /proc/\(pid)/stat") }
    let fields = text[text.index(after: end)...].split(separator: " ")
    guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else {
      throw BenchError("no times in /proc/\(pid)/stat")
    }
    return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  /// A line of /proc/PID/status, in megabytes (of 1,000,000 bytes).
  func memory(_ name: String) throws -> Double {
    for line in try Files.text("/proc/\(pid)/status").split(separator: "\n") where line.hasPrefix("\(name):") {
      let fields = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
      if fields.count >= 2, let kilobytes = Double(fields[1]) { return kilobytes * 1024 / 1_000_000 }
    }
    throw BenchError("no \(name) in /proc/\(pid)/status")
  }
}
