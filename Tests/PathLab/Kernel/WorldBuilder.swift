import Glibc
import LinuxSystem
import PathCases

/// Makes the namespaces of a plan and types its commands. Runs on a thread of its own, which switches namespaces.
struct WorldBuilder {
  let namespaces: [LabNetns]
  /// Commands that the kernel refused, by their place in the plan.
  let refused: [Int: String]
  let servers: Servers

  init(_ plan: WorldPlan) throws {
    let namespaces = try (0..<plan.namespaces).map { _ in try LabNetns() }
    // Servers start when the world is sane, and live through the changes.
    let sane = plan.commands.firstIndex { $0.isChange } ?? plan.commands.count
    var servers: Servers?
    var refused: [Int: String] = [:]
    var index = 0
    var here = -1
    while index < plan.commands.count {
      if index == sane {
        servers = try Servers(plan.servers, namespaces)
        here = -1
      }
      let first = plan.commands[index]
      if first.netns != here {
        try namespaces[first.netns].enter()
        here = first.netns
      }
      // Neighbouring commands of one tool and namespace share a process.
      var end = index + 1
      while end < plan.commands.count, end != sane, plan.commands[end].netns == first.netns,
        plan.commands[end].tool == first.tool
      {
        end += 1
      }
      let lines = plan.commands[index..<end].map { Self.text($0, namespaces) }
      let failures = first.tool == .sysctl ? Self.sysctls(lines) : try IPRoute.batch(first.tool.rawValue, lines)
      for (line, reason) in failures { refused[index + line] = reason }
      index = end
    }
    self.servers = try servers ?? Servers(plan.servers, namespaces)
    self.namespaces = namespaces
    self.refused = refused
  }

  /// `@2` becomes the path of namespace 2.
  private static func text(_ command: PlanCommand, _ namespaces: [LabNetns]) -> String {
    guard command.text.contains("@") else { return command.text }
    return command.text.split(separator: " ").map { word in
      word.hasPrefix("@") ? Int(word.dropFirst()).map { namespaces[$0].path } ?? String(word) : String(word)
    }.joined(separator: " ")
  }

  /// `net.ipv4.ip_forward=1`, written in the calling thread's namespace.
  private static func sysctls(_ lines: [String]) -> [Int: String] {
    var refused: [Int: String] = [:]
    for (number, line) in lines.enumerated() {
      let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let path = "/proc/sys/" + parts[0].split(separator: ".").joined(separator: "/")
      do {
        let file = try Descriptor(opening: path, flags: O_WRONLY)
        try Files.write(Array("\(parts[1])\n".utf8), to: file.rawValue, path)
      } catch {
        refused[number] = "\(error)"
      }
    }
    return refused
  }
}
