import CLibbpf
import Foundation
import Glibc
import LabSupport
import LinuxSystem
import Signals
import Sinks
import Testing

/// The agent as a process of its own: what an operator meets.
final class AgentProcess {
  let process = Process()
  let folder: URL
  let port: Int
  private let errors = Pipe()

  static let executable = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    .appending(path: "skoop-agent")

  init(_ configuration: (_ port: Int, _ folder: URL) -> String) throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "skoop-lab-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    port = Int.random(in: 20_000..<30_000)
    let file = folder.appending(path: "agent.yaml")
    try configuration(port, folder).write(to: file, atomically: true, encoding: .utf8)
    process.executableURL = Self.executable
    process.arguments = ["run", "--config", file.path]
    process.environment = ProcessInfo.processInfo.environment.merging(["NODE_NAME": "lab-node"]) { $1 }
    process.standardError = errors
    try process.run()
  }

  deinit {
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    try? FileManager.default.removeItem(at: folder)
  }

  func get(_ path: String, accept: String? = nil) throws -> (status: Int, body: String) {
    var arguments = ["curl", "-s", "-m", "10", "-w", "\n%{http_code}", "http://127.0.0.1:\(port)\(path)"]
    if let accept { arguments += ["-H", "Accept: \(accept)"] }
    let answer = try tool(arguments)
    let parts = answer.split(separator: "\n", omittingEmptySubsequences: false)
    return (Int(parts.last ?? "") ?? 0, parts.dropLast().joined(separator: "\n"))
  }

  func waitUntilReady() throws {
    for _ in 0..<200 {
      if (try? get("/readyz"))?.status == 200 { return }
      if !process.isRunning { break }
      usleep(100_000)
    }
    throw ToolFailure(command: "skoop-agent run", status: 1, output: "not ready")
  }

  /// Asks it to stop and waits; the exit status.
  func stop(_ signal: Int32 = SIGTERM) -> Int32 {
    kill(process.processIdentifier, signal)
    process.waitUntilExit()
    return process.terminationStatus
  }

  var said: String { String(decoding: errors.fileHandleForReading.availableData, as: UTF8.self) }
}

extension Lab {
  @Suite(.serialized) struct AgentAsProcess {
    static func everything(_ port: Int, _ folder: URL) -> String {
      """
      address: 127.0.0.1:\(port)
      metrics:
        probes: [{name: packetloss}, {name: tcpretrans}, {name: tcpreset}]
      event:
        probes: [{name: packetloss}, {name: tcpretrans}, {name: tcpreset}]
        sinks: [{name: file, args: {path: \(folder.path)/events.jsonl}}]
      """
    }

    @Test("run: HTTP, events in the file, promtool, a real Prometheus, and a clean end")
    func run() throws {
      let pair = try LabPair()
      try pair.server.exec("iptables", "-A", "INPUT", "-p", "udp", "--dport", "772", "-j", "DROP")
      let agent = try AgentProcess(Self.everything)
      try agent.waitUntilReady()
      #expect(try agent.get("/healthz").status == 200)
      let status = try JSONSerialization.jsonObject(with: Data(agent.get("/status").body.utf8)) as? [String: Any]
      let used = status?["inuse_probes"] as? [String: [[String: Any]]]
      let available = status?["available_probes"] as? [String: [String]]
      for side in ["metrics", "event"] {
        #expect(used?[side]?.map { $0["name"] as? String } == ["packetloss", "tcpretrans", "tcpreset"])
        #expect(used?[side]?.allSatisfy { $0["state"] as? String == "running" } == true)
        #expect(available?[side] == ["packetloss", "tcpretrans", "tcpreset"])
      }
      let socket = try LabSocket(in: pair.client, .v4, .datagram)
      for _ in 0..<7 { try socket.send([1], to: LabPair.serverAddress(.v4), port: 772) }
      let closed = try LabSocket(in: pair.client, .v4, .stream)
      try? closed.connect(LabPair.serverAddress(.v4), 773)
      usleep(500_000)

      let (code, text) = try agent.get("/metrics")
      #expect(code == 200)
      #expect(
        text.contains(
          "kubeskoop_packetloss_by_reason_total{k8s_node=\"lab-node\",k8s_namespace=\"\(pair.server.namespace)\","
            + "k8s_pod=\"server\",reason=\"NETFILTER_DROP\",location="))
      for metric in [
        "skoop_probe_up{probe=\"packetloss\"} 1", "skoop_program_recursion_misses_total{",
        "process_resident_memory_bytes ",
        "skoop_probe_events_total{probe=\"packetloss\",outcome=\"seen\"}", "skoop_map_entries{probe=\"packetloss\",",
      ] { #expect(text.contains(metric), "\(metric)") }

      // promtool complains of counters without _total, and of nothing else.
      let lint = Process()
      lint.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      lint.arguments = ["promtool", "check", "metrics"]
      let (input, output) = (Pipe(), Pipe())
      (lint.standardInput, lint.standardOutput, lint.standardError) = (input, output, output)
      try lint.run()
      input.fileHandleForWriting.write(Data((text + "\n").utf8))
      try input.fileHandleForWriting.close()
      let complaints = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      lint.waitUntilExit()
      #expect(
        complaints.split(separator: "\n")
          == ["kubeskoop_packetloss_netfilter counter metrics should have \"_total\" suffix"])
      #expect(lint.terminationStatus == 3)

