import NetModel
import NetSim
import NetTypes
import Testing

/// Who takes a packet that has arrived, and what the kernel answers.
struct SocketTests {
  private static let a = Fixture.a
  private static let b = Fixture.b

  private static func listening(
    _ name: String, _ sender: [SenderView], _ end: String, to destination: String = "10.9.0.2",
    _ transport: Transport = .tcp(80), change: @escaping Example.Change
  ) -> Example {
    Example(name, sender, end, on: { Fixture() }, to: destination, transport) { fixture in
      fixture.addIPv6()
      change(&fixture)
    }
  }

  static let listeners: [Example] = [
    listening("nobody", [.refused], "rejected b eth0 NO_SOCKET") { _ in },
    listening("any address", [.connected], "delivered b") { $0.listen(b) },
    listening("the address", [.connected], "delivered b") { $0.listen(b, on: "10.9.0.2") },
    listening("another address", [.refused], "rejected b eth0 NO_SOCKET") { $0.listen(b, on: "10.9.0.3") },
    listening("another port", [.refused], "rejected b eth0 NO_SOCKET") { $0.listen(b, 81) },
    listening("dual stack", [.connected], "delivered b") { $0.listen(b, on: "::") },
    listening("IPv6 only", [.refused], "rejected b eth0 NO_SOCKET") { $0.listen(b, on: "::") { $0.isV6Only = true } },
    listening("IPv4-mapped", [.connected], "delivered b") { $0.listen(b, on: "::ffff:10.9.0.2") },
    listening("IPv6 to an IPv4 socket", [.refused], "rejected b eth0 NO_SOCKET", to: "fd00::2") { $0.listen(b) },
    listening("IPv6 to any address", [.connected], "delivered b", to: "fd00::2") { $0.listen(b, on: "::") },
    listening("bound to the interface", [.connected], "delivered b") { $0.listen(b) { $0.boundInterface = 2 } },
    listening("bound to another", [.refused], "rejected b eth0 NO_SOCKET") { $0.listen(b) { $0.boundInterface = 1 } },
    listening("a full backlog", [.silence], "dropped b eth0 -") { $0.listen(b) { $0.receiveQueue = 17 } },
    listening("a backlog with room for one", [.connected], "delivered b") { $0.listen(b) { $0.receiveQueue = 16 } },
    listening("the exact address counts more than any", [.silence], "dropped b eth0 -") {
      $0.listen(b)
      $0.listen(b, on: "10.9.0.2") { $0.receiveQueue = 17 }
    },
    listening("of the same address the bound one counts more", [.connected], "delivered b") {
      $0.listen(b) { $0.receiveQueue = 17 }
      $0.listen(b) { $0.boundInterface = 2 }
    },
    listening("what does not listen is none", [.refused], "rejected b eth0 NO_SOCKET") {
      $0.listen(b) { $0.state = "ESTABLISHED" }
    },
  ]

  @Test("a listener", arguments: listeners)
  func listener(example: Example) { example.check() }

  static let datagrams: [Example] = [
    listening("nobody", [.refused], "rejected b eth0 NO_SOCKET", .udp(53)) { _ in },
    listening("any address", [.reply], "delivered b", .udp(53)) { $0.listen(b, 53, .udp) },
    listening("a TCP socket is none", [.refused], "rejected b eth0 NO_SOCKET", .udp(53)) { $0.listen(b, 53) },
    listening("connected to another", [.refused], "rejected b eth0 NO_SOCKET", .udp(53)) {
      $0.listen(b, 53, .udp) {
        $0.remote = IPAddress("10.9.0.8")!
        $0.remotePort = 5000
      }
    },
    listening("dual stack", [.reply], "delivered b", .udp(53)) { $0.listen(b, 53, .udp, on: "::") },
    // A socket of any address leaves the source to the kernel, and the asker's connected socket wants the address it asked.
    listening("any address, asked for its second", [.silence], "delivered b", to: "10.9.0.12", .udp(53)) {
      $0.address(b, 2, "10.9.0.12/24")
      $0.listen(b, 53, .udp)
    },
    listening("its second address itself", [.reply], "delivered b", to: "10.9.0.12", .udp(53)) {
      $0.address(b, 2, "10.9.0.12/24")
      $0.listen(b, 53, .udp, on: "10.9.0.12")
    },
  ]

  @Test("a UDP socket", arguments: datagrams)
  func datagram(example: Example) { example.check() }

  static let pings: [Example] = [
    listening("IPv4", [.reply], "delivered b", .icmp) { _ in },
    listening("IPv6", [.reply], "delivered b", to: "fd00::2", .icmp) { _ in },
    listening("icmp_echo_ignore_all", [.silence], "dropped b eth0 -", .icmp) {
      $0[b].sysctls["net.ipv4.icmp_echo_ignore_all"] = "1"
    },
    listening("echo_ignore_all of IPv6", [.silence], "dropped b eth0 -", to: "fd00::2", .icmp) {
      $0[b].sysctls["net.ipv6.icmp.echo_ignore_all"] = "1"
    },
    listening("that of the other family does not count", [.reply], "delivered b", to: "fd00::2", .icmp) {
      $0[b].sysctls["net.ipv4.icmp_echo_ignore_all"] = "1"
    },
    listening("to oneself", [.reply], "delivered a", to: "10.9.0.1", .icmp) { _ in },
  ]

  @Test("ping", arguments: pings)
  func ping(example: Example) { example.check() }

  @Test("an answer is sent with the mark of its listener, which a rule may look at")
  func mark() {
    func sender(_ mark: UInt32) -> [SenderView] {
      Self.listening("", [], "") { fixture in
        fixture.listen(Self.b) { $0.mark = mark }
        fixture.rule(Self.b, 100, .blackhole) {
          $0.mark = 7
          $0.markMask = .max
        }
      }.answer().sender
    }
    #expect(sender(7) == [.silence])
    #expect(sender(8) == [.connected])
  }
}
