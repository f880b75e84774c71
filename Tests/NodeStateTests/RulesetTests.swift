import Foundation
import NetModel
import NodeState
import Testing

@Suite(.enabled(if: isRoot, "needs root: makes network namespaces"))
struct RulesetTests {
  @Test("a namespace without rules starts no tool and registers no table")
  func empty() throws {
    let spaces = try Namespaces("e")
    let snapshot = try spaces.collect("e")[0]
    #expect(snapshot.rulesets.isEmpty)
    #expect(snapshot.parts.contains { $0.part == .rulesets && $0.gap == nil && $0.took < 50_000_000 })
    #expect(try spaces.exec("e", "cat", "/proc/net/ip_tables_names", "/proc/net/ip6_tables_names") == "")
    #expect(try spaces.exec("e", "nft", "list", "tables") == "")
  }

  @Test("each tool's rules are its own text")
  func tools() throws {
    let spaces = try Namespaces("r")
    try spaces.exec(
      "r", "nft",
      "add table inet mine; add chain inet mine c { type filter hook input priority 5; }; add rule inet mine c accept")
    try spaces.exec("r", "iptables-legacy", "-A", "INPUT", "-p", "tcp", "--dport", "81", "-j", "DROP")
    try spaces.exec("r", "ip6tables-legacy", "-A", "INPUT", "-p", "tcp", "--dport", "82", "-j", "DROP")
    try spaces.exec("r", "iptables-nft", "-A", "INPUT", "-p", "tcp", "--dport", "83", "-j", "DROP")
    try spaces.exec("r", "ip6tables-nft", "-A", "INPUT", "-p", "tcp", "--dport", "84", "-j", "DROP")
    let snapshot = try spaces.collect("r")[0]
    #expect(snapshot.gap(.rulesets) == nil)
    let texts = Dictionary(uniqueKeysWithValues: snapshot.rulesets.map { ($0.tool, $0) })
    let ports: [Ruleset.Tool: String] = [
      .iptablesLegacy: "81", .ip6tablesLegacy: "82", .iptablesNFT: "83", .ip6tablesNFT: "84",
    ]
    #expect(Set(texts.keys) == Set(ports.keys).union([.nft]))
    for (tool, port) in ports {
      #expect(texts[tool]?.text.contains("-A INPUT -p tcp -m tcp --dport \(port) -j DROP\nCOMMIT\n") == true, "\(tool)")
    }
    let nft = try #require(texts[.nft])
    let document = try JSONSerialization.jsonObject(with: Data(nft.text.utf8)) as? [String: [[String: Any]]]
    #expect(document?["nftables"]?.contains { ($0["table"] as? [String: Any])?["name"] as? String == "mine" } == true)
    #expect(nft.generationBefore != nil && nft.generationBefore == nft.generationAfter)
    #expect(texts[.iptablesLegacy]?.generationBefore == nil)
  }

  @Test("sets of ipset", .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/sbin/ipset"), "needs ipset"))
  func sets() throws {
    let spaces = try Namespaces("i")
    try spaces.exec("i", "ipset", "create", "blocked", "hash:net")
    try spaces.exec("i", "ipset", "add", "blocked", "10.0.0.0/8")
    let snapshot = try spaces.collect("i")[0]
    #expect(snapshot.rulesets.map(\.tool) == [.ipset])
    #expect(snapshot.rulesets.first?.text.contains("add blocked 10.0.0.0/8") == true)
  }
}
