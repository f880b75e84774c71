import NetModel
import NetTypes

extension Namespace {
  /// The listener that takes a connection (net/ipv4/inet_hashtables.c, __inet_lookup_listener): one of the exact address
  /// before one of any; then bound to the interface, then of the packet's own family. Several equals may all take it.
  func listener(_ tuple: Tuple, on interface: Int32) -> [SocketEntry] {
    best(listeners[tuple.destinationPort, default: []], tuple.destination, interface)
  }

  /// The UDP socket that takes a datagram (net/ipv4/udp.c, __udp4_lib_lookup).
  func datagramSocket(_ tuple: Tuple, on interface: Int32) -> [SocketEntry] {
    let sockets = datagramSockets[tuple.destinationPort, default: []].filter { socket in
      // A connected socket takes only what comes from its peer.
      socket.remote.isUnspecified
        || Self.plain(socket.remote) == tuple.source && socket.remotePort == tuple.sourcePort
    }
    return best(sockets, tuple.destination, interface)
  }

  private func best(_ sockets: [SocketEntry], _ destination: IPAddress, _ interface: Int32) -> [SocketEntry] {
    let fitting = sockets.filter { socket in
      (socket.boundInterface ?? interface) == interface && takes(socket, destination.family)
    }
    for group in [
      fitting.filter { Self.plain($0.local) == destination }, fitting.filter { $0.local.isUnspecified },
    ] where !group.isEmpty {
      func score(_ socket: SocketEntry) -> Int {
        (socket.boundInterface == nil ? 0 : 4) + (socket.family == destination.family ? 1 : 0)
      }
      let highest = group.map(score).max()!
      return group.filter { score($0) == highest }
    }
    return []
  }

  /// An IPv6 socket of any address takes IPv4 too, unless it is v6only.
  private func takes(_ socket: SocketEntry, _ family: IPAddress.Family) -> Bool {
    if family == .v6 { return socket.family == .v6 && Self.plain(socket.local).family == .v6 }
    if socket.family == .v4 { return true }
    return socket.local.isUnspecified ? socket.isV6Only == false : Self.plain(socket.local).family == .v4
  }

  /// The IPv4 address in an IPv4-mapped one (RFC 4291 §2.5.5.2).
  static func plain(_ address: IPAddress) -> IPAddress {
    guard address.family == .v6, address.high == 0, address.low >> 32 == 0xffff else { return address }
    return IPAddress(v4: UInt32(truncatingIfNeeded: address.low))
  }
}
