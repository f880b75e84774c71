import NetTypes
import PathCases

/// A world while it is being made: who is on which wire with which address, and the commands so far.
struct Sketch {
  struct Interface {
    var name: String
    var mac: MACAddress
    /// The wire that it is on; nil for ports of bridges and lower interfaces without addresses.
    var segment: Int?
    var v4: IPAddress?
    var v6: IPAddress?
    var kind: String
  }

  struct Node {
    var interfaces: [Interface] = []
    var loopback4: IPAddress?
    var loopback6: IPAddress?
    var isRouter = false
    /// Commands by stage, in the order that they are run.
    var links: [PlanCommand] = []
    var setup: [PlanCommand] = []
    var tables: [PlanCommand] = []
    var settings: [PlanCommand] = []
  }

  /// One layer 2 network with its addresses.
  struct Segment {
    var v4: IPPrefix
    var v6: IPPrefix
    var members: [(node: Int, interface: Int)] = []
    /// Bytes that a tunnel takes from the MTU.
    var overhead = 0
  }

  var random: SplitMix
  var nodes: [Node]
  var segments: [Segment] = []
  var topology = ""
  /// Commands that spoil or adorn the world, last.
  var changes: [PlanCommand] = []
  var servers: [ServerPlan] = []
  private var nextIndex = 10

  init(random: SplitMix, nodes count: Int) {
    self.random = random
    nodes = Array(repeating: Node(), count: count)
  }

  // MARK: names

  /// Interface indices that no other interface of the world has: a veth whose ends have equal ones is only brought up after
  /// a second (net/core/link_watch.c linkwatch_urgent_event).
  mutating func index() -> Int {
    nextIndex += 1
    return nextIndex
  }

  mutating func mac() -> MACAddress {
    MACAddress(value: 0x0200_0000_0000 | UInt64(nextIndex) << 8 | UInt64(random.below(256)))
  }

  func free(_ stem: String, in node: Int) -> String {
    var number = 0
    while nodes[node].interfaces.contains(where: { $0.name == "\(stem)\(number)" }) { number += 1 }
    return "\(stem)\(number)"
  }

  mutating func newSegment() -> Int {
    let number = UInt32(segments.count + 1)
    segments.append(
      Segment(
        v4: IPPrefix(IPAddress(v4: 10 << 24 | number << 16), length: 24)!,
        v6: IPPrefix(IPAddress(v6High: 0xfd00_0000_0000_0000 | UInt64(number), low: 0), length: 64)!))
    return segments.count - 1
  }

  func address4(_ segment: Int, host: Int) -> IPAddress {
    IPAddress(v4: UInt32(truncatingIfNeeded: segments[segment].v4.address.low) | UInt32(host))
  }

  func address6(_ segment: Int, host: Int) -> IPAddress {
    IPAddress(v6High: segments[segment].v6.address.high, low: UInt64(host))
  }

  // MARK: wires

  mutating func link(_ node: Int, _ text: String) { nodes[node].links.append(PlanCommand(node, .ip, text)) }

  mutating func setUp(_ node: Int, _ text: String, feature: String? = nil) {
    nodes[node].setup.append(PlanCommand(node, .ip, text, feature: feature))
  }

  /// Adds an interface that exists to a node.
  mutating func attach(_ node: Int, _ name: String, _ mac: MACAddress, kind: String) -> Int {
    nodes[node].interfaces.append(Interface(name: name, mac: mac, kind: kind))
    setUp(node, "link set \(name) up")
    return nodes[node].interfaces.count - 1
  }

  /// A pair of interfaces between two namespaces (or inside one), without addresses.
  mutating func veth(_ a: Int, _ b: Int, _ stemA: String = "eth", _ stemB: String = "eth") -> (Int, Int) {
    let nameA = free(stemA, in: a)
    var nameB = free(stemB, in: b)
    if a == b, nameA == nameB { nameB = "\(nameB)p" }
    let (indexA, indexB) = (index(), index())
    let macA = mac()
    let macB = MACAddress(value: macA.value ^ 0x1_0000)
    let peer = a == b ? "" : " netns @\(b)"
    link(
      a,
      "link add name \(nameA) index \(indexA) address \(macA) type veth peer name \(nameB) index \(indexB) address \(macB)\(peer)"
    )
    return (attach(a, nameA, macA, kind: "veth"), attach(b, nameB, macB, kind: "veth"))
  }

  /// Gives an interface its place and its addresses on a wire.
  mutating func join(_ node: Int, _ interface: Int, _ segment: Int, host: Int? = nil) {
    let host = host ?? node + 1
    let name = nodes[node].interfaces[interface].name
    let (v4, v6) = (address4(segment, host: host), address6(segment, host: host))
    nodes[node].interfaces[interface].segment = segment
    nodes[node].interfaces[interface].v4 = v4
    nodes[node].interfaces[interface].v6 = v6
    segments[segment].members.append((node, interface))
    setUp(node, "addr add \(v4)/24 dev \(name)")
    setUp(node, "addr add \(v6)/64 dev \(name) nodad")
  }

