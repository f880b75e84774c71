import Glibc
import LinuxSystem
import NetTypes

/// A socket made inside a namespace. It stays there, whichever thread uses it.
public final class LabSocket: Sendable {
  public enum Kind: Sendable { case stream, datagram }

  public let descriptor: Int32
  private let family: IPAddress.Family

  public init(in pod: LabPod, _ family: IPAddress.Family, _ kind: Kind) throws {
    descriptor = try NetworkNamespace.run(in: pod.path) {
      let type = kind == .stream ? SOCK_STREAM.rawValue : SOCK_DGRAM.rawValue
      let descriptor = socket(family == .v4 ? AF_INET : AF_INET6, Int32(type) | Int32(SOCK_CLOEXEC.rawValue), 0)
      guard descriptor >= 0 else { throw SystemError(errno: errno, doing: "making a socket") }
      return descriptor
    }
    self.family = family
    set(SOL_SOCKET, SO_REUSEADDR, 1)
    // A blocking call in a test must end by itself.
    var limit = timeval(tv_sec: 3, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
  }

  private init(accepted descriptor: Int32, _ family: IPAddress.Family) {
    self.descriptor = descriptor
    self.family = family
  }

  deinit { Glibc.close(descriptor) }

  public func set(_ level: Int32, _ name: Int32, _ value: Int32) {
    var value = value
    setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
  }

  private func withAddress<Result>(
    _ address: String, _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
  ) -> Result {
    var storage = sockaddr_storage()
    return withUnsafeMutablePointer(to: &storage) { pointer in
      if family == .v4 {
        return pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { v4 in
          v4.pointee.sin_family = sa_family_t(AF_INET)
          v4.pointee.sin_port = port.bigEndian
          inet_pton(AF_INET, address, &v4.pointee.sin_addr)
          return v4.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
          }
        }
      }
      return pointer.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { v6 in
        v6.pointee.sin6_family = sa_family_t(AF_INET6)
        v6.pointee.sin6_port = port.bigEndian
        inet_pton(AF_INET6, address, &v6.pointee.sin6_addr)
        return v6.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          body($0, socklen_t(MemoryLayout<sockaddr_in6>.size))
        }
      }
    }
  }

  private func check(_ result: Int, _ activity: String) throws {
    if result < 0 { throw SystemError(errno: errno, doing: activity) }
  }

  public func bind(_ address: String, _ port: UInt16) throws {
    try check(Int(withAddress(address, port) { Glibc.bind(descriptor, $0, $1) }), "binding \(address):\(port)")
  }

  public func listen(backlog: Int32 = 8) throws { try check(Int(Glibc.listen(descriptor, backlog)), "listening") }

  public func connect(_ address: String, _ port: UInt16) throws {
    try check(Int(withAddress(address, port) { Glibc.connect(descriptor, $0, $1) }), "connecting")
  }

  /// Begins to connect and comes back at once.
  public func connectLater(_ address: String, _ port: UInt16) {
    _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL, 0) | O_NONBLOCK)
    _ = withAddress(address, port) { Glibc.connect(descriptor, $0, $1) }
  }

  public func accept() throws -> LabSocket {
    let accepted = Glibc.accept(descriptor, nil, nil)
    try check(Int(accepted), "accepting")
    return LabSocket(accepted: accepted, family)
  }

  public func send(_ bytes: [UInt8], to address: String, port: UInt16) throws {
    try check(
      withAddress(address, port) { Glibc.sendto(descriptor, bytes, bytes.count, 0, $0, $1) }, "sending")
  }

  @discardableResult
  public func send(_ bytes: [UInt8]) throws -> Int {
    let count = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    try check(count, "sending")
    return count
  }

  public func receive(_ count: Int = 4096) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let received = recv(descriptor, &bytes, count, 0)
    try check(received, "receiving")
    return Array(bytes.prefix(received))
  }

  /// Sends a FIN and keeps the descriptor.
  public func finish() { shutdown(descriptor, Int32(SHUT_WR)) }

  /// Closes the connection now: the descriptor becomes one of /dev/null, so that `deinit` closes something.
  public func close() {
    let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
    dup2(null, descriptor)
    Glibc.close(null)
  }
}

/// A connection between the pods of a pair, both ends in hand.
public struct LabConnection: Sendable {
  public let client: LabSocket
  public let server: LabSocket
  public let listener: LabSocket

  /// The client's port is 258, 0x0102: a swapped byte shows. `prepare` gets both sockets before they connect.
  public init(
    _ pair: LabPair, _ family: IPAddress.Family, clientPort: UInt16 = 258, serverPort: UInt16 = 772
  ) throws {
    listener = try LabSocket(in: pair.server, family, .stream)
    try listener.bind(LabPair.serverAddress(family), serverPort)
    try listener.listen()
    client = try LabSocket(in: pair.client, family, .stream)
    try client.bind(LabPair.clientAddress(family), clientPort)
    try client.connect(LabPair.serverAddress(family), serverPort)
    server = try listener.accept()
  }
}
