import AgentApp
import Foundation
import LabSupport
import LinuxBPF
import LinuxSystem
import NetTypes
import PacketLoss
import ProbeCatalog
import ProbeKit
import Signals
import Testing

extension Lab {
  @Suite(.serialized) struct PacketLossInKernel {
    struct Case: Sendable, CustomTestStringConvertible {
      var family: IPAddress.Family
      var attachment: AttachMethod

      var testDescription: String { "IP\(family) by \(attachment.rawValue)" }

      static let all: [Case] = [IPAddress.Family.v4, .v6].flatMap { family in
        AttachMethod.allCases.map { Case(family: family, attachment: $0) }
      }
    }

    static func iptables(_ family: IPAddress.Family) -> String { family == .v4 ? "iptables" : "ip6tables" }

    /// Of an event, by name.
    static func values(_ event: Event) -> [String: String] {
      Dictionary(event.labels.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
    }

    @Test("a UDP datagram dropped by netfilter: every field", arguments: Case.all)
    func udpDrop(_ test: Case) throws {
      let pair = try LabPair()
      try pair.server.exec(Self.iptables(test.family), "-A", "INPUT", "-p", "udp", "--dport", "772", "-j", "DROP")
      let lab = try LabAgent("packetloss", attachments: [test.attachment])
      defer { lab.stop() }
      let before = Int64(Date().timeIntervalSince1970 * 1e9)
      let socket = try LabSocket(in: pair.client, test.family, .datagram)
      try socket.bind(LabPair.clientAddress(test.family), 258)
      try socket.send([1, 2, 3], to: LabPair.serverAddress(test.family), port: 772)
      let event = try lab.sink.first { $0.label("dport") == "772" && $0.label("k8s_pod") == "server" }
      let after = Int64(Date().timeIntervalSince1970 * 1e9)
      #expect(event.type == "PacketLoss")
      #expect((before...after).contains(event.timestamp))
      var values = Self.values(event)
      let location = values.removeValue(forKey: "location")
      #expect(["nft_do_chain", "nf_hook_slow"].contains(location), "nf_hook_slow may be inlined or a tail call")
      #expect(
        values == [
          "protocol": "UDP", "src": LabPair.clientAddress(test.family), "src_type": "pod", "src_node": "",
          "src_namespace": pair.client.namespace, "src_pod": "client", "dst": LabPair.serverAddress(test.family),
          "dst_type": "pod", "dst_node": "", "dst_namespace": pair.server.namespace, "dst_pod": "server",
          "sport": "258",
          "dport": "772", "k8s_node": "lab-node", "k8s_namespace": pair.server.namespace, "k8s_pod": "server",
          "reason": "NETFILTER_DROP", "netns": try pair.server.identity.cookie?.description ?? "", "interface": "eth0",
          "length": test.family == .v4 ? "31" : "51",
        ])
      #expect(event.labels.prefix(13).map(\.name) == LabelSet.tuple, "the contract's labels come first, in its order")
      let frames = event.message.split(separator: "\n")
      #expect(frames.allSatisfy { $0.contains("+0x") }, "\(event.message)")
      #expect(frames.contains { $0.hasPrefix(test.family == .v4 ? "ip_local_deliver" : "ip6_input") })
      #expect(frames.count > 10 && !event.message.contains("bpf_"))
      #expect(!event.explanation.isEmpty)
    }

    @Test("a SYN to a port that nobody listens on: reason, flags, sequence number", arguments: Case.all)
    func closedPort(_ test: Case) throws {
      let pair = try LabPair()
      let lab = try LabAgent("packetloss", attachments: [test.attachment])
      defer { lab.stop() }
      let socket = try LabSocket(in: pair.client, test.family, .stream)
      try socket.bind(LabPair.clientAddress(test.family), 258)
      #expect(throws: (any Error).self) { try socket.connect(LabPair.serverAddress(test.family), 772) }
      let event = try lab.sink.first { $0.label("dport") == "772" && $0.label("k8s_pod") == "server" }
      #expect(event.label("protocol") == "TCP")
      #expect(event.label("sport") == "258")
      #expect(event.label("reason") == "NO_SOCKET")
      #expect(event.label("tcp_flags") == "SYN")
      #expect(event.label("tcp_state") == nil, "there is no socket")
      #expect(UInt32(event.label("seq") ?? "") != nil)
      #expect(event.label("ack_seq") == "0")
      #expect(event.label("location") == (test.family == .v4 ? "tcp_v4_rcv" : "tcp_v6_rcv"))
      #expect(event.label("process") == nil, "the kernel dropped it in softirq: whom it interrupted is no owner")
    }

