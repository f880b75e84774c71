import Glibc
import LinuxNetlink
import LinuxSystem
import NetModel
import NetParse

/// The rulesets of the namespace that the calling thread is in, as their own tools print them. A tool is started only where
/// there is something for it: netlink and /proc tell so without loading a module or registering a table.
struct RulesetReader {
  /// Seconds for one tool: iptables-save of 100,000 rules takes some.
  static let patience = 60
  /// How often nft's text is read anew when the ruleset changed meanwhile.
  static let attempts = 3

  private(set) var rulesets: [Ruleset] = []

  static func read(_ gaps: inout Gaps) -> [Ruleset] {
    var reader = RulesetReader()
    do { try reader.readNFT(&gaps) } catch { gaps.add("nftables: \(error)") }
    for (file, tool) in [
      ("ip_tables_names", Ruleset.Tool.iptablesLegacy), ("ip6_tables_names", .ip6tablesLegacy),
      ("arp_tables_names", .arptables),
    ] where Files.hasContent("/proc/thread-self/net/\(file)", &gaps) {
      reader.run(tool, &gaps)
    }
    do {
      if try hasSets() { reader.run(.ipset, &gaps) }
    } catch {
      gaps.add("ipset: \(error)")
    }
    // The head has three lines (net/netfilter/ipvs/ip_vs_ctl.c, ip_vs_info_seq_show).
    if let text = try? Files.text("/proc/thread-self/net/ip_vs"), text.split(separator: "\n").count > 3 {
      reader.run(.ipvs, &gaps)
    }
    // Nothing tells whether ebtables has tables here without making them; without its module it has none.
    if Files.exists("/sys/module/ebtables") { reader.run(.ebtables, &gaps) }
    return reader.rulesets
  }

  private mutating func run(_ tool: Ruleset.Tool, _ gaps: inout Gaps) {
    do {
      rulesets.append(Ruleset(tool: tool, text: try tool.text()))
    } catch {
      gaps.add("\(error)")
    }
  }

  /// nft's own text, and for tables that iptables-nft made also that of iptables-nft-save: extensions are opaque to nft.
  private mutating func readNFT(_ gaps: inout Gaps) throws {
    guard KernelModule.mayBeThere("nf_tables") else { return }
    let socket = try NetlinkSocket(.netfilter)
    let tables = try Self.tables(socket)
    guard !tables.isEmpty else { return }
    var tools: [Ruleset.Tool] = [.nft]
    // NFPROTO_IPV4, NFPROTO_IPV6 in linux/netfilter.h, and the names that iptables knows.
    let compatible: Set = ["filter", "nat", "mangle", "raw", "security"]
    for (family, tool) in [(UInt8(2), Ruleset.Tool.iptablesNFT), (10, .ip6tablesNFT)]
    where tables.contains(where: { $0.family == family && compatible.contains($0.name) }) {
      tools.append(tool)
    }
    for tool in tools {
      do {
        for attempt in 1...Self.attempts {
          let before = try Self.generation(socket)
          let text = try tool.text()
          let after = try Self.generation(socket)
          if before != after, attempt < Self.attempts { continue }
          if before != after { gaps.add("nftables' rules went on changing while \(tool.rawValue) listed them") }
          rulesets.append(
            Ruleset(tool: tool, text: text, generationBefore: before, generationAfter: after))
          break
        }
      } catch {
        gaps.add("\(error)")
      }
    }
  }

  /// Empty where the kernel has no nftables.
  private static func tables(_ socket: NetlinkSocket) throws(NetlinkError) -> [NFTTable] {
    do {
      return try socket.dump(.nftTables) { m throws(NetlinkFormatError) in try NFTTable(netlink: m.payload) }.values
    } catch {
      if error.errno == EINVAL || error.errno == EOPNOTSUPP { return [] }
      throw error
    }
  }

  private static func generation(_ socket: NetlinkSocket) throws -> UInt32 {
    guard let answer = try socket.ask(.nftGeneration) else { throw NetlinkError.format(.value("no generation")) }
    return try decodeNFTGeneration(netlink: answer.payload)
  }

  private static func hasSets() throws -> Bool {
    guard KernelModule.mayBeThere("ip_set") else { return false }
    let socket = try NetlinkSocket(.netfilter)
    do {
      return try !socket.dump(.setNames) { _ throws(NetlinkFormatError) -> Bool? in true }.values.isEmpty
    } catch {
      if error.errno == EINVAL || error.errno == EOPNOTSUPP || error.errno == ENOENT { return false }
      throw error
    }
  }
}

extension Ruleset.Tool {
  /// Runs the tool in the calling thread's namespace.
  fileprivate func text() throws -> String {
    let command: Command? =
      switch self {
      case .nft: Command("nft", "--json", "list", "ruleset")
      case .ipset: Command("ipset", "save")
      case .ipvs: Command("ipvsadm", "--save", "--numeric")
      case .iptablesLegacy, .ip6tablesLegacy, .iptablesNFT, .ip6tablesNFT, .ebtables, .arptables: Command(rawValue)
      }
    guard let command else {
      throw Command.Failure("there may be rules of \(rawValue), but that program is not installed")
    }
    return String(decoding: try command.run(seconds: RulesetReader.patience), as: UTF8.self)
  }
}

/// Whether a part of the kernel may be there. Asking netlink for one that is not would load its module.
enum KernelModule {
  static func mayBeThere(_ name: String) -> Bool {
    if Files.exists("/sys/module/\(name)") || !Files.exists("/proc/modules") { return true }
    guard let builtin = try? Files.text("/lib/modules/\(Machine.kernelRelease)/modules.builtin") else { return true }
    return builtin.contains("/\(name).ko")
  }
}

extension Files {
  /// Whether a file has a byte; one that is absent has none, one that cannot be read is a gap.
  fileprivate static func hasContent(_ path: String, _ gaps: inout Gaps) -> Bool {
    guard exists(path) else { return false }
    do {
      return try !bytes(path).isEmpty
    } catch {
      gaps.add("\(error)")
      return false
    }
  }
}
