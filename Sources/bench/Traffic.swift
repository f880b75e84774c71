import CBenchReference
import LinuxSystem

/// Plain sockets in a namespace of the stage, each call on a thread of its own.
extension Stage {
  /// Sends UDP datagrams; returns how many. `perSecond` 0: as fast as it goes.
  @discardableResult
  func sendUDP(to port: UInt16, milliseconds: Int32, perSecond: UInt32) throws -> Int64 {
    try traffic(in: a) { unsafe cbench_udp(Self.addressB, port, milliseconds, perSecond) }
  }

  /// How a client reaches a server in `b`.
  enum Way {
    /// From `a`.
    case cable
    /// In `b` itself.
    case loopback
  }

  /// Writes into one connection; bytes a second.
  func streamRate(over way: Way = .cable, to port: UInt16, milliseconds: Int32) throws -> Double {
    try rate(way) { address, seconds in unsafe cbench_stream(address, port, milliseconds, &seconds) }
  }

  /// Opens and closes connections, refused or not; how many a second.
  @discardableResult
  func connectRate(over way: Way = .cable, to port: UInt16, milliseconds: Int32) throws -> Double {
    try rate(way) { address, seconds in unsafe cbench_connects(address, port, milliseconds, &seconds) }
  }

  /// Begins connections and gives them up.
  func beginConnections(to port: UInt16, count: Int32, milliseconds: Int32) throws {
    try traffic(in: a) { unsafe Int64(cbench_half_open(Self.addressB, port, count, milliseconds)) }
  }

  /// Serves TCP in `b` while `body` runs.
  func serving<Result>(port: UInt16, _ body: () throws -> Result) throws -> Result {
    let listener = Int32(try traffic(in: b) { Int64(cbench_listen(port)) })
    let server = try DedicatedThread("bench-server") { cbench_serve(listener) }
    defer {
      cbench_stop_serving(listener)
      server.join()
    }
    return try body()
  }

  private func rate(
    _ way: Way, _ body: @escaping @Sendable (_ address: String, inout Double) -> Int64
  ) throws -> Double {
    let (client, address) = way == .cable ? (a, Self.addressB) : (b, "127.0.0.1")
    let (count, seconds) = try NetworkNamespace.run(in: "/run/netns/\(client)") {
      var seconds = 0.0
      let count = body(address, &seconds)
      return (count, seconds)
    }
    guard count > 0, seconds > 0 else { throw SystemError(errno: Int32(-count), doing: "making traffic in \(client)") }
    return Double(count) / seconds
  }

  /// What `body` returns below zero is thrown.
  @discardableResult
  private func traffic(in netns: String, _ body: @escaping @Sendable () -> Int64) throws -> Int64 {
    let result = try NetworkNamespace.run(in: "/run/netns/\(netns)") { body() }
    guard result >= 0 else { throw SystemError(errno: Int32(-result), doing: "making traffic in \(netns)") }
    return result
  }
}
