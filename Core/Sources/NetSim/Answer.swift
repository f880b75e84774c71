public import NetTypes

/// What is sent.
public enum Transport: Hashable, Sendable {
  case tcp(UInt16)
  case udp(UInt16)
  /// An ICMP or ICMPv6 echo request.
  case icmp

  public var port: UInt16? {
    switch self {
    case .tcp(let port), .udp(let port): port
    case .icmp: nil
    }
  }
}

/// "What becomes of a packet from here to there?"
public struct PathQuestion: Hashable, Sendable {
  public var from: NetnsCookie
  public var destination: IPAddress
  public var transport: Transport
  /// The address that the program binds its socket to; nil leaves the choice to the kernel.
  public var source: IPAddress?
  /// The interface that the socket is bound to (SO_BINDTODEVICE).
  public var device: String?
  /// The owner of the socket: policy rules may look at it.
  public var uid: UInt32
  /// The socket's mark (SO_MARK).
  public var mark: UInt32
  /// Bytes of payload of a datagram or of an echo request. A TCP question is about the connection's beginning.
  public var payload: Int
  /// Datagram and echo request are sent with Don't Fragment (IP_PMTUDISC_DO).
  public var dontFragment: Bool

  public init(
    from: NetnsCookie, to destination: IPAddress, _ transport: Transport, source: IPAddress? = nil,
    device: String? = nil, uid: UInt32 = 0, mark: UInt32 = 0, payload: Int = 8, dontFragment: Bool = false
  ) {
    self.from = from
    self.destination = destination
    self.transport = transport
    self.source = source
    self.device = device
    self.uid = uid
    self.mark = mark
    self.payload = payload
    self.dontFragment = dontFragment
  }
}

/// What the sending program may see. TCP: a blocking connect(2) with 10 s of patience. UDP: a connected socket that sends
/// one datagram and waits for an answer. ICMP: ping(8), one echo request.
public enum SenderView: String, Hashable, Sendable, Codable, CaseIterable {
  /// connect(2) succeeds.
  case connected
  /// An answer comes.
  case reply
  /// ECONNREFUSED: a TCP reset or an ICMP port unreachable.
  case refused
  /// Any other local error, or error told by ICMP.
  case unreachable
  /// Nothing comes.
  case silence
  /// It depends on something that is not modelled or not known.
  case undecided
}

/// What became of the packet.
public enum Outcome: String, Hashable, Sendable, Codable, CaseIterable {
  /// It reached its socket or its namespace's ICMP, and no answer came back to the sender.
  case delivered
  /// It was delivered, and the answer came back.
  case answered
  /// It was lost without a word.
  case dropped
  /// It was refused, with a word: a reset, an ICMP error, or an error to the program at once.
  case rejected
  /// It went round in circles until its TTL ended, or the simulator's patience.
  case looped
  /// It left what the snapshots know.
  case left
  case undecided
}

/// Where something happens in the kernel.
public enum Stage: String, Hashable, Sendable, Codable, CaseIterable {
  case socket, rule, route, source, output, input, forward, neighbour, link, bridge, tunnel, macvlan, local, icmp
}

/// One step of a packet.
public struct Step: Hashable, Sendable {
  public var netns: NetnsCookie
  public var stage: Stage
  /// The interface, where one is concerned.
  public var device: String?
  /// What was done, one line.
  public var text: String
  /// The deciding object as its own tool prints it: a rule, a route, an FDB entry, a sysctl, a socket.
  public var object: String?

  public init(netns: NetnsCookie, stage: Stage, device: String? = nil, text: String, object: String? = nil) {
    self.netns = netns
    self.stage = stage
    self.device = device
    self.text = text
    self.object = object
  }
}

/// Where a packet was dropped.
public struct DropPoint: Hashable, Sendable {
  public var netns: NetnsCookie
  public var device: String?
  /// The kernel's name for it without SKB_DROP_REASON_ (include/net/dropreason-core.h, Linux 6.18). Nil for a packet that no
  /// kernel buffer ever held: the system call failed.
  public var reason: String?