      let open = try agent.get("/metrics", accept: "application/openmetrics-text; version=1.0.0").body
      #expect(open.hasSuffix("# EOF") || open.hasSuffix("# EOF\n"))
      #expect(open.contains("# TYPE kubeskoop_packetloss_netfilter unknown"))
      #expect(open.contains("# TYPE kubeskoop_packetloss counter"))

      try Self.prometheus(agent, pair)

      let events = try String(contentsOf: agent.folder.appending(path: "events.jsonl"), encoding: .utf8)
        .split(separator: "\n").map { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }
      let mine = events.filter { event in
        (event?["labels"] as? [[String: String]])?.contains {
          ["k8s_namespace", "namespace"].contains($0["name"]) && $0["value"] == pair.server.namespace
        } == true
      }
      #expect(mine.count { $0?["type"] as? String == "PacketLoss" } == 8)
      #expect(mine.contains { $0?["type"] as? String == "TCPRESET_NOSOCK" })
      for event in mine {
        #expect(Set(event?.keys.map { $0 } ?? []) == ["timestamp", "type", "labels", "msg"])
      }
      let (program, map) = try Self.objects(of: agent.process.processIdentifier)
      #expect(!program.isEmpty && !map.isEmpty)
      #expect(agent.stop() == 0, "\(agent.said)")
      usleep(500_000)
      for id in program.compactMap({ UInt32($0) }) {
        #expect(bpf_prog_get_fd_by_id(id) < 0, "program \(id) is still there")
      }
      for id in map.compactMap({ UInt32($0) }) { #expect(bpf_map_get_fd_by_id(id) < 0, "map \(id) is still there") }
    }

    /// The ids of the programs and maps that a process holds.
    static func objects(of pid: Int32) throws -> (programs: Set<String>, maps: Set<String>) {
      var result: (programs: Set<String>, maps: Set<String>) = ([], [])
      for name in Files.names(in: "/proc/\(pid)/fdinfo") {
        for line in ((try? Files.text("/proc/\(pid)/fdinfo/\(name)")) ?? "").split(separator: "\n") {
          let parts = line.split(whereSeparator: { $0 == ":" || $0 == "\t" })
          if parts.count == 2, parts[0] == "prog_id" { result.programs.insert(String(parts[1])) }
          if parts.count == 2, parts[0] == "map_id" { result.maps.insert(String(parts[1])) }
        }
      }
      return result
    }

