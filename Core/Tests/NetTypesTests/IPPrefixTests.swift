import NetTypes
import Testing

struct IPPrefixTests {
  @Test(
    "host bits are cleared",
    arguments: [
      ("10.1.2.3/8", "10.0.0.0/8"), ("10.1.2.3/32", "10.1.2.3/32"), ("10.1.2.3/0", "0.0.0.0/0"),
      ("10.1.2.255/25", "10.1.2.128/25"), ("fd00:1:2:3:4:5:6:7/64", "fd00:1:2:3::/64"),
      ("fd00:1:2:3:4:5:6:7/127", "fd00:1:2:3:4:5:6:6/127"), ("fd00::1/128", "fd00::1/128"), ("fd00::1/0", "::/0"),
      ("fd00:1:2:3:ffff::/65", "fd00:1:2:3:8000::/65"),
    ])
  func masks(text: String, canonical: String) {
    #expect(IPPrefix(text)?.description == canonical)
  }

  @Test(
    "malformed text is refused",
    arguments: [
      "", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/08", "::/129", "/8",
      "10.0.0.0/8/8",
    ])
  func refuses(text: String) {
    #expect(IPPrefix(text) == nil)
  }

  @Test(
    "containment",
    arguments: [
      ("10.0.0.0/8", "10.255.255.255", true), ("10.0.0.0/8", "11.0.0.0", false), ("0.0.0.0/0", "255.1.1.1", true),
      ("0.0.0.0/0", "::1", false), ("::/0", "1.1.1.1", false), ("10.0.0.1/32", "10.0.0.1", true),
      ("10.0.0.1/32", "10.0.0.0", false), ("fd00::/8", "fdff::1", true), ("fd00::/8", "fe00::", false),
      ("fd00::/65", "fd00::7fff:ffff:ffff:ffff", true), ("fd00::/65", "fd00::8000:0:0:0", false),
      ("::ffff:0:0/96", "10.0.0.1", false),
    ])
  func contains(block: String, address: String, expected: Bool) throws {
    #expect(try #require(IPPrefix(block)).contains(try #require(IPAddress(address))) == expected)
  }

  @Test("blocks in blocks")
  func nested() throws {
    let wide = try #require(IPPrefix("10.0.0.0/8"))
    let narrow = try #require(IPPrefix("10.9.0.0/16"))
    let other = try #require(IPPrefix("11.0.0.0/8"))
    #expect(wide.contains(narrow) && !narrow.contains(wide) && wide.contains(wide))
    #expect(!wide.contains(other))
  }

  @Test("three-valued connectives are Kleene's")
  func ternary() {
    let all: [Ternary] = [.no, .unknown, .yes]
    for a in all {
      #expect(!(!a) == a)
      for b in all {
        #expect((a && b) == !(!a || !b))
        #expect((a || b) == (b || a))
      }
    }
    #expect((Ternary.unknown && .no) == .no && (Ternary.unknown || .yes) == .yes)
    #expect((Ternary.unknown && .yes) == .unknown && (Ternary.unknown || .no) == .unknown)
  }
}
