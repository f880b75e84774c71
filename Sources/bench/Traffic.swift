import CBenchReference
import LinuxSystem

/// Plain sockets in a namespace of the stage, each call on a thread of its own.
extension Stage {
  /// Sends UDP datagrams; returns how many. `perSecond` 0: as fast as it goes.
  @discardableResult
  func sendUDP(to port: UInt16, milliseconds: Int32, perSecond: UInt32) throws -> Int64 {
    try traffic(in: a) { unsafe cbench_udp(Self.addressB, port, milliseconds, perSecond) }
  }

  /// Writes into one connection; bytes a second.
  func streamRate(to port: UInt16, milliseconds: Int32) throws -> Double {
    try rate { seconds in unsafe cbench_stream(Self.addressB, port, milliseconds, &seconds) }
  }

  /// Opens and closes connections, refused or not; how many a second.
  @discardableResult
  func connectRate(to port: UInt16, milliseconds: Int32) throws -> Double {
    try rate { seconds in unsafe cbench_connects(Self.addressB, port, milliseconds, &seconds) }
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

  private func rate(_ body: @escaping @Sendable (inout Double) -> Int64) throws -> Double {
    let (count, seconds) = try NetworkNamespace.run(in: "/run/netns/\(a)") {
      var seconds = 0.0
      let count = body(&seconds)
      return (count, seconds)
    }
    guard count > 0, seconds > 0 else { throw SystemError(errno: Int32(-count), doing: "making traffic in \(a)") }
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
