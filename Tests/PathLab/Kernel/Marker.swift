import Glibc
import LinuxSystem
import NetTypes
import PathCases
import Synchronization

/// Packets of our own that go through the same buffer as all others: when one has been read, so has all that came before.
final class Marker: Sendable {
  private let netns: LabNetns
  private let socket: Descriptor
  private let sent = Mutex<UInt64>(0)
  private let read = Mutex<UInt64>(0)

  /// Ports are numbers modulo this, above those that mean something.
  private static let modulus: UInt64 = 50_000
  private static let firstPort: UInt64 = 10_000

  init() throws {
    let made = try DedicatedThread.run("path-marker") {
      let netns = try LabNetns()
      _ = try IPRoute.batch("ip", ["link set lo up"])
      let descriptor = Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
      guard descriptor >= 0 else { throw SystemError(errno: errno, doing: "making the marker's socket") }
      return (netns: netns, socket: descriptor)
    }
    netns = made.netns
    socket = Descriptor(owning: made.socket)
    try Watched.shared.watch([netns.cookie])
  }

  /// Sends one; its number.
  func send() -> UInt64 {
    let number = sent.withLock { number in
      number += 1
      return number
    }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(Self.firstPort + number % Self.modulus).bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        _ = sendto(socket.rawValue, [0], 1, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    return number
  }

  /// Whether `event` was a marker; it is noted.
  func note(_ event: PacketEvent) -> Bool {
    guard event.netns == netns.cookie else { return false }
    let port = UInt64(event.destinationPort)
    if event.ipProtocol == "UDP", event.kind == .transmission, port >= Self.firstPort {
      let last = sent.withLock { $0 }
      // The newest number with this port that was sent.
      let behind = (last + Self.modulus - (port - Self.firstPort)) % Self.modulus
      read.withLock { $0 = max($0, last - behind) }
    }
    return true
  }

  func isRead(_ number: UInt64) -> Bool { read.withLock { $0 >= number } }
}