    /// A Prometheus of its own scrapes the agent; what it answers is what the kernel counted.
    static func prometheus(_ agent: AgentProcess, _ pair: LabPair) throws {
      let port = agent.port + 1
      let file = agent.folder.appending(path: "prometheus.yml")
      try """
      global: {scrape_interval: 1s}
      scrape_configs:
      - job_name: skoop
        static_configs: [{targets: ["127.0.0.1:\(agent.port)"]}]
      """.write(to: file, atomically: true, encoding: .utf8)
      let server = Process()
      server.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      server.arguments = [
        "prometheus", "--config.file=\(file.path)", "--storage.tsdb.path=\(agent.folder.path)/tsdb",
        "--web.listen-address=127.0.0.1:\(port)",
      ]
      server.standardOutput = FileHandle.nullDevice
      server.standardError = FileHandle.nullDevice
      try server.run()
      defer {
        server.terminate()
        server.waitUntilExit()
      }
      let query =
        "sum(kubeskoop_packetloss_by_reason_total{k8s_namespace=\"\(pair.server.namespace)\",reason=\"NETFILTER_DROP\"})"
      var answer = ""
      for _ in 0..<100 {
        answer =
          (try? tool(
            "curl", "-sG", "-m", "5", "http://127.0.0.1:\(port)/api/v1/query", "--data-urlencode", "query=\(query)"))
          ?? ""
        if answer.contains("\"7\"") { break }
        usleep(200_000)
      }
      #expect(answer.contains("\"7\""), "\(answer)")
      let up = try tool("curl", "-sG", "http://127.0.0.1:\(port)/api/v1/query", "--data-urlencode", "query=up")
      #expect(up.contains("\"1\""), "\(up)")
    }

    @Test("events without a sink go to standard error, among the log")
    func standardError() throws {
      let pair = try LabPair()
      let agent = try AgentProcess { port, _ in
        "address: 127.0.0.1:\(port)\nevent: {probes: [{name: packetloss, args: {enableStack: false}}]}"
      }
      try agent.waitUntilReady()
      let socket = try LabSocket(in: pair.client, .v6, .datagram)
      try socket.send([1], to: LabPair.serverAddress(.v6), port: 772)
      usleep(500_000)
      let metrics = try agent.get("/metrics").body
      #expect(!metrics.contains("kubeskoop_packetloss_total"), "the metrics' side is off")
      #expect(metrics.contains("skoop_probe_up{probe=\"packetloss\"} 1"))
      #expect(agent.stop() == 0)
      let events = agent.said.split(separator: "\n").filter { $0.hasPrefix("{") }
      let mine = try events.map { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }.filter {
        ($0?["labels"] as? [[String: String]])?.contains { $0["value"] == pair.server.namespace } == true
      }
      #expect(mine.count == 1 && mine[0]?["type"] as? String == "PacketLoss" && mine[0]?["msg"] as? String == "")
    }

    @Test("a full disk: no half a line stays, what is lost is counted, and room again is used again")
    func fullDisk() throws {
      let folder = FileManager.default.temporaryDirectory.appending(path: "skoop-disk-\(UUID().uuidString)").path
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try tool("mount", "-t", "tmpfs", "-o", "size=64k", "skoop-test", folder)
      defer {
        _ = try? tool("umount", folder)
        try? FileManager.default.removeItem(atPath: folder)
      }
      let path = "\(folder)/events.jsonl"
      let sink = try FileSink(path: path)
      func batch(_ count: Int) -> EventBatch {
        var batch = EventBatch()
        for _ in 0..<count {
          batch.append(
            Event(timestamp: 1, type: "T", labels: [], message: String(repeating: "x", count: 900)), probe: 0)
        }
        return batch
      }
      try sink.write(batch(40))
      // Some of it would fit.
      #expect(throws: SystemError.self) { try sink.write(batch(40)) }
      try sink.write(batch(10))
      let lines = try Files.text(path).split(separator: "\n")
      #expect(lines.count == 50)
      #expect(lines.allSatisfy { EventJSON.event(from: Array($0.utf8)[...]) != nil })
    }

    @Test("trace: JSON lines, a filter, a summary on standard error")
    func trace() throws {
      let pair = try LabPair()
      let process = Process()
      process.executableURL = AgentProcess.executable
      process.arguments = [
        "trace", "--probe", "packetloss", "--netns", pair.server.netns, "--output", "json", "--duration", "5s",
      ]
      let (output, errors) = (Pipe(), Pipe())
      (process.standardOutput, process.standardError) = (output, errors)
      try process.run()
      // Until its probes run.
      sleep(3)
      let socket = try LabSocket(in: pair.client, .v4, .datagram)
      try socket.send([1], to: LabPair.serverAddress(.v4), port: 772)
      let lines = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self).split(
        separator: "\n")
      let summary = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      process.waitUntilExit()
      #expect(process.terminationStatus == 0)
      #expect(lines.count == 1, "\(lines)")
      let event = try JSONSerialization.jsonObject(with: Data((lines.first ?? "{}").utf8)) as? [String: Any]
      #expect(event?["type"] as? String == "PacketLoss")
      #expect(summary.contains("NO_SOCKET") && summary.contains("packetloss: seen"))
    }

