import NetModel

/// What is there but not modelled. Its presence on a packet's path makes the answer undecided.
enum Presence {
  /// Queueing disciplines that neither lose nor change packets of a single flow.
  static let harmlessQdiscs: Set<String> = [
    "noqueue", "pfifo_fast", "pfifo", "bfifo", "fq", "fq_codel", "mq", "multiq", "prio", "htb", "cake",
  ]

  /// Netfilter, as long as the simulator does not run its rules: any rule, or a policy other than accept.
  static func netfilter(_ node: NodeSnapshot, _ netns: NetnsSnapshot) -> String? {
    // Netfilter's eBPF programs do not say where they are attached.
    if let program = node.unplacedPrograms.first(where: { !$0.isOurs }) {
      return "the eBPF program \(program.name ?? "\(program.id)") at \(program.hook)"
    }
    if let gap = node.gap(.programs) { return "netfilter's eBPF programs are not known: \(gap)" }
    if let gap = netns.gap(.rulesets) { return "the rulesets of \(netns.displayName) are not known: \(gap)" }
    for ruleset in netns.rulesets where !isEmpty(ruleset) {
      return "netfilter rules (\(ruleset.tool.rawValue)) in \(netns.displayName)"
    }
    return nil
  }

  /// Parts of the snapshot without which nothing is known about a namespace's packets. `rulesets` count only where packets
  /// pass netfilter.
  private static let deciding: [SnapshotPart] = [
    .links, .addresses, .neighbours, .fdb, .rules, .routes, .nexthops, .sockets, .sysctls, .qdiscs, .filters, .programs,
    .xfrm,
  ]

  /// What could not be read of a namespace.
  static func gap(_ netns: NetnsSnapshot) -> String? {
    for part in deciding {
      if let gap = netns.gap(part) { return "the \(part.rawValue) of \(netns.displayName) are not known: \(gap)" }
    }
    return nil
  }

  private static func isEmpty(_ ruleset: Ruleset) -> Bool {
    switch ruleset.tool {
    case .ipset: true
    case .nft:
      // Objects of the JSON output (libnftables-json(5)); a policy is written only for base chains.
      !ruleset.text.contains("\"rule\"") && !ruleset.text.contains("\"policy\": \"drop\"")
        && !ruleset.text.contains("\"flowtable\"")
    case .ipvs: !ruleset.text.split(separator: "\n").contains { $0.hasPrefix("-A") }
    default:
      !ruleset.text.split(separator: "\n").contains { line in
        line.hasPrefix("-A") || line.hasPrefix(":") && line.contains(" DROP ")
      }
    }
  }

  /// Programs at a control group's socket or packet hooks may refuse or rewrite (bpf-helpers(7), enum bpf_attach_type).
  static func cgroupPrograms(_ node: NodeSnapshot, _ netns: NetnsSnapshot) -> String? {
    if let gap = node.gap(.cgroupPrograms) { return "the programs at control groups are not known: \(gap)" }
    for entry in node.cgroupPrograms where !entry.program.isOurs && entry.attachType.hasPrefix("inet") {
      return "the eBPF program \(entry.program.name ?? "\(entry.program.id)") at \(entry.attachType) of control group "
        + entry.cgroup
    }
    for program in netns.programs where !program.isOurs && program.hook == "sk_lookup" {
      return "the sk_lookup program \(program.name ?? "\(program.id)") in \(netns.displayName)"
    }
    return nil
  }
}
