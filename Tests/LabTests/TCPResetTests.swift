import AgentApp
import Foundation
import Glibc
import LabSupport
import NetTypes
import ProbeKit
import Signals
import TCPReset
import Testing

extension Lab {
  @Suite(.serialized) struct TCPResetInKernel {
    typealias Case = PacketLossInKernel.Case

    static func resets(_ lab: LabAgent, type: String, in pod: LabPod) throws -> Event {
      try lab.sink.first { $0.type == type && $0.label("namespace") == pod.namespace }
    }

    /// Every label. `others`: those that depend on the case; numbers that nobody can foresee are only numbers. `isOurs`: whether
    /// the kernel works in our own system call; nil where that depends on when softirqs run.
    static func check(
      _ event: Event, _ test: Case, in pod: LabPod, from sender: LabPod, to receiver: LabPod, isOurs: Bool? = false,
      others: [String: String]
    ) throws {
      #expect(event.labels.prefix(3).map(\.name) == ["pod", "namespace", "node"], "the contract's labels come first")
      #expect(event.labels.dropFirst(3).prefix(13).map(\.name) == LabelSet.tuple)
      let isFromServer = sender.name == "server"
      var values = PacketLossInKernel.values(event)
      for name in ["seq", "ack_seq"] {
        #expect(values.removeValue(forKey: name).flatMap { UInt32($0) } != nil, "\(name)")
      }
      let process = (values.removeValue(forKey: "process"), values.removeValue(forKey: "pid"))
      #expect(process.1 == nil || process.1 == "\(ProcessInfo.processInfo.processIdentifier)")
      #expect(isOurs == nil || (process.1 != nil) == isOurs)
      #expect((process.0 == nil) == (process.1 == nil))
      let (server, client) = (LabPair.serverAddress(test.family), LabPair.clientAddress(test.family))
      let expected = [
        "pod": pod.name, "namespace": pod.namespace, "node": "lab-node", "protocol": "TCP",
        "src": isFromServer ? server : client, "src_type": "pod", "src_node": "", "src_namespace": sender.namespace,
        "src_pod": sender.name, "dst": isFromServer ? client : server, "dst_type": "pod", "dst_node": "",
        "dst_namespace": receiver.namespace, "dst_pod": receiver.name, "sport": isFromServer ? "772" : "258",
        "dport": isFromServer ? "258" : "772", "netns": try pod.identity.cookie?.description ?? "",
        "interface": "eth0",
      ].merging(others) { $1 }
      #expect(values == expected, "\(values.filter { expected[$0.key] != $0.value })")
      #expect(event.stack.contains("+0x"))
    }

    /// The label `reason`, where the kernel gives one.
    static func reason(_ name: String) -> [String: String] { LabKernel.tellsResetReasons ? ["reason": name] : [:] }