  /// Two namespaces on a wire of their own.
  mutating func wire(_ a: Int, _ b: Int) {
    let (x, y) = veth(a, b)
    let segment = newSegment()
    if random.chance(15) {
      // A point-to-point network without a network's and a broadcast address (RFC 3021), or two single addresses.
      pointToPoint(a, x, b, y, segment)
    } else {
      join(a, x, segment)
      join(b, y, segment)
    }
  }

  private mutating func pointToPoint(_ a: Int, _ x: Int, _ b: Int, _ y: Int, _ segment: Int) {
    let single = random.chance(50)
    for (node, interface, other, host) in [(a, x, b, 0), (b, y, a, 1)] {
      let (mine, theirs) = (address4(segment, host: host + 2), address4(segment, host: 3 - host))
      let (mine6, theirs6) = (address6(segment, host: host + 2), address6(segment, host: 3 - host))
      let name = nodes[node].interfaces[interface].name
      nodes[node].interfaces[interface].segment = segment
      nodes[node].interfaces[interface].v4 = mine
      nodes[node].interfaces[interface].v6 = mine6
      segments[segment].members.append((node, interface))
      _ = other
      if single {
        setUp(node, "addr add \(mine) peer \(theirs)/32 dev \(name)", feature: "address.peer")
        setUp(node, "addr add \(mine6) peer \(theirs6)/128 dev \(name) nodad", feature: "address.peer")
      } else {
        setUp(node, "addr add \(mine)/31 dev \(name)", feature: "address.31")
        setUp(node, "addr add \(mine6)/127 dev \(name) nodad", feature: "address.127")
      }
    }
  }

  // MARK: results

  /// All commands, so ordered that few processes run them.
  func commands() -> [PlanCommand] {
    let numbers = nodes.indices
    return numbers.flatMap(Self.defaults) + numbers.flatMap { nodes[$0].links }
      + numbers.flatMap { node in
        // Families apart: each switch between them is a process.
        nodes[node].setup.filter { $0.tool == .ip } + nodes[node].setup.filter { $0.tool == .ip6 }
      }
      + numbers.flatMap { nodes[$0].tables } + numbers.flatMap { limits($0) + nodes[$0].settings } + changes
  }

  /// What every namespace begins with: quiet, without limits, and without what the machine's own settings pass on.
  private static func defaults(_ node: Int) -> [PlanCommand] {
    let lines = [
      "net.ipv4.ip_forward=0",
      "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0",
      "net.ipv4.conf.all.accept_redirects=0", "net.ipv4.conf.default.accept_redirects=0",
      "net.ipv4.conf.all.send_redirects=0", "net.ipv4.conf.default.send_redirects=0",
      "net.ipv4.icmp_ratelimit=0", "net.ipv4.icmp_ratemask=0", "net.ipv4.icmp_msgs_per_sec=100000",
      "net.ipv4.icmp_msgs_burst=100000", "net.ipv6.icmp.ratelimit=0", "net.ipv6.icmp.ratemask=255",
      "net.ipv4.tcp_no_metrics_save=1", "net.ipv4.route.mtu_expires=1", "net.ipv6.route.mtu_expires=1",
      "net.ipv6.conf.all.accept_redirects=0", "net.ipv6.conf.default.accept_redirects=0",
      "net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0",
      "net.ipv6.conf.default.dad_transmits=0", "net.ipv6.conf.default.accept_ra=0",
      "net.ipv6.conf.default.router_solicitations=0",
      // Reports of group memberships are done before anything is asked.
      "net.ipv6.conf.default.mldv2_unsolicited_report_interval=10",
      "net.ipv6.conf.default.mldv1_unsolicited_report_interval=10",
      "net.ipv4.conf.default.igmpv3_unsolicited_report_interval=10",
      "net.ipv4.conf.default.igmpv2_unsolicited_report_interval=10",
    ]
    return lines.map { PlanCommand(node, .sysctl, $0) } + [PlanCommand(node, .ip, "link set lo up")]
  }

  /// An unanswered question for a neighbour's address ends after 0.6 s.
  private func limits(_ node: Int) -> [PlanCommand] {
    nodes[node].interfaces.flatMap { interface -> [PlanCommand] in
      ["ipv4", "ipv6"].flatMap { family in
        ["retrans_time_ms=300", "mcast_solicit=2", "ucast_solicit=1", "app_solicit=0", "proxy_delay=0"].map {
          PlanCommand(node, .sysctl, "net.\(family).neigh.\(interface.name).\($0)")
        }
      }
    }
  }
}
