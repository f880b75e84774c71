public import NetModel
public import NetTypes

extension NetlinkRequest {
  /// The TCP or UDP sockets of one family (sock_diag(7), struct inet_diag_req_v2) in the states whose bits are set.
  public static func sockets(_ kind: SocketEntry.Kind, _ family: IPAddress.Family, states: UInt32) -> Self {
    let number: UInt8 = kind == .tcp ? IPProtocol.tcp.rawValue : IPProtocol.udp.rawValue
    return Self(20, fixed: [family.number, number, 0, 0] + bytes(states) + Array(repeating: 0, count: 48))
  }
}

extension SocketEntry {
  /// struct inet_diag_msg and INET_DIAG_… of linux/inet_diag.h; nil for families other than IPv4 and IPv6.
  public init?(netlink payload: ArraySlice<UInt8>, kind: Kind) throws(NetlinkFormatError) {
    let family: IPAddress.Family
    switch try payload.u8() {
    case AddressFamily.inet: family = .v4
    case AddressFamily.inet6: family = .v6
    default: return nil
    }
    let attributes = try payload.after(72)
    let size = family.bitWidth / 8
    let number = try payload.u8(1)
    self.init(
      kind: kind, family: family, local: try payload.dropFirst(8).prefix(size).address(),
      localPort: try payload.big16(4), remote: try payload.dropFirst(24).prefix(size).address(),
      remotePort: try payload.big16(6), state: TCPState(rawValue: number)?.name ?? "STATE \(number)",
      uid: try payload.u32(64), inode: UInt64(try payload.u32(68)))
    boundInterface = try payload.dropFirst(40).index()
    receiveQueue = try payload.u32(56)
    sendQueue = try payload.u32(60)
    let cookie = UInt64(try payload.u32(44)) | UInt64(try payload.u32(48)) << 32
    // INET_DIAG_NOCOOKIE.
    self.cookie = cookie == .max ? nil : cookie
    var v6Only: Bool?
    var mark: UInt32?
    try forEachAttribute(in: attributes) { type, value throws(NetlinkFormatError) in
      switch type {
      case 11: v6Only = try value.flag()
      case 15: mark = try value.u32()
      default: break
      }
    }
    isV6Only = v6Only
    self.mark = mark
  }

  /// A line of /proc/net/raw or raw6, such as
  /// `   1: 00000000:0001 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 12345 2 …`; nil for the
  /// head and for what is no such line. Addresses are 32-bit words in the host's order (net/ipv4/raw.c, raw_sock_seq_show).
  public init?(procLine line: Substring, family: IPAddress.Family) {
    let fields = line.split(separator: " ", omittingEmptySubsequences: true)
    guard fields.count >= 10, fields[0].hasSuffix(":"),
      let local = Self.procAddress(fields[1], family), let remote = Self.procAddress(fields[2], family),
      let state = UInt8(fields[3], radix: 16), let uid = UInt32(fields[7]), let inode = UInt64(fields[9])
    else { return nil }
    let queues = fields[4].split(separator: ":").map { UInt32($0, radix: 16) }
    guard queues.count == 2, let send = queues[0], let receive = queues[1] else { return nil }
    self.init(
      kind: .raw, family: family, local: local.address, localPort: local.port, remote: remote.address,
      remotePort: remote.port, state: TCPState(rawValue: state)?.name ?? "STATE \(state)", uid: uid, inode: inode)
    receiveQueue = receive
    sendQueue = send
  }

  private static func procAddress(
    _ text: Substring, _ family: IPAddress.Family
  ) -> (address: IPAddress, port: UInt16)? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0].utf8.count == family.bitWidth / 4, let port = UInt16(parts[1], radix: 16) else {
      return nil
    }
    var octets: [UInt8] = []
    var rest = parts[0]
    while !rest.isEmpty {
      guard let word = UInt32(rest.prefix(8), radix: 16) else { return nil }
      octets += bytes(word)
      rest = rest.dropFirst(8)
    }
    return IPAddress(networkBytes: octets).map { ($0, port) }
  }
}
