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

    /// The contract's labels and the reset's own direction.
    static func check(
      _ event: Event, _ test: Case, in pod: LabPod, from sender: LabPod, to receiver: LabPod, reason: String?
    ) throws {
      #expect(event.labels.prefix(3).map(\.name) == ["pod", "namespace", "node"], "the contract's labels come first")
      #expect(event.label("pod") == pod.name)
      #expect(event.label("namespace") == pod.namespace)
      #expect(event.label("node") == "lab-node")
      #expect(event.label("protocol") == "TCP")
      let isFromServer = sender.name == "server"
      #expect(event.label("src") == (isFromServer ? LabPair.serverAddress : LabPair.clientAddress)(test.family))
      #expect(event.label("dst") == (isFromServer ? LabPair.clientAddress : LabPair.serverAddress)(test.family))
      #expect(event.label("sport") == (isFromServer ? "772" : "258"))
      #expect(event.label("dport") == (isFromServer ? "258" : "772"))
      #expect(event.label("src_pod") == sender.name)
      #expect(event.label("dst_pod") == receiver.name)
      #expect(event.label("src_namespace") == sender.namespace)
      #expect(event.label("netns") == (try pod.identity.cookie?.description))
      #expect(event.label("reason") == reason)
      #expect(event.stack.contains("+0x"))
    }

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
        reason: LabKernel.tellsResetReasons ? "NO_SOCKET" : nil)
      // The message names the segment that provoked it.
      #expect(
        sent.message
          == "protocol=TCP saddr=\(LabPair.clientAddress(test.family)) sport=258 daddr=\(LabPair.serverAddress(test.family)) dport=772"
      )
      #expect(sent.label("tcp_flags") == "SYN")
      #expect(sent.label("interface") == "eth0")
      let received = try Self.resets(lab, type: "TCPRESET_RECEIVE", in: pair.client)
      try Self.check(received, test, in: pair.client, from: pair.server, to: pair.client, reason: nil)
      usleep(100_000)
      let all = lab.sink.events.filter { $0.label("namespace") == pair.server.namespace }
      #expect(all.count == 1, "sent once, told once: \(all.map { EventText.line($0) })")
      #expect(received.label("tcp_state") == "SYN_SENT")
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
        sent, test, in: pair.server, from: pair.server, to: pair.client,
        reason: LabKernel.tellsResetReasons ? "TCP_ABORT_ON_CLOSE" : nil)
      #expect(sent.label("pid") == "\(ProcessInfo.processInfo.processIdentifier)")
      #expect(sent.label("process")?.isEmpty == false)
      #expect(sent.stack.contains("tcp_close+0x") || sent.stack.contains("__tcp_close+0x"))
      #expect(sent.message.hasPrefix("protocol=TCP saddr=\(LabPair.serverAddress(test.family)) sport=772 "))
      let received = try Self.resets(lab, type: "TCPRESET_RECEIVE", in: pair.client)
      try Self.check(received, test, in: pair.client, from: pair.server, to: pair.client, reason: nil)
      #expect(received.label("tcp_state") == "ESTABLISHED")
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
      try Self.check(sent, test, in: pair.server, from: pair.server, to: pair.client, reason: "TCP_TIMEWAIT_SOCKET")
      #expect(sent.label("tcp_state") == "TIME_WAIT")
      #expect(sent.label("tcp_flags") == "PSH|ACK")
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
      try Self.check(sent, test, in: pair.server, from: pair.server, to: pair.client, reason: "NETFILTER_REJECT")
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
      try Self.check(sent, test, in: pair.server, from: pair.server, to: pair.client, reason: nil)
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