    @Test(
      "with BTF from a file, raw or in an ELF file: raw tracepoints, the kernel's names, both families",
      arguments: [false, true])
    func fileBTF(isELF: Bool) throws {
      let folder = FileManager.default.temporaryDirectory.appending(path: "skoop-btf-\(UUID().uuidString)")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(at: folder) }
      let raw = folder.appending(path: "vmlinux.btf").path
      try Data(try Files.bytes("/sys/kernel/btf/vmlinux")).write(to: URL(fileURLWithPath: raw))
      let elf = folder.appending(path: "vmlinux").path
      try tool("clang", "-x", "c", "-c", "/dev/null", "-o", elf)
      try tool("llvm-objcopy", "--add-section", ".BTF=\(raw)", elf)
      let pair = try LabPair()
      let settings = ProbeSettings(arguments: ["eventsPerSecond": .integer(0)])
      let lab = try LabAgent(["packetloss", "tcpretrans", "tcpreset"].map { .init(id: $0, settings: settings) }) {
        $0.kernel = KernelFacts.current(for: ProbeCatalog.manifests, btf: .file(isELF ? elf : raw))
      }
      defer { lab.stop() }
      for status in lab.agent.runner.statuses {
        guard case .running(let loaded) = status.status else { continue }
        #expect(loaded.plan.chosen.allSatisfy { $0.attachment == .raw } && loaded.plan.missing.isEmpty)
      }
      for family in [IPAddress.Family.v4, .v6] {
        let socket = try LabSocket(in: pair.client, family, .stream)
        #expect(throws: (any Error).self) { try socket.connect(LabPair.serverAddress(family), 772) }
        let address = LabPair.serverAddress(family)
        let drop = try lab.sink.first { $0.type == "PacketLoss" && $0.label("dst") == address }
        #expect(drop.label("reason") == "NO_SOCKET")
        #expect(drop.label("k8s_pod") == "server")
        let reset = try lab.sink.first { $0.type == "TCPRESET_NOSOCK" && $0.label("src") == address }
        #expect(reset.label("pod") == "server")
      }
    }

    @Test("a packet dropped as it leaves names the process that sent it", arguments: Case.all)
    func ownProcess(_ test: Case) throws {
      let pair = try LabPair()
      try pair.client.exec(Self.iptables(test.family), "-A", "OUTPUT", "-p", "udp", "--dport", "772", "-j", "DROP")
      let lab = try LabAgent("packetloss", attachments: [test.attachment])
      defer { lab.stop() }
      let socket = try LabSocket(in: pair.client, test.family, .datagram)
      #expect(throws: (any Error).self) { try socket.send([1], to: LabPair.serverAddress(test.family), port: 772) }
      let event = try lab.sink.first { $0.label("dport") == "772" }
      #expect(event.label("k8s_pod") == "client")
      #expect(event.label("pid") == "\(ProcessInfo.processInfo.processIdentifier)")
      #expect(event.label("process")?.isEmpty == false)
      #expect(event.label("src_pod") == "client")
    }

