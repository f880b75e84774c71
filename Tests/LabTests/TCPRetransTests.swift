import AgentApp
import Foundation
import Glibc
import LabSupport
import NetTypes
import ProbeKit
import Signals
import Testing

extension Lab {
  @Suite(.serialized) struct TCPRetransInKernel {
    typealias Case = PacketLossInKernel.Case

    /// Every label. `others`: those that depend on the case, where a retransmission has them; numbers that nobody can foresee
    /// are only numbers. `mayBeOurs`: TCP may have worked in our own system call.
    static func check(
      _ event: Event, _ test: Case, from source: LabPod, to destination: LabPod, kind: String, isReply: Bool = false,
      mayBeOurs: Bool = false, others: [String: String]
    ) throws {
      let ends =
        isReply
        ? (LabPair.serverAddress(test.family), LabPair.clientAddress(test.family))
        : (LabPair.clientAddress(test.family), LabPair.serverAddress(test.family))
      let ports = isReply ? ("772", "258") : ("258", "772")
      var values = PacketLossInKernel.values(event)
      for name in ["seq", "ack_seq", "end_seq"] {
        #expect(values.removeValue(forKey: name).flatMap { UInt32($0) } != nil, "\(name) of \(kind)")
      }
      let process = (values.removeValue(forKey: "process"), values.removeValue(forKey: "pid"))
      if mayBeOurs {
        #expect(process.1 == nil || process.1 == "\(ProcessInfo.processInfo.processIdentifier)")
      } else {
        #expect(process.0 == nil && process.1 == nil, "a timer is nobody's")
      }
      #expect(values["kind"] == kind, "\(EventText.line(event))\n\(event.stack)")
      let expected = [
        "protocol": "TCP", "src": ends.0, "src_type": "pod", "src_node": "", "src_namespace": source.namespace,
        "src_pod": source.name, "dst": ends.1, "dst_type": "pod", "dst_node": "",
        "dst_namespace": destination.namespace, "dst_pod": destination.name, "sport": ports.0, "dport": ports.1,
        "k8s_node": "lab-node", "k8s_namespace": source.namespace, "k8s_pod": source.name, "kind": kind,
        "netns": try source.identity.cookie?.description ?? "",
      ].merging(others) { $1 }
      #expect(values == expected, "\(values.filter { expected[$0.key] != $0.value })")
      #expect(event.type == "TCPRetrans")
      #expect(event.labels.prefix(13).map(\.name) == LabelSet.tuple)
    }

