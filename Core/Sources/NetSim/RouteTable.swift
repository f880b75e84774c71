import NetModel
import NetTypes

/// The routes of one table, by prefix.
struct RouteTable: Sendable {
  /// Longest first; within a prefix in the kernel's order.
  private let levels: [(length: Int, routes: [IPAddress: [Route]])]

  init(_ routes: [Route]) {
    var byLength: [Int: [IPAddress: [Route]]] = [:]
    for route in routes {
      byLength[route.destination.length, default: [:]][route.destination.address, default: []].append(route)
    }
    levels = byLength.sorted { $0.key > $1.key }.map { ($0.key, $0.value) }
  }

  /// The routes whose destination holds `address`, longest prefix first.
  func candidates(_ address: IPAddress) -> [[Route]] {
    levels.compactMap { level in
      IPPrefix(address, length: level.length).flatMap { level.routes[$0.address] }
    }
  }
}

/// What a lookup looks for (struct flowi).
struct FlowKey: Hashable, Sendable {
  var source: IPAddress?
  var destination: IPAddress
  /// 1, the loopback interface, for what is sent from here.
  var inputInterface: Int32 = 1
  /// 0: any.
  var outputInterface: Int32 = 0
  var mark: UInt32 = 0
  var tos: UInt8 = 0
  var uid: UInt32 = 0
  var ipProtocol: IPProtocol?
  var sourcePort: ClosedRange<UInt16> = 0...0
  var destinationPort: UInt16 = 0
  /// IPv6: a way by this interface is better than an equal one (net/ipv6/route.c, rt6_score_route).
  var preferredInterface: Int32 = 0
  /// IPv6: no other interface will do (RT6_LOOKUP_F_IFACE).
  var isStrict = false
  /// IPv4: routes without carrier count even where they are to be ignored (FIB_LOOKUP_IGNORE_LINKSTATE).
  var ignoresLinkState = false

  /// Of a packet that is routed, whose ports policy rules may ask for.
  init(_ packet: Packet) {
    source = packet.tuple.source
    destination = packet.tuple.destination
    mark = packet.mark
    tos = packet.tos
    ipProtocol = packet.tuple.ipProtocol
    sourcePort = packet.sourcePortRange ?? packet.tuple.sourcePort...packet.tuple.sourcePort
    destinationPort = packet.tuple.destinationPort
  }

  init(source: IPAddress?, destination: IPAddress) {
    self.source = source
    self.destination = destination
  }
}

/// What a lookup found.
struct RouteResult: Sendable {
  var route: Route
  var nextHop: NextHop
  /// All that the flow's hash may choose from, `nextHop` being the first.
  var alternatives: [NextHop]
  var rule: PolicyRule?
}

/// A lookup without a usable route.
enum RouteFailure: Error, Hashable, Sendable {
  /// Nothing matches.
  case noRoute
  /// A rule or a route says so.
  case blackhole(String), unreachable(String), prohibit(String)
  /// A policy rule's own `unreachable`, which is another error than a route's.
  case ruleUnreachable(String)
  case undecided(String)
}