    @Test("no socket: a SYN to a closed port, and the reset that the client receives", arguments: Case.all)
    func noSocket(_ test: Case) throws {
      let pair = try LabPair()
      let lab = try LabAgent("tcpreset", attachments: [test.attachment])
      defer { lab.stop() }
      let socket = try LabSocket(in: pair.client, test.family, .stream)
      try socket.bind(LabPair.clientAddress(test.family), 258)
      #expect(throws: (any Error).self) { try socket.connect(LabPair.serverAddress(test.family), 772) }
      let sent = try Self.resets(lab, type: "TCPRESET_NOSOCK", in: pair.server)
      try Self.check(
        sent, test, in: pair.server, from: pair.server, to: pair.client,
        others: ["tcp_flags": "SYN", "length": "40"].merging(Self.reason("NO_SOCKET")) { $1 })
      // The message names the segment that provoked it.
      #expect(
        sent.message
          == "protocol=TCP saddr=\(LabPair.clientAddress(test.family)) sport=258 daddr=\(LabPair.serverAddress(test.family)) dport=772"
      )
      let received = try Self.resets(lab, type: "TCPRESET_RECEIVE", in: pair.client)
      try Self.check(
        received, test, in: pair.client, from: pair.server, to: pair.client, isOurs: nil,
        others: ["tcp_flags": "RST", "tcp_state": "SYN_SENT"])
      usleep(100_000)
      let all = lab.sink.events.filter { $0.label("namespace") == pair.server.namespace }
      #expect(all.count == 1, "sent once, told once: \(all.map { EventText.line($0) })")
      #expect(
        received.message
          == "protocol=TCP saddr=\(LabPair.clientAddress(test.family)) sport=258 daddr=\(LabPair.serverAddress(test.family)) dport=772 state=SYN_SENT"
      )
      let place = ["k8s_namespace": pair.server.namespace, "k8s_pod": "server"]
      #expect(
        lab.metric(
          "kubeskoop_tcpreset_total",
          place.merging(["type": "TCPRESET_NOSOCK", "reason": LabKernel.tellsResetReasons ? "NO_SOCKET" : ""]) { $1 })
          == 1)
    }

    @Test("active: a process that closes with unread data is named", arguments: Case.all)
    func active(_ test: Case) throws {
      let pair = try LabPair()
      let lab = try LabAgent("tcpreset", attachments: [test.attachment])
      defer { lab.stop() }
      let connection = try LabConnection(pair, test.family)
      try connection.client.send([1, 2, 3])
      usleep(50_000)
      connection.server.close()
      let sent = try Self.resets(lab, type: "TCPRESET_ACTIVE", in: pair.server)
      try Self.check(
        sent, test, in: pair.server, from: pair.server, to: pair.client, isOurs: true,
        others: ["tcp_state": "CLOSE"].merging(Self.reason("TCP_ABORT_ON_CLOSE")) { $1 })
      #expect(sent.stack.contains("tcp_close+0x") || sent.stack.contains("__tcp_close+0x"))
      #expect(sent.message.hasPrefix("protocol=TCP saddr=\(LabPair.serverAddress(test.family)) sport=772 "))
      let received = try Self.resets(lab, type: "TCPRESET_RECEIVE", in: pair.client)
      try Self.check(
        received, test, in: pair.client, from: pair.server, to: pair.client,
        others: ["tcp_flags": "RST", "tcp_state": "ESTABLISHED"])
    }

    @Test(
      "process: a closed connection answers data",
      .enabled(
        if: LabKernel.tellsResetReasons, "before 6.10 the kernel does not tell of resets for connections in TIME-WAIT"),
      arguments: Case.all)
    func process(_ test: Case) throws {
      let pair = try LabPair()
      let lab = try LabAgent("tcpreset", attachments: [test.attachment])
      defer { lab.stop() }
      let connection = try LabConnection(pair, test.family)
      // Nothing unread: a FIN. Data that comes afterwards meets a socket without a reader.
      connection.server.close()
      usleep(50_000)
      try connection.client.send([1, 2, 3])
      let sent = try Self.resets(lab, type: "TCPRESET_PROCESS", in: pair.server)
      try Self.check(
        sent, test, in: pair.server, from: pair.server, to: pair.client,
        others: [
          "reason": "TCP_TIMEWAIT_SOCKET", "tcp_state": "TIME_WAIT", "tcp_flags": "PSH|ACK", "length": "35",
        ])
    }

    @Test("netfilter's REJECT is seen as it leaves, once", arguments: Case.all)
    func reject(_ test: Case) throws {
      let pair = try LabPair()
      try pair.server.exec(
        PacketLossInKernel.iptables(test.family), "-A", "INPUT", "-p", "tcp", "--dport", "772", "-j", "REJECT",
        "--reject-with", "tcp-reset")
      let lab = try LabAgent("tcpreset", attachments: [test.attachment])
      defer { lab.stop() }
      let socket = try LabSocket(in: pair.client, test.family, .stream)
      try socket.bind(LabPair.clientAddress(test.family), 258)
      #expect(throws: (any Error).self) { try socket.connect(LabPair.serverAddress(test.family), 772) }
      let sent = try Self.resets(lab, type: "TCPRESET_NOSOCK", in: pair.server)
      try Self.check(
        sent, test, in: pair.server, from: pair.server, to: pair.client,
        others: [
          "reason": "NETFILTER_REJECT", "tcp_flags": "RST|ACK", "length": test.family == .v4 ? "54" : "74",
        ])
      #expect(sent.stack.contains("nf_send_reset"))
      usleep(100_000)
      let all = lab.sink.events.filter {
        $0.type == "TCPRESET_NOSOCK" && $0.label("namespace") == pair.server.namespace
      }
      #expect(all.count == 1)
    }

    @Test(
      "before 6.10, where the tracepoint is silent about resets without a socket, they are seen as they leave",
      arguments: Case.all)
    func olderKernel(_ test: Case) throws {
      let pair = try LabPair()
      // The program is told that the tracepoint has two arguments: it then also keeps silent as those kernels do.
      let lab = try LabAgent(
        [.init(id: "tcpreset", settings: ProbeSettings(arguments: ["eventsPerSecond": .integer(0)]))],
        attachments: [test.attachment]
      ) {
        $0.kernel = KernelFacts.current(for: [TCPReset.manifest]).pretending(argumentsOfTracepoints: [
          "tcp_send_reset": 2
        ])
      }
      defer { lab.stop() }
      let socket = try LabSocket(in: pair.client, test.family, .stream)
      try socket.bind(LabPair.clientAddress(test.family), 258)
      #expect(throws: (any Error).self) { try socket.connect(LabPair.serverAddress(test.family), 772) }
      let sent = try Self.resets(lab, type: "TCPRESET_NOSOCK", in: pair.server)
      try Self.check(
        sent, test, in: pair.server, from: pair.server, to: pair.client,
        others: ["tcp_flags": "RST|ACK", "length": test.family == .v4 ? "54" : "74"])
      // A socket that refuses data is told of once, by the tracepoint.
      let listener = try LabSocket(in: pair.server, test.family, .stream)
      try listener.bind(LabPair.serverAddress(test.family), 773)
      try listener.listen()
      usleep(100_000)
      let all = lab.sink.events.filter { $0.label("namespace") == pair.server.namespace }
      #expect(all.count == 1, "\(all.map { EventText.line($0) })")
    }

    @Test("a bridge that floods makes copies of a reset, and no REJECT of them")
    func floodingBridge() throws {
      let node = try LabPod("node")
      let client = try LabPod("client")
      try tool("ip", "-n", node.netns, "link", "add", "br0", "type", "bridge", "ageing_time", "0")
      for (index, other) in [client, node, node].enumerated() {
        let peer = index == 0 ? "eth0" : "spare\(index)"
        try tool(
          "ip", "-n", node.netns, "link", "add", "port\(index)", "type", "veth", "peer", "name", peer, "netns",
          other.netns)
        try tool("ip", "-n", node.netns, "link", "set", "port\(index)", "master", "br0", "up")
        try tool("ip", "-n", other.netns, "link", "set", peer, "up")
      }
      try tool("ip", "-n", node.netns, "addr", "add", "\(LabPair.serverAddress(.v4))/24", "dev", "br0")
      try tool("ip", "-n", node.netns, "link", "set", "br0", "up")
      try tool("ip", "-n", client.netns, "addr", "add", "\(LabPair.clientAddress(.v4))/24", "dev", "eth0")
      let lab = try LabAgent("tcpreset")
      defer { lab.stop() }
      let socket = try LabSocket(in: client, .v4, .stream)
      #expect(throws: (any Error).self) { try socket.connect(LabPair.serverAddress(.v4), 772) }
      let sent = try Self.resets(lab, type: "TCPRESET_NOSOCK", in: node)
      #expect(sent.label("reason") == (LabKernel.tellsResetReasons ? "NO_SOCKET" : nil))
      usleep(200_000)
      let all = lab.sink.events.filter { $0.label("namespace") == node.namespace }
      #expect(all.count == 1, "\(all.map { EventText.line($0) })")
    }

    @Test("an ordinary close is no reset")
    func quiet() throws {
      let pair = try LabPair()
      let lab = try LabAgent("tcpreset")
      defer { lab.stop() }
      let connection = try LabConnection(pair, .v4)
      try connection.client.send([1])
      _ = try connection.server.receive()
      connection.client.close()
      _ = try connection.server.receive()
      connection.server.close()
      usleep(200_000)
      let mine = lab.sink.events.filter {
        [pair.client.namespace, pair.server.namespace].contains($0.label("namespace"))
      }
      #expect(mine.isEmpty, "\(mine.map { EventText.line($0) })")
    }
  }
}
