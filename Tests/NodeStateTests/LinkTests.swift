import Foundation
import NetModel
import NetTypes
import NodeState
import Testing

@Suite(.enabled(if: isRoot, "needs root: makes network namespaces"))
struct LinkTests {
  @Test("the two ends of a veth name each other's namespace, also among three")
  func vethPeers() throws {
    let spaces = try Namespaces("a", "b", "c")
    try spaces.ip(
      "a",
      """
      link add ab type veth peer name ba netns @b
      link add ac type veth peer name ca netns @c
      link add x0 type veth peer name x1
      """)
    try spaces.ip("b", "link add bc type veth peer name cb netns @c")
    let found = try spaces.collect()
    let (a, b, c) = (found[0], found[1], found[2])
    func check(_ one: NetnsSnapshot, _ name: String, _ other: NetnsSnapshot, _ peer: String) throws {
      let link = try #require(one.links.first { $0.name == name })
      let end = try #require(other.links.first { $0.name == peer })
      #expect(link.kind == .veth)
      #expect(link.link == end.index)
      #expect(link.linkNetns == (one.id == other.id ? nil : other.id), "\(name)")
      #expect(link.linkNetnsUnknown == nil)
    }
    try check(a, "ab", b, "ba")
    try check(b, "ba", a, "ab")
    try check(a, "ac", c, "ca")
    try check(c, "ca", a, "ac")
    try check(b, "bc", c, "cb")
    try check(c, "cb", b, "bc")
    try check(a, "x0", a, "x1")
    // A namespace that the snapshot does not cover.
    let alone = try spaces.collect("a")[0]
    let link = try #require(alone.links.first { $0.name == "ab" })
    #expect(link.linkNetnsUnknown == true)
    #expect(link.linkNetns == nil)
    #expect(
      found.allSatisfy { $0.parts.allSatisfy { $0.gap == nil } }, "\(found.flatMap(\.parts).filter { $0.gap != nil })")
  }
}