    @Test("a SYN without answer", arguments: Case.all)
    func syn(_ test: Case) throws {
      let pair = try LabPair()
      try pair.server.exec(
        PacketLossInKernel.iptables(test.family), "-A", "INPUT", "-p", "tcp", "--dport", "772", "-j", "DROP")
      let lab = try LabAgent("tcpretrans", attachments: [test.attachment])
      defer { lab.stop() }
      let socket = try LabSocket(in: pair.client, test.family, .stream)
      try socket.bind(LabPair.clientAddress(test.family), 258)
      socket.connectLater(LabPair.serverAddress(test.family), 772)
      let event = try lab.sink.first { $0.label("k8s_namespace") == pair.client.namespace }
      try Self.check(
        event, test, from: pair.client, to: pair.server, kind: "syn",
        others: ["tcp_flags": "SYN", "tcp_state": "SYN_SENT", "interface": "eth0"])
      #expect(event.message.contains("tcp_retransmit_timer+0x"), "the contract's message is the stack")
      #expect(event.label("end_seq") == event.label("seq").flatMap { UInt32($0) }.map { "\($0 &+ 1)" })
      #expect(
        lab.metric(
          "kubeskoop_tcpretrans_total", ["sport": "258", "dport": "772", "src_pod": "client", "dst_pod": "server"])
          >= 1)
      #expect(
        lab.metric(
          "kubeskoop_tcpretrans_by_kind_total",
          ["kind": "syn", "outcome": "sent", "k8s_namespace": pair.client.namespace])
          >= 1)
    }

    @Test("a SYN-ACK without answer", arguments: Case.all)
    func synAck(_ test: Case) throws {
      let pair = try LabPair()
      try pair.client.exec(
        PacketLossInKernel.iptables(test.family), "-A", "INPUT", "-p", "tcp", "--sport", "772", "-j", "DROP")
      let lab = try LabAgent("tcpretrans", attachments: [test.attachment])
      defer { lab.stop() }
      let listener = try LabSocket(in: pair.server, test.family, .stream)
      try listener.bind(LabPair.serverAddress(test.family), 772)
      try listener.listen()
      let socket = try LabSocket(in: pair.client, test.family, .stream)
      try socket.bind(LabPair.clientAddress(test.family), 258)
      socket.connectLater(LabPair.serverAddress(test.family), 772)
      let event = try lab.sink.first { $0.label("k8s_namespace") == pair.server.namespace }
      try Self.check(
        event, test, from: pair.server, to: pair.client, kind: "syn-ack", isReply: true,
        others: ["tcp_flags": "SYN|ACK", "tcp_state": "NEW_SYN_RECV"])
    }

    @Test("data that is never acknowledged: first a tail loss probe, then the timeout", arguments: Case.all)
    func timeout(_ test: Case) throws {
      let pair = try LabPair()
      let lab = try LabAgent("tcpretrans", attachments: [test.attachment])
      defer { lab.stop() }
      let connection = try LabConnection(pair, test.family)
      try pair.server.exec(
        PacketLossInKernel.iptables(test.family), "-A", "INPUT", "-p", "tcp", "--dport", "772", "-j", "DROP")
      try connection.client.send([UInt8](repeating: 1, count: 100))
      let probe = try lab.sink.first {
        $0.label("kind") == "tail-loss" && $0.label("k8s_namespace") == pair.client.namespace
      }
      let data = ["tcp_flags": "PSH|ACK", "tcp_state": "ESTABLISHED", "interface": "eth0", "length": "100"]
      try Self.check(probe, test, from: pair.client, to: pair.server, kind: "tail-loss", others: data)
      let timeout = try lab.sink.first {
        $0.label("kind") == "timeout" && $0.label("k8s_namespace") == pair.client.namespace
      }
      try Self.check(timeout, test, from: pair.client, to: pair.server, kind: "timeout", others: data)
      let seq = timeout.label("seq").flatMap { UInt32($0) } ?? 0
      #expect(timeout.label("end_seq") == "\(seq &+ 100)")
    }

    @Test("one segment lost among others: fast retransmission", arguments: Case.all)
    func fast(_ test: Case) throws {
      let pair = try LabPair()
      let lab = try LabAgent("tcpretrans", attachments: [test.attachment])
      defer { lab.stop() }
      let connection = try LabConnection(pair, test.family)
      connection.client.set(Int32(IPPROTO_TCP), TCP_NODELAY, 1)
      // The fourth data segment from now on is lost, once in a thousand.
      try pair.server.exec(
        PacketLossInKernel.iptables(test.family), "-A", "INPUT", "-p", "tcp", "--dport", "772", "-m", "length",
        "--length",
        "200:1500", "-m", "statistic", "--mode", "nth", "--every", "1000", "--packet", "3", "-j", "DROP")
      for _ in 0..<12 {
        try connection.client.send([UInt8](repeating: 1, count: 300))
      }
      let event = try lab.sink.first { $0.label("k8s_namespace") == pair.client.namespace }
      try Self.check(
        event, test, from: pair.client, to: pair.server, kind: "fast", mayBeOurs: true,
        others: ["tcp_flags": "PSH|ACK", "tcp_state": "ESTABLISHED", "interface": "eth0", "length": "300"])
    }

    @Test(
      "an attempt that this host cannot send is counted apart",
      .enabled(
        if: LabKernel.tellsFailedRetransmissions, "before 6.15 the tracepoint tells of successful attempts only"),
      arguments: Case.all)
    func failed(_ test: Case) throws {
      let pair = try LabPair()
      let lab = try LabAgent("tcpretrans", attachments: [test.attachment])
      defer { lab.stop() }
      let connection = try LabConnection(pair, test.family)
      // The first transmission is lost at the server; from the next on the client's own rule refuses them.
      let rule = [PacketLossInKernel.iptables(test.family), "-p", "tcp", "--dport", "772", "-j", "DROP"]
      try pair.server.exec([rule[0], "-A", "INPUT"] + rule[1...])
      try connection.client.send([1, 2, 3])
      try pair.client.exec([rule[0], "-A", "OUTPUT"] + rule[1...])
      let event = try lab.sink.first { $0.label("error") != nil && $0.label("k8s_namespace") == pair.client.namespace }
      #expect(event.label("error") == "EPERM")
      #expect(event.label("dport") == "772")
      let labels = ["src_namespace": pair.client.namespace, "sport": "258", "dport": "772"]
      #expect(lab.metric("kubeskoop_tcpretrans_failed_total", labels) >= 1)
      #expect(
        lab.metric(
          "kubeskoop_tcpretrans_by_kind_total", ["k8s_namespace": pair.client.namespace, "outcome": "failed"]) >= 1)
    }
  }
}
