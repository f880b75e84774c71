import Foundation
import Glibc
import LinuxSystem
import NodeState

/// The snapshot of 200 namespaces beside `ip -j` that lists the same: time, memory, and their ratio.
enum SnapshotBench {
  static let namespaces = 200
  static let rounds = 10

  static func run(agent: String, on stage: Stage) throws -> [Finding] {
    let prefix = "skoop-bench-\(getpid())-s"
    let names = (0..<namespaces).map { "\(prefix)\($0)" }
    defer { remove(prefix) }
    try build(names)
    let batches = try writeBatches(stage)
    let paths = names.map { "/run/netns/\($0)" }
    var collecting: [Double] = []
    var pairs: [(first: Double, second: Double)] = []
    var command: [Double] = []
    var memory: [Double] = []
    for _ in 0..<rounds {
      let clock = ContinuousClock()
      let started = clock.now
      _ = try NodeStateCollector(.init(only: paths)).collect()
      let took = seconds(clock.now - started)
      let listed = try list(names, batches)
      collecting.append(took * 1000)
      pairs.append((listed, took))
      let whole = try spawn([agent, "snapshot", "--output", "/dev/null"])
      command.append(whole.seconds * 1000)
      memory.append(Double(whole.residentKiB) / 1024)
    }
    return [
      Finding(
        "snapshot.collect", "snapshot of \(namespaces) namespaces, collecting", Statistics.estimate(collecting),
        unit: "ms", aim: .atMost(1000)),
      Finding(
        "snapshot.command", "skoop-agent snapshot, all namespaces of the machine, start and JSON included",
        Statistics.estimate(command), unit: "ms", aim: .atMost(1000)),
      Finding(
        "snapshot.memory", "skoop-agent snapshot, most memory", Statistics.estimate(memory), unit: "MiB",
        aim: .atMost(100)),
      Finding(
        "snapshot.ratio", "ip -j batches (links, addresses, neighbours, rules, routes, nexthops) / collecting all",
        Statistics.estimate(Statistics.ratios(pairs)), unit: ""),
    ]
  }

  /// Pods on a bridge: a veth with addresses of both families and default routes each; the bridge is in the first.
  private static func build(_ names: [String]) throws {
    for name in names { try Stage.tool("ip", "netns", "add", name) }
    try Stage.tool("ip", "-n", names[0], "link", "add", "br0", "up", "type", "bridge")
    for (place, name) in names.enumerated().dropFirst() {
      let end = "v\(place)"
      try Stage.tool("ip", "-n", names[0], "link", "add", end, "type", "veth", "peer", "name", "eth0", "netns", name)
      try Stage.tool("ip", "-n", names[0], "link", "set", end, "master", "br0", "up")
      try Stage.tool("ip", "-n", name, "link", "set", "lo", "up")
      try Stage.tool("ip", "-n", name, "link", "set", "eth0", "up")
      try Stage.tool("ip", "-n", name, "addr", "add", "10.98.\(place / 250).\(place % 250 + 2)/16", "dev", "eth0")
      try Stage.tool("ip", "-n", name, "addr", "add", "fd98::\(place + 2)/64", "dev", "eth0", "nodad")
      try Stage.tool("ip", "-n", name, "route", "add", "default", "via", "10.98.0.1")
      try Stage.tool("ip", "-n", name, "-6", "route", "add", "default", "via", "fd98::1")
    }
  }

  private static func remove(_ prefix: String) {
    for name in Files.names(in: "/run/netns") where name.hasPrefix(prefix) {
      _ = try? Stage.tool("ip", "netns", "del", name)
    }
  }

  /// What ip is asked, by family: one process each for a namespace is the best that it can do.
  private static func writeBatches(_ stage: Stage) throws -> [(option: String, file: String)] {
    let v4 = "\(stage.folder)/ip4"
    let v6 = "\(stage.folder)/ip6"
    let common = "neigh show nud all\nneigh show proxy\nrule show\nroute show table all\n"
    try ("link show\naddress show\nnexthop show\n" + common).write(toFile: v4, atomically: true, encoding: .utf8)
    try common.write(toFile: v6, atomically: true, encoding: .utf8)
    return [("-4", v4), ("-6", v6)]
  }

  /// Seconds for all namespaces.
  private static func list(_ names: [String], _ batches: [(option: String, file: String)]) throws -> Double {
    var total = 0.0
    for name in names {
      for (option, file) in batches {
        total += try spawn(["/usr/sbin/ip", "-j", "-d", option, "-n", name, "-batch", file]).seconds
      }
    }
    return total
  }

  private static func seconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
  }

  /// Runs a program to its end, with its output thrown away: how long, and its most resident memory (getrusage(2)).
  private static func spawn(_ words: [String]) throws -> (seconds: Double, residentKiB: Int) {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
    unsafe posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    let arguments = unsafe words.map { unsafe strdup($0) } + [nil]
    let environment = unsafe [strdup("PATH=/usr/sbin:/usr/bin:/sbin:/bin"), nil]
    defer { unsafe (arguments + environment).forEach { unsafe free($0) } }
    let started = ContinuousClock().now
    var pid: pid_t = 0
    let error = unsafe posix_spawn(&pid, words[0], &actions, nil, arguments, environment)
    guard error == 0 else { throw SystemError(errno: error, doing: "starting \(words[0])") }
    var status: Int32 = 0
    var usage = rusage()
    guard unsafe wait4(pid, &status, 0, &usage) == pid, status == 0 else {
      throw BenchError("\(words) ended with \(status)")
    }
    return (seconds(ContinuousClock().now - started), usage.ru_maxrss)
  }
}