    @Test("metrics count by tuple, by netfilter and by reason; ports are \"0\"", arguments: Case.all)
    func metrics(_ test: Case) throws {
      let pair = try LabPair()
      try pair.server.exec(Self.iptables(test.family), "-A", "INPUT", "-p", "udp", "--dport", "772", "-j", "DROP")
      let lab = try LabAgent("packetloss", events: false, attachments: [test.attachment])
      defer { lab.stop() }
      let socket = try LabSocket(in: pair.client, test.family, .datagram)
      for _ in 0..<5 { try socket.send([1], to: LabPair.serverAddress(test.family), port: 772) }
      let closed = try LabSocket(in: pair.client, test.family, .stream)
      try? closed.connect(LabPair.serverAddress(test.family), 773)
      usleep(50_000)
      let tuple = [
        "src": LabPair.clientAddress(test.family), "dst_pod": "server", "dst_type": "pod", "sport": "0", "dport": "0",
        "k8s_node": "lab-node", "dst_namespace": pair.server.namespace,
      ]
      let udp = tuple.merging(["protocol": "UDP"]) { $1 }
      let tcp = tuple.merging(["protocol": "TCP"]) { $1 }
      #expect(lab.metric("kubeskoop_packetloss_total", udp) == 5)
      #expect(lab.metric("kubeskoop_packetloss_netfilter", udp) == 5)
      #expect(lab.metric("kubeskoop_packetloss_total", tcp) == 1)
      #expect(lab.metric("kubeskoop_packetloss_netfilter", tcp) == 0)
      let place = ["k8s_node": "lab-node", "k8s_namespace": pair.server.namespace, "k8s_pod": "server"]
      #expect(
        lab.metric("kubeskoop_packetloss_by_reason_total", place.merging(["reason": "NETFILTER_DROP"]) { $1 }) == 5)
      #expect(lab.metric("kubeskoop_packetloss_by_reason_total", place.merging(["reason": "NO_SOCKET"]) { $1 }) == 1)
      #expect(try lab.account("packetloss").seen == 0, "the event side is off")
      #expect(lab.sink.count == 0)
    }

    @Test("events alone leave the counting maps empty")
    func eventsAlone() throws {
      let pair = try LabPair()
      let lab = try LabAgent("packetloss", metrics: false)
      defer { lab.stop() }
      let socket = try LabSocket(in: pair.client, .v4, .datagram)
      try socket.send([1], to: LabPair.serverAddress(.v4), port: 772)
      _ = try lab.sink.first { $0.label("dport") == "772" }
      #expect(lab.agent.runner.mapFill().allSatisfy { $0.entries == 0 })
      #expect(!lab.agent.scrape().contains { $0.description.name.hasPrefix("kubeskoop_") })
    }

    @Test("what is freed at close is counted as normal, and shown only on demand", arguments: [false, true])
    func normalDrops(show: Bool) throws {
      let pair = try LabPair()
      let lab = try LabAgent("packetloss", arguments: ["showNormal": .bool(show)])
      defer { lab.stop() }
      // Datagrams that nobody reads before the close.
      let receiver = try LabSocket(in: pair.server, .v4, .datagram)
      try receiver.bind(LabPair.serverAddress(.v4), 772)
      let sender = try LabSocket(in: pair.client, .v4, .datagram)
      for _ in 0..<3 { try sender.send([1], to: LabPair.serverAddress(.v4), port: 772) }
      usleep(50_000)
      receiver.close()
      usleep(300_000)
      // A datagram in a socket's queue has lost its device and never had an owner: where it is, nobody can tell.
      let function = ["location": "udp_destruct_common", "k8s_pod": "netns unknown"]
      #expect(lab.metric("kubeskoop_packetloss_normal_total", function) >= 3)
      #expect(lab.metric("kubeskoop_packetloss_by_reason_total", function) == 0)
      #expect(lab.metric("kubeskoop_packetloss_total", ["dst_namespace": pair.server.namespace]) == 0)
      let shown = lab.sink.events.filter { $0.label("dport") == "772" }
      #expect(show ? shown.count >= 3 && shown.allSatisfy { $0.label("normal") == "true" } : shown.isEmpty)
      if !show { #expect(try lab.account("packetloss").hidden >= 3) }
    }

    @Test("an ordinary TCP conversation makes no loss", arguments: [IPAddress.Family.v4, .v6])
    func quiet(family: IPAddress.Family) throws {
      let pair = try LabPair()
      let lab = try LabAgent("packetloss")
      defer { lab.stop() }
      let connection = try LabConnection(pair, family)
      for _ in 0..<20 {
        try connection.client.send([UInt8](repeating: 7, count: 2000))
        _ = try connection.server.receive()
        try connection.server.send([1])
        _ = try connection.client.receive()
      }
      connection.client.close()
      _ = try connection.server.receive()
      connection.server.close()
      connection.listener.close()
      usleep(300_000)
      let mine = lab.sink.events.filter {
        [pair.client.namespace, pair.server.namespace].contains($0.label("k8s_namespace"))
      }
      #expect(mine.isEmpty, "\(mine.map { EventText.line($0) + "\n" + $0.stack })")
    }

    @Test("without reasons from the kernel (before 5.17) the stack gives one, marked as derived")
    func derived() throws {
      let pair = try LabPair()
      try pair.server.exec("iptables-legacy", "-A", "INPUT", "-p", "udp", "--dport", "772", "-j", "DROP")
      // The program is told that the tracepoint has two arguments, as on 5.10: it must not read the third.
      let lab = try LabAgent([
        .init(id: "packetloss", settings: ProbeSettings(arguments: ["eventsPerSecond": .integer(0)]))
      ]) {
        $0.kernel = KernelFacts.current(for: [PacketLoss.manifest]).pretending(argumentsOfTracepoints: ["kfree_skb": 2])
      }
      defer { lab.stop() }
      let socket = try LabSocket(in: pair.client, .v4, .datagram)
      try socket.send([1], to: LabPair.serverAddress(.v4), port: 772)
      try socket.send([1], to: LabPair.serverAddress(.v4), port: 773)
      let dropped = try lab.sink.first { $0.label("dport") == "772" }
      #expect(dropped.label("reason") == "NETFILTER_DROP", "\(dropped.stack)")
      #expect(dropped.label("reason_source") == "derived")
      let refused = try lab.sink.first { $0.label("dport") == "773" }
      #expect(refused.label("reason") == "NO_SOCKET")
      #expect(refused.label("reason_source") == "derived")
      let place = ["k8s_pod": "server", "k8s_namespace": pair.server.namespace]
      #expect(
        lab.metric("kubeskoop_packetloss_by_reason_total", place.merging(["reason": "derived:NETFILTER_DROP"]) { $1 })
          == 1)
      #expect(lab.metric("kubeskoop_packetloss_netfilter", ["dst_namespace": pair.server.namespace]) == 1)
    }

    @Test("a neighbour that does not answer: where the kernel gives no reason, its function explains")
    func silentNeighbour() throws {
      let pair = try LabPair()
      let lab = try LabAgent("packetloss")
      defer { lab.stop() }
      // Nobody has the last address of the network.
      let nobody = String(LabPair.serverAddress(.v4).dropLast()) + "254"
      let socket = try LabSocket(in: pair.client, .v4, .datagram)
      try socket.send([1], to: nobody, port: 772)
      let event = try lab.sink.first { $0.label("dst") == nobody && $0.label("protocol") == "UDP" }
      #expect(["NOT_SPECIFIED", "NEIGH_FAILED"].contains(event.label("reason")))
      #expect(event.label("k8s_pod") == "client")
      #expect(event.label("dst_type") == "unknown")
      #expect(event.explanation.contains(DropReasonTexts.explanation(of: "NEIGH_FAILED") ?? "?"), "\(event)")
      #expect(event.label("process") == nil, "a timer gave up")
    }

    @Test("a drop in one namespace of a packet from another: k8s_* says where, src_* and dst_* whose")
    func hostSide() throws {
      // client — router — server: the router's FORWARD drops.
      let router = try LabPod("router")
      let client = try LabPod("client")
      let server = try LabPod("server")
      for (pod, number) in [(client, 1), (server, 2)] {
        try tool(
          "ip", "-n", pod.netns, "link", "add", "eth0", "type", "veth", "peer", "name", "veth\(number)", "netns",
          router.netns)
        try tool("ip", "-n", pod.netns, "addr", "add", "10.9.\(number).2/24", "dev", "eth0")
        try tool("ip", "-n", pod.netns, "link", "set", "eth0", "up")
        try tool("ip", "-n", router.netns, "addr", "add", "10.9.\(number).1/24", "dev", "veth\(number)")
        try tool("ip", "-n", router.netns, "link", "set", "veth\(number)", "up")
        try tool("ip", "-n", pod.netns, "route", "add", "default", "via", "10.9.\(number).1")
      }
      try router.exec("sysctl", "-qw", "net.ipv4.ip_forward=1")
      try router.exec("iptables", "-A", "FORWARD", "-p", "udp", "--dport", "772", "-j", "DROP")
      let lab = try LabAgent("packetloss")
      defer { lab.stop() }
      let socket = try LabSocket(in: client, .v4, .datagram)
      try socket.send([1], to: "10.9.2.2", port: 772)
      let event = try lab.sink.first { $0.label("dport") == "772" }
      #expect(event.label("k8s_pod") == "router")
      #expect(event.label("interface") == "veth1" || event.label("interface") == "veth2")
      #expect(event.label("src_pod") == "client")
      #expect(event.label("dst_pod") == "server")
      #expect(event.label("process") == nil, "forwarded in softirq, on whose back ever")
    }
  }
}
