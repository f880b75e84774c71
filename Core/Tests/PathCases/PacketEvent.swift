public import NetTypes

/// What the kernel did with a packet at one place: it handed it to an interface, or dropped it.
public struct PacketEvent: Codable, Hashable, Sendable {
  public enum Kind: String, Codable, Hashable, Sendable { case transmission, drop }

  public var kind: Kind
  /// Nanoseconds since 1970.
  public var time: Int64
  public var netns: NetnsCookie
  public var device: String?
  public var ipProtocol: String
  public var source: IPAddress
  public var destination: IPAddress
  public var sourcePort: UInt16
  public var destinationPort: UInt16
  public var length: Int
  public var tcpFlags: String?
  public var icmpType: Int?
  public var icmpCode: Int?
  /// A transmission's TTL or hop limit, and a fragment's offset.
  public var hopsLeft: Int?
  public var fragment: Int?
  /// A drop's reason and kernel function, and whether it counts as no loss.
  public var reason: String?
  public var location: String?
  public var isNormal: Bool

  public init(
    kind: Kind, time: Int64, netns: NetnsCookie, device: String? = nil, ipProtocol: String, source: IPAddress,
    destination: IPAddress, sourcePort: UInt16 = 0, destinationPort: UInt16 = 0, length: Int = 0,
    tcpFlags: String? = nil, icmpType: Int? = nil, icmpCode: Int? = nil, hopsLeft: Int? = nil, fragment: Int? = nil,
    reason: String? = nil, location: String? = nil, isNormal: Bool = false
  ) {
    self.kind = kind
    self.time = time
    self.netns = netns
    self.device = device
    self.ipProtocol = ipProtocol
    self.source = source
    self.destination = destination
    self.sourcePort = sourcePort
    self.destinationPort = destinationPort
    self.length = length
    self.tcpFlags = tcpFlags
    self.icmpType = icmpType
    self.icmpCode = icmpCode
    self.hopsLeft = hopsLeft
    self.fragment = fragment
    self.reason = reason
    self.location = location
    self.isNormal = isNormal
  }
}
