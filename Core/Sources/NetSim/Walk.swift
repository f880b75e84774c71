import NetModel
import NetTypes

/// One run: the world, the choices of this run, what its packets have taught the nodes on their way, and the packet that is
/// under way.
struct Walk {
  let world: World
  var choices: Choices
  var learned = Learned()
  /// Of the packet under way.
  var trace: Trace
  /// Frames and hops that may still come: a bound for worlds with loops.
  var budget = 2000
  /// The socket that asks, and what answers to it look like.
  var asking: (netns: Int, answer: Tuple)?
  /// The interfaces that the packet under way has been sent by; inside a tunnel, its carrier's too.
  var path: [Egress] = []
  /// Interfaces that the frame under way has been sent by, one through the other: bridges, tunnels.
  var linkDepth = 0
  static let deepestLink = 24
  /// Bridges that the frame under way has been through.
  var crossed: Set<Crossing> = []

  struct Crossing: Hashable {
    var bridge: DeviceRef
    var frame: Frame
  }
  /// While > 0, what happens is not the packet's own (an ARP request, say) and goes to `asides`.
  private var depth = 0
  /// What stopped frames that are not the packet itself.
  var asides: [String] = []

  init(_ world: World, script: [Int], trace: Trace) {
    self.world = world
    choices = Choices(script: script)
    self.trace = trace
  }

  mutating func note(
    _ stage: Stage, _ netns: Int, _ device: String? = nil, _ text: String, object: String? = nil
  ) {
    guard depth == 0 else { return }
    trace.steps.append(
      Step(netns: world.namespaces[netns].snapshot.id, stage: stage, device: device, text: text, object: object))
  }

  var isAside: Bool { depth > 0 }

  /// Runs `body` for frames that are not the packet under way.
  mutating func aside<Result>(_ body: (inout Walk) throws(Undecided) -> Result) throws(Undecided) -> Result {
    depth += 1
    defer { depth -= 1 }
    return try body(&self)
  }

  mutating func spend() throws(Undecided) {
    budget -= 1
    if budget < 0 { throw Undecided(reason: "the packet goes round in circles") }
  }

  /// The TTL or hop limit of what is sent (ip_select_ttl, ip6_dst_hoplimit).
  func hopLimit(_ route: OutputRoute) -> Int {
    let netns = world.namespaces[route.device.netns]
    if route.source.family == .v4 { return netns.sysctl("net.ipv4.ip_default_ttl", 64) }
    return Int(netns.link(route.device.index)?.ipv6?.hopLimit ?? 64)
  }

  /// Whether a next hop's gateway is known to be gone (NUD_FAILED and the like).
  func isGone(_ hop: NextHop, _ netns: Namespace) -> Bool {
    guard let interface = hop.interface, let gateway = hop.gateway else { return false }
    let key = Learned.NeighbourKey(netns: netns.snapshot.id, interface: interface, address: gateway)
    if learned.macs[key] != nil { return false }
    if learned.failed.contains(key) { return true }
    return netns.neighbour(interface, gateway).map { !$0.state.isUsable } ?? false
  }

  func dropPoint(_ netns: Int, _ device: String?, _ reason: String?) -> DropPoint {
    DropPoint(netns: world.namespaces[netns].snapshot.id, device: device, reason: reason)
  }

  /// Ends the run where netfilter has rules.
  func checkNetfilter(_ netns: Int) throws(Undecided) {
    if let reason = world.namespaces[netns].netfilter { throw Undecided(reason: reason) }
  }
}

/// What nodes have learned from the packets of this run.
struct Learned: Hashable, Sendable {
  struct NeighbourKey: Hashable, Sendable {
    var netns: NetnsCookie
    var interface: Int32
    var address: IPAddress
  }

  struct FDBKey: Hashable, Sendable {
    var device: DeviceRef
    var mac: MACAddress
  }

  var macs: [NeighbourKey: MACAddress] = [:]
  /// Who asked others by ARP, and was heard here without an entry for it.
  var heard: [NeighbourKey: MACAddress] = [:]
  /// Neighbours that did not answer.
  var failed: Set<NeighbourKey> = []
  /// Ports of bridges by the bridge and the address.
  var ports: [FDBKey: Int32] = [:]
  /// Remotes of vxlans by the vxlan and the address.
  var remotes: [FDBKey: IPAddress] = [:]
}

/// Where a packet is to leave, and how.
struct OutputRoute: Sendable {
  /// The interface; loopback for what stays here.
  var device: DeviceRef
  var isLocal: Bool
  /// Broadcast or multicast.
  var type: RouteType
  /// What the neighbour table is asked for; nil: the destination itself.
  var gateway: IPAddress?
  var source: IPAddress
  /// Bytes.
  var mtu: Int
  /// The interface that a local packet is taken to arrive by: the one that has the address.
  var arrivalInterface: Int32
  /// Quoted.
  var object: String?
}

/// Why something cannot be sent.
enum SendError: Error {
  /// The errno's name, and why.
  case failed(String, String)
  case undecided(String)
}

/// How a packet came to an end or to its node.
enum Arrival {
  /// It is for this node. `interface` is what sockets see as its input interface.
  case local(LocalArrival)
  case ended(TraceEnd)
  /// It was refused by an ICMP error that this node wants to send.
  case refused(DropPoint, ICMPError, by: ErrorSource)
}

struct LocalArrival {
  var netns: Int
  var interface: Int32
  var locality = Locality.unicast
  /// It never left the node.
  var isOwn = false
  /// By link layer broadcast.
  var isLinkBroadcast = false
}

/// What is needed to send an ICMP error.
struct ErrorSource {
  var netns: Int
  /// The interface that the packet came in by; nil when it was made here.
  var inputInterface: Int32?
  /// The destination is this node's own.
  var isForUs: Bool
}
