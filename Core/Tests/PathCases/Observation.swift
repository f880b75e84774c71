public import NetSim
public import NetTypes

/// What the kernel did about a question.
public struct Observation: Codable, Hashable, Sendable {
  public var sender: SenderView
  /// The error's name and the call that told it.
  public var error: String?
  public var call: String?
  /// The sender's end of the packet, where there was a packet.
  public var source: IPAddress?
  public var sourcePort: UInt16
  public var arrivals: [Arrival]
  /// Everything that happened to the packet and to what answers it, in time.
  public var events: [RoledEvent]
  /// Counters of namespaces that moved, by their number in the plan; read only where nothing else proves a silence.
  public var counters: [String: [String: Int]]
  /// Milliseconds until the sender saw something, or until silence was certain.
  public var milliseconds: Int
  /// A silence that no drop and no counter explains.
  public var isUnproven: Bool
  /// Whether a TCP question waited for its SYN to be sent again.
  public var sawRetransmission: Bool

  /// Nothing seen yet.
  public init(source: IPAddress?, sourcePort: UInt16) {
    self.source = source
    self.sourcePort = sourcePort
    sender = .silence
    arrivals = []
    events = []
    counters = [:]
    milliseconds = 0
    isUnproven = false
    sawRetransmission = false
  }
}

/// A packet event, and what the packet was to the question.
public struct RoledEvent: Codable, Hashable, Sendable {
  public enum Role: String, Codable, Hashable, Sendable {
    /// The question's own packet.
    case forward
    /// The answer to it: SYN-ACK, reset, datagram, echo reply.
    case answer
    /// An ICMP error.
    case error
    /// A tunnel's outer packet around one of the others.
    case carrier
  }

  public var role: Role
  public var event: PacketEvent

  public init(role: Role, event: PacketEvent) {
    self.role = role
    self.event = event
  }
}

/// What came to a server.
public struct Arrival: Codable, Hashable, Sendable {
  /// The server's place in the plan.
  public var server: Int
  public var source: IPAddress
  public var sourcePort: UInt16
  /// The address that it was sent to, where the kernel tells.
  public var destination: IPAddress?
  /// The name of the error that the server's answer failed with.
  public var answerError: String?

  public init(server: Int, source: IPAddress, sourcePort: UInt16, destination: IPAddress?) {
    self.server = server
    self.source = source
    self.sourcePort = sourcePort
    self.destination = destination
  }
}
