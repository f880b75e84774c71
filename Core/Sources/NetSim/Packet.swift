import NetTypes

/// A packet on its way.
struct Packet: Hashable, Sendable {
  /// What it carries.
  enum Content: Hashable, Sendable {
    case syn, synAck, reset
    case datagram
    case echoRequest, echoReply
    indirect case error(ICMPError, about: Packet)
    /// A frame in a VXLAN datagram.
    indirect case vxlan(Frame, vni: UInt32)
  }

  var content: Content
  var tuple: Tuple
  var sourcePortRange: ClosedRange<UInt16>?
  /// Bytes of the IP packet, or of its largest fragment.
  var length: Int
  var isFragmented = false
  var dontFragment: Bool
  var ttl: Int
  var tos: UInt8 = 0
  var mark: UInt32 = 0

  var family: IPAddress.Family { tuple.destination.family }

  /// For people.
  var name: String {
    switch content {
    case .syn: "SYN"
    case .synAck: "SYN-ACK"
    case .reset: "reset"
    case .datagram: "datagram"
    case .echoRequest: "echo request"
    case .echoReply: "echo reply"
    case .error(let error, _): error.name
    case .vxlan: "VXLAN datagram"
    }
  }

  /// No ICMP error answers an ICMP error (RFC 1122 §3.2.2, RFC 4443 §2.4).
  var isError: Bool {
    if case .error = content { return true }
    return false
  }
}

/// ICMP errors, of both families (RFC 792, RFC 4443 §3).
struct ICMPError: Hashable, Sendable {
  enum Kind: Hashable, Sendable {
    case networkUnreachable, hostUnreachable, portUnreachable, prohibited, tooBig, timeExceeded
    /// ICMPv6 beyond scope of source address.
    case beyondScope
  }

  var kind: Kind
  /// Bytes that would fit; for `tooBig`.
  var mtu = 0

  var name: String {
    switch kind {
    case .networkUnreachable: "network unreachable"
    case .hostUnreachable: "host unreachable"
    case .portUnreachable: "port unreachable"
    case .prohibited: "administratively prohibited"
    case .tooBig: "packet too big"
    case .timeExceeded: "time exceeded"
    case .beyondScope: "beyond scope of source address"
    }
  }
}

/// A frame on a link.
struct Frame: Hashable, Sendable {
  enum Payload: Hashable, Sendable {
    indirect case ip(Packet)
    case arpRequest(sender: IPAddress, senderMAC: MACAddress, target: IPAddress)
    case arpReply(sender: IPAddress, senderMAC: MACAddress, target: IPAddress)
    /// `source` is where the advertisement goes.
    case solicitation(source: IPAddress, sourceMAC: MACAddress, target: IPAddress)
    case advertisement(target: IPAddress, targetMAC: MACAddress, to: IPAddress)
  }

  var source: MACAddress
  var destination: MACAddress
  var payload: Payload

  /// Bytes behind the Ethernet header.
  var length: Int {
    switch payload {
    case .ip(let packet): packet.length
    case .arpRequest, .arpReply: 28
    case .solicitation, .advertisement: 72
    }
  }

  var family: IPAddress.Family {
    switch payload {
    case .ip(let packet): packet.family
    case .arpRequest, .arpReply: .v4
    case .solicitation, .advertisement: .v6
    }
  }
}

/// An interface of a namespace of the world.
struct DeviceRef: Hashable, Sendable {
  /// Into `World.namespaces`.
  var netns: Int
  var index: Int32
}

/// Something on the packet's path is there that is not modelled or not known: the run ends.
struct Undecided: Error {
  var reason: String
}
