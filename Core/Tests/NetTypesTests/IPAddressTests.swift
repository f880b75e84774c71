import NetTypes
import Testing

struct IPAddressTests {
  @Test(
    "parsing and printing give the canonical text",
    arguments: [
      ("0.0.0.0", "0.0.0.0"), ("10.1.2.3", "10.1.2.3"), ("255.255.255.255", "255.255.255.255"), ("::", "::"),
      ("::1", "::1"), ("1::", "1::"), ("FD00::0A", "fd00::a"), ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
      ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("::ffff:10.0.0.1", "::ffff:10.0.0.1"),
      ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
      ("0:0:0:0:0:0:0:1", "::1"), ("fe80:0:0:0:1::", "fe80::1:0:0:0"),
    ])
  func roundTrip(text: String, canonical: String) throws {
    let address = try #require(IPAddress(text))
    #expect(address.description == canonical)
    #expect(IPAddress(canonical) == address)
  }

  @Test(
    "malformed text is refused",
    arguments: [
      "", "1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "256.1.1.1", "1.2.3.x", "1.2.3.-4", ":", ":::", "1::2::3",
      "1:2:3:4:5:6:7:8:9", "12345::", "g::", "::1.2.3", "1.2.3.4::", "1:2:3:4:5:6:7:8::", "fe80::1%eth0", " ::1",
    ])
  func refuses(text: String) {
    #expect(IPAddress(text) == nil)
  }

  @Test(
    "classes of addresses",
    arguments: [
      ("127.1.2.3", "loopback"), ("::1", "loopback"), ("169.254.9.9", "link-local"), ("fe80::1", "link-local"),
      ("febf::1", "link-local"), ("fec0::1", ""), ("224.0.0.1", "multicast"), ("ff02::1", "multicast"),
      ("0.0.0.0", "unspecified"), ("::", "unspecified"), ("10.0.0.1", ""), ("2001:db8::1", ""), ("126.0.0.1", ""),
    ])
  func classes(text: String, expected: String) throws {
    let address = try #require(IPAddress(text))
    #expect(address.isLoopback == (expected == "loopback"))
    #expect(address.isLinkLocal == (expected == "link-local"))
    #expect(address.isMulticast == (expected == "multicast"))
    #expect(address.isUnspecified == (expected == "unspecified"))
  }

  @Test("network bytes: 4 or 16, nothing else")
  func bytes() {
    #expect(IPAddress(networkBytes: [10, 1, 2, 3])?.description == "10.1.2.3")
    #expect(IPAddress(networkBytes: [0xfd] + Array(repeating: 0, count: 14) + [1])?.description == "fd00::1")
    #expect(IPAddress(networkBytes: [1, 2, 3]) == nil)
  }

  @Test("random addresses survive printing and parsing")
  func random() {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<20_000 {
      // Masks make runs of zero groups likely.
      let address = IPAddress(
        v6High: generator.next() & generator.next() & (Bool.random() ? 0xffff_0000_0000_ffff : .max),
        low: generator.next() & (Bool.random() ? 0x0000_ffff_0000_0000 : .max))
      #expect(IPAddress(address.description) == address)
      let v4 = IPAddress(v4: UInt32.random(in: 0 ... .max))
      #expect(IPAddress(v4.description) == v4)
    }
  }
}

struct ProtocolTests {
  @Test("flags print lowest first")
  func flags() {
    #expect(TCPFlags([.syn, .ack]).description == "SYN|ACK")
    #expect(TCPFlags([]).description == "")
    #expect(TCPFlags(rawValue: 255).description == "FIN|SYN|RST|PSH|ACK|URG|ECE|CWR")
  }

  @Test("numbers print in decimal and hexadecimal", arguments: [0, 9, 10, 15, 16, 255, 1_234_567, UInt64.max])
  func digits(value: UInt64) {
    var decimal: [UInt8] = []
    decimal.appendDecimal(value)
    #expect(String(decoding: decimal, as: UTF8.self) == String(value))
    var hex: [UInt8] = []
    hex.appendHex(value)
    #expect(String(decoding: hex, as: UTF8.self) == String(value, radix: 16))
  }
}