    @Test("trace: readable lines with stack and meaning, and a summary after Ctrl-C", arguments: [SIGINT, SIGTERM])
    func traceUntilSignal(signal: Int32) throws {
      let pair = try LabPair()
      let process = Process()
      process.executableURL = AgentProcess.executable
      process.arguments = ["trace", "--stack", "--explain", "--pod", "\(pair.server.namespace)/server"]
      let (output, errors) = (Pipe(), Pipe())
      (process.standardOutput, process.standardError) = (output, errors)
      try process.run()
      // Its first words say that it watches.
      let ready = String(decoding: errors.fileHandleForReading.availableData, as: UTF8.self)
      #expect(ready.hasPrefix("watching packetloss (kfree_skb by tp_btf)"), "\(ready)")
      #expect(ready.hasSuffix("; Ctrl-C ends\n"))
      let socket = try LabSocket(in: pair.client, .v6, .datagram)
      try socket.bind(LabPair.clientAddress(.v6), 258)
      try socket.send([1], to: LabPair.serverAddress(.v6), port: 772)
      usleep(500_000)
      kill(process.processIdentifier, signal)
      let lines = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self).split(
        separator: "\n")
      let summary = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      process.waitUntilExit()
      #expect(process.terminationStatus == 0 && process.terminationReason == .exit)
      let (client, server) = (LabPair.clientAddress(.v6), LabPair.serverAddress(.v6))
      #expect(
        lines.first.map { String($0.dropFirst("00:00:00.000".count)) }
          == "  PacketLoss  in \(pair.server.namespace)/server  UDP  [\(client)]:258 (\(pair.client.namespace)/client) → "
          + "[\(server)]:772 (\(pair.server.namespace)/server)  NO_SOCKET  at __udp6_lib_rcv  dev eth0", "\(lines)")
      #expect(lines.dropFirst().first?.hasPrefix("    No socket listens on the destination port") == true)
      #expect(lines.dropFirst(2).contains { $0.hasPrefix("      __udp6_lib_rcv+0x") })
      #expect(summary.contains("  1  PacketLoss          \(pair.server.namespace)/server"), "\(summary)")
      #expect(summary.contains("  packetloss: seen "))
    }

    @Test(
      "mistakes end with their status and a sentence",
      arguments: [
        (["run", "--config", "/nonexistent.yaml"], 69, "/nonexistent.yaml"), (["run"], 64, "--config"),
        (["trace", "--probe", "nothing"], 64, "There is no probe nothing"),
        (["trace", "--netns", "no-such-namespace"], 69, "no-such-namespace"),
        (["trace", "--pod", "web"], 64, "NAMESPACE/NAME"),
        (["trace", "--duration", "10"], 64, "10s"), (["nonsense"], 64, "nonsense"),
      ] as [([String], Int32, String)])
    func mistakes(arguments: [String], status: Int32, text: String) throws {
      #expect {
        try tool([AgentProcess.executable.path] + arguments)
      } throws: { error in
        let failure = error as? ToolFailure
        return failure?.status == status && failure?.output.contains(text) == true
      }
    }

    @Test("a wrong configuration ends with 65 and its line; a port in use with 69 and its address")
    func wrongConfiguration() throws {
      let wrong = try AgentProcess { _, _ in "metrics:\n  probes: [{name: packetlos}]" }
      wrong.process.waitUntilExit()
      #expect(wrong.process.terminationStatus == 65)
      #expect(wrong.said.contains("agent.yaml:2: there is no probe packetlos; did you mean packetloss?"))
      let first = try AgentProcess { port, _ in "address: 127.0.0.1:\(port)" }
      try first.waitUntilReady()
      let second = try AgentProcess { _, _ in "address: 127.0.0.1:\(first.port)" }
      second.process.waitUntilExit()
      #expect(second.process.terminationStatus == 69)
      #expect(second.said.contains("127.0.0.1:\(first.port): Address already in use"))
      #expect(first.stop(SIGINT) == 0)
    }

    @Test("the demo shows every fault and leaves nothing behind")
    func demo() throws {
      let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "scripts/demo_check.sh")
      let said = try tool(script.path, AgentProcess.executable.path)
      #expect(!said.isEmpty)
    }
  }
}