  public init(netns: NetnsCookie, device: String?, reason: String?) {
    self.netns = netns
    self.device = device
    self.reason = reason
  }
}

/// How a packet ended.
public enum TraceEnd: Hashable, Sendable {
  /// In a socket, or in the kernel's own ICMP.
  case delivered(NetnsCookie)
  case dropped(DropPoint)
  /// An answer that refuses it was sent: reset, ICMP error.
  case rejected(DropPoint)
  /// The system call failed with this error's name, e.g. `ENETUNREACH`.
  case failed(String)
  case looped
  /// Through this interface, out of what is known.
  case left(NetnsCookie, device: String)
  case undecided(String)
}

/// The addresses and ports of a packet as it is at some time.
public struct Tuple: Hashable, Sendable {
  public var ipProtocol: IPProtocol
  public var source: IPAddress
  public var destination: IPAddress
  public var sourcePort: UInt16
  public var destinationPort: UInt16

  public init(
    _ ipProtocol: IPProtocol, source: IPAddress, destination: IPAddress, sourcePort: UInt16 = 0,
    destinationPort: UInt16 = 0
  ) {
    self.ipProtocol = ipProtocol
    self.source = source
    self.destination = destination
    self.sourcePort = sourcePort
    self.destinationPort = destinationPort
  }
}

extension Tuple {
  /// Of an answer.
  var reversed: Tuple {
    Tuple(
      ipProtocol, source: destination, destination: source, sourcePort: destinationPort, destinationPort: sourcePort)
  }
}

/// The way of one packet.
public struct Trace: Hashable, Sendable {
  /// What this packet is: `SYN`, `datagram`, `echo request`, `SYN-ACK`, `reset`, `port unreachable`, …
  public var what: String
  public var tuple: Tuple
  public var steps: [Step]
  public var end: TraceEnd
  /// The interfaces that it left namespaces by, in order.
  public var egress: [Egress]

  public init(
    what: String, tuple: Tuple, steps: [Step] = [], end: TraceEnd = .undecided("not begun"), egress: [Egress] = []
  ) {
    self.what = what
    self.tuple = tuple
    self.steps = steps
    self.end = end
    self.egress = egress
  }
}

/// An interface that a packet was sent by.
public struct Egress: Hashable, Sendable {
  public var netns: NetnsCookie
  public var device: String

  public init(netns: NetnsCookie, device: String) {
    self.netns = netns
    self.device = device
  }
}

/// One of the ways that things may go: one next hop of several, one answer of several.
public struct Branch: Hashable, Sendable {
  /// What was chosen to come here, e.g. `via 10.0.0.2`; empty when there was no choice.
  public var choices: [String]
  public var sender: SenderView
  public var outcome: Outcome
  public var forward: Trace
  /// The answer, and answers to it.
  public var answers: [Trace]
  /// What this branch assumes that nobody knows.
  public var assumptions: [String]

  public init(
    choices: [String], sender: SenderView, outcome: Outcome, forward: Trace, answers: [Trace], assumptions: [String]
  ) {
    self.choices = choices
    self.sender = sender
    self.outcome = outcome
    self.forward = forward
    self.answers = answers
    self.assumptions = assumptions
  }
}

/// The simulator's answer.
public struct PathAnswer: Hashable, Sendable {
  /// All ways, in a fixed order.
  public var branches: [Branch]

  public init(branches: [Branch]) { self.branches = branches }

  /// What the sender may see, in the order of `SenderView`'s names. Where it depends on an assumption, `undecided` is among
  /// it.
  public var sender: [SenderView] {
    var views = Set(branches.map(\.sender))
    if views.count > 1, branches.contains(where: { !$0.assumptions.isEmpty }) { views.insert(.undecided) }
    return views.sorted { $0.rawValue < $1.rawValue }
  }

  /// That of all branches, or the worst of them: undecided, looped, dropped, rejected, left, delivered, answered.
  public var outcome: Outcome {
    let order: [Outcome] = [.undecided, .looped, .dropped, .rejected, .left, .delivered, .answered]
    let present = Set(branches.map(\.outcome))
    return order.first(where: present.contains) ?? .undecided
  }
}
