public import NetTypes

/// A world as it is to be made: what is typed into which namespace, which servers run there, and what is asked. Plain text,
/// so that a world that showed a mistake can be read, cut down and kept.
public struct WorldPlan: Codable, Hashable, Sendable {
  /// Where it came from.
  public var seed: UInt64
  public var topology: String
  public var namespaces: Int
  public var commands: [PlanCommand]
  public var servers: [ServerPlan]
  public var questions: [QuestionPlan]

  public init(
    seed: UInt64, topology: String, namespaces: Int, commands: [PlanCommand] = [], servers: [ServerPlan] = [],
    questions: [QuestionPlan] = []
  ) {
    self.seed = seed
    self.topology = topology
    self.namespaces = namespaces
    self.commands = commands
    self.servers = servers
    self.questions = questions
  }
}

/// One line for ip(8), bridge(8) or sysctl(8). `@2` in its text stands for namespace 2.
public struct PlanCommand: Codable, Hashable, Sendable {
  public enum Tool: String, Codable, Hashable, Sendable {
    case ip, bridge, sysctl
    /// Rules and routes of IPv6 whose words do not show the family.
    case ip6 = "ip -6"
  }

  public var netns: Int
  public var tool: Tool
  public var text: String
  /// What of the generator made it; nil for what every world has.
  public var feature: String?
  /// One of the changes, made when the world was sane and its servers ran.
  public var isChange = false

  public init(_ netns: Int, _ tool: Tool, _ text: String, feature: String? = nil) {
    self.netns = netns
    let isSix = tool == .ip && text.hasPrefix("-6 ")
    self.tool = isSix ? .ip6 : tool
    self.text = isSix ? String(text.dropFirst(3)) : text
    self.feature = feature
  }
}

/// A server that echoes what it gets.
public struct ServerPlan: Codable, Hashable, Sendable {
  public enum Kind: String, Codable, Hashable, Sendable { case tcp, udp }

  public var netns: Int
  public var kind: Kind
  public var address: IPAddress
  public var port: UInt16
  /// `::` that takes no IPv4.
  public var v6Only: Bool
  public var device: String?
  /// A listener whose queue of connections is full: nobody accepts.
  public var isFull: Bool

  public init(
    netns: Int, kind: Kind, address: IPAddress, port: UInt16, v6Only: Bool = false, device: String? = nil,
    isFull: Bool = false
  ) {
    self.netns = netns
    self.kind = kind
    self.address = address
    self.port = port
    self.v6Only = v6Only
    self.device = device
    self.isFull = isFull
  }
}

/// `PathQuestion` with namespaces by their number in the plan.
public struct QuestionPlan: Codable, Hashable, Sendable {
  public enum Kind: String, Codable, Hashable, Sendable, CaseIterable { case tcp, udp, icmp }

  public var from: Int
  public var destination: IPAddress
  public var kind: Kind
  public var port: UInt16
  public var source: IPAddress?
  public var device: String?
  public var uid: UInt32
  public var mark: UInt32
  public var payload: Int
  public var dontFragment: Bool

  public init(
    from: Int, to destination: IPAddress, _ kind: Kind, port: UInt16 = 0, source: IPAddress? = nil,
    device: String? = nil, uid: UInt32 = 0, mark: UInt32 = 0, payload: Int = 8, dontFragment: Bool = false
  ) {
    self.from = from
    self.destination = destination
    self.kind = kind
    self.port = port
    self.source = source
    self.device = device
    self.uid = uid
    self.mark = mark
    self.payload = payload
    self.dontFragment = dontFragment
  }
}
