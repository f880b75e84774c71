import Foundation
import Glibc
import LinuxSystem
import NetModel
import NetTypes
import NodeState
import Testing

@Suite(.enabled(if: isRoot, "needs root: makes network namespaces"))
struct SocketTests {
  /// A socket of the calling thread's namespace.
  static func socket(_ family: Int32, _ type: __socket_type, _ number: Int32 = 0) -> Int32 {
    Glibc.socket(family, Int32(type.rawValue), number)
  }

  static func bind(_ descriptor: Int32, _ address: String, _ port: UInt16) throws {
    var status: Int32
    if address.contains(":") {
      var name = sockaddr_in6()
      name.sin6_family = sa_family_t(AF_INET6)
      name.sin6_port = port.bigEndian
      inet_pton(AF_INET6, address, &name.sin6_addr)
      status = withUnsafeBytes(of: &name) {
        Glibc.bind(descriptor, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
      }
    } else {
      var name = sockaddr_in()
      name.sin_family = sa_family_t(AF_INET)
      name.sin_port = port.bigEndian
      inet_pton(AF_INET, address, &name.sin_addr)
      status = withUnsafeBytes(of: &name) {
        Glibc.bind(descriptor, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
      }
    }
    if status < 0 { throw SystemError(errno: errno, doing: "binding to \(address)") }
  }

  static func set(_ descriptor: Int32, _ level: Int32, _ option: Int32, _ value: Int32) {
    var value = value
    setsockopt(descriptor, level, option, &value, 4)
  }

  @Test("listeners, bound and connected sockets of TCP, UDP and raw")
  func sockets() throws {
    let spaces = try Namespaces("s")
    try spaces.ip("s", "link set lo up")
    try spaces.ip("s", "link add e0 type veth peer name e1")
    let path = spaces.path("s")
    let found = try NetworkNamespace.run(in: path) { () -> NetnsSnapshot? in
      var open: [Int32] = []
      defer { for descriptor in open { close(descriptor) } }
      func make(_ family: Int32, _ type: __socket_type, _ number: Int32 = 0) -> Int32 {
        open.append(Self.socket(family, type, number))
        return open.last!
      }
      let listener = make(AF_INET, SOCK_STREAM)
      Self.set(listener, SOL_SOCKET, SO_MARK, 77)
      try Self.bind(listener, "127.0.0.1", 258)
      listen(listener, 5)
      let dual = make(AF_INET6, SOCK_STREAM)
      try Self.bind(dual, "::", 2001)
      listen(dual, 9)
      let only = make(AF_INET6, SOCK_STREAM)
      Self.set(only, 41, 26, 1)
      try Self.bind(only, "::1", 2002)
      listen(only, 9)
      let datagram = make(AF_INET, SOCK_DGRAM)
      setsockopt(datagram, SOL_SOCKET, SO_BINDTODEVICE, "e0", 3)
      try Self.bind(datagram, "0.0.0.0", 514)
      let owned = make(AF_INET6, SOCK_DGRAM)
      try Self.bind(owned, "::1", 515)
      fchown(owned, 1234, 0)
      _ = make(AF_INET, SOCK_RAW, 89)
      _ = make(AF_INET6, SOCK_RAW, 89)
      let client = make(AF_INET, SOCK_STREAM)
      var name = sockaddr_in()
      name.sin_family = sa_family_t(AF_INET)
      name.sin_port = UInt16(258).bigEndian
      inet_pton(AF_INET, "127.0.0.1", &name.sin_addr)
      _ = withUnsafeBytes(of: &name) {
        connect(client, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
      }
      return try NodeStateCollector(.init(only: [path])).collect().namespaces.first
    }
    let snapshot = try #require(found)
    func one(_ body: (SocketEntry) -> Bool) throws -> SocketEntry {
      guard let entry = snapshot.sockets.first(where: body) else { throw CommandFailure(text: "no such socket") }
      return entry
    }
    let listener = try one { $0.isListener && $0.localPort == 258 }
    #expect(listener.local == IPAddress("127.0.0.1") && listener.remote == IPAddress("0.0.0.0"))
    #expect(listener.sendQueue == 5 && listener.receiveQueue == 1, "one connection waits of at most five")
    #expect(listener.mark == 77 && listener.family == .v4)
    let dual = try one { $0.localPort == 2001 }
    #expect(dual.isV6Only == false && dual.family == .v6 && dual.local == IPAddress("::"))
    #expect(try one { $0.localPort == 2002 }.isV6Only == true)
    let datagram = try one { $0.kind == .udp && $0.localPort == 514 }
    #expect(datagram.boundInterface == snapshot.links.first { $0.name == "e0" }?.index)
    #expect(datagram.state == "CLOSE")
    #expect(try one { $0.localPort == 515 }.uid == 1234)
    #expect(Set(snapshot.sockets.filter { $0.kind == .raw && $0.localPort == 89 }.map(\.family)) == [.v4, .v6])
    let ends = snapshot.sockets.filter { $0.state == "ESTABLISHED" }
    #expect(ends.count == 2)
    #expect(ends.contains { $0.localPort == 258 && $0.remotePort > 258 })
    let loopback = IPAddress("127.0.0.1")
    #expect(ends.contains { $0.remotePort == 258 && $0.remote == loopback })
    #expect(snapshot.sockets.count == 9)
  }

  @Test("connections beyond the bound are counted, listeners are not cut")
  func bound() throws {
    let spaces = try Namespaces("s")
    try spaces.ip("s", "link set lo up")
    let path = spaces.path("s")
    let found = try NetworkNamespace.run(in: path) { () -> NetnsSnapshot? in
      var open: [Int32] = []
      defer { for descriptor in open { close(descriptor) } }
      for port in UInt16(3001)...3010 {
        let descriptor = Self.socket(AF_INET, SOCK_DGRAM)
        open.append(descriptor)
        try Self.bind(descriptor, "127.0.0.1", port)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = UInt16(9).bigEndian
        inet_pton(AF_INET, "127.0.0.1", &name.sin_addr)
        _ = withUnsafeBytes(of: &name) {
          connect(descriptor, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
        }
      }
      let listener = Self.socket(AF_INET, SOCK_STREAM)
      open.append(listener)
      try Self.bind(listener, "127.0.0.1", 4000)
      listen(listener, 1)
      return try NodeStateCollector(.init(only: [path], maximumSockets: 3)).collect().namespaces.first
    }
    let snapshot = try #require(found)
    #expect(snapshot.sockets.count == 4)
    #expect(snapshot.gap(.sockets) == "7 of 10 connections are not listed")
  }
}
