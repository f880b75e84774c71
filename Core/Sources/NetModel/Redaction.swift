import NetTypes

extension NodeSnapshot {
  /// The same node with pseudonyms, fit to be shown to strangers: addresses (prefixes stay prefixes), MAC addresses, names
  /// of the node, of namespaces, processes, programs and control groups, aliases of interfaces, keys, and all of these
  /// inside the rulesets' texts, with their comments. What decides a packet's way stays: interfaces' names and indices,
  /// ports, marks, users, tables, settings. `key` is random and thrown away.
  ///
  /// A range of addresses in a ruleset (`10.0.0.5-10.0.0.9`) has no counterpart; that ruleset gets a gap.
  public func redacted(key: (UInt64, UInt64)) -> NodeSnapshot {
    var redactor = Redactor(pseudonyms: Pseudonyms(key: key))
    for namespace in namespaces {
      for entry in namespace.addresses { redactor.pseudonyms.learn(entry.address) }
      for name in namespace.names { redactor.names.insert(name) }
    }
    redactor.names.insert(node)
    var result = self
    result.node = redactor.pseudonyms.name(node, "node")
    result.bootID = redactor.pseudonyms.name(bootID, "boot")
    for place in namespaces.indices { redactor.redact(&result.namespaces[place]) }
    for place in cgroupPrograms.indices {
      result.cgroupPrograms[place].cgroup = redactor.pseudonyms.path(cgroupPrograms[place].cgroup)
      redactor.redact(&result.cgroupPrograms[place].program)
    }
    for place in unplacedPrograms.indices { redactor.redact(&result.unplacedPrograms[place]) }
    redactor.redact(&result.parts)
    return result
  }
}

private struct Redactor {
  var pseudonyms: Pseudonyms
  /// Of the node and its namespaces, as they may stand in texts.
  var names: Set<String> = []

  mutating func redact(_ namespace: inout NetnsSnapshot) {
    namespace.names = namespace.names.map { pseudonyms.name($0, "netns") }
    for place in namespace.processes.indices {
      namespace.processes[place].command = pseudonyms.name(namespace.processes[place].command, "program")
    }
    for place in namespace.links.indices { redact(&namespace.links[place]) }
    for place in namespace.addresses.indices {
      redact(&namespace.addresses[place].address)
      redact(&namespace.addresses[place].peer)
      redact(&namespace.addresses[place].broadcast)
    }
    for place in namespace.neighbours.indices {
      redact(&namespace.neighbours[place].address)
      redact(&namespace.neighbours[place].mac)
    }
    for place in namespace.fdb.indices {
      namespace.fdb[place].mac = pseudonyms.mac(namespace.fdb[place].mac)
      redact(&namespace.fdb[place].remote)
    }
    for place in namespace.rules.indices {
      redact(&namespace.rules[place].source)
      redact(&namespace.rules[place].destination)
    }
    for place in namespace.routes.indices { redact(&namespace.routes[place]) }
    for place in namespace.nexthops.indices { redact(&namespace.nexthops[place].nextHop) }
    for place in namespace.sockets.indices {
      redact(&namespace.sockets[place].local)
      redact(&namespace.sockets[place].remote)
    }
    for place in namespace.filters.indices { redact(&namespace.filters[place].program) }
    for place in namespace.programs.indices { redact(&namespace.programs[place]) }
    redact(&namespace.parts)
    var gaps: [String] = []
    for place in namespace.rulesets.indices {
      var text = TextRedactor(pseudonyms)
      namespace.rulesets[place].text = text.redact(namespace.rulesets[place].text)
      pseudonyms = text.pseudonyms
      if text.hasRanges {
        gaps.append("\(namespace.rulesets[place].tool.rawValue): ranges of addresses are lost by redaction")
      }
    }
    guard !gaps.isEmpty else { return }
    let place = namespace.parts.firstIndex { $0.part == .rulesets }
    if let place {
      namespace.parts[place].gap = ([namespace.parts[place].gap].compactMap { $0 } + gaps).joined(separator: "; ")
    } else {
      namespace.parts.append(
        PartReport(part: .rulesets, gap: gaps.joined(separator: "; "), started: 0, took: 0))
    }
  }

  mutating func redact(_ link: inout Link) {
    redact(&link.mac)
    link.alias = link.alias.map { pseudonyms.name($0, "alias") }
    for place in link.programs.indices { redact(&link.programs[place]) }
    redact(&link.vxlan)
    if link.tunnel != nil {
      redact(&link.tunnel!.local)
      redact(&link.tunnel!.remote)
    }
    if link.macvlan != nil { link.macvlan!.sources = link.macvlan!.sources.map(pseudonyms.mac) }
    for place in link.wireguard?.peers.indices ?? 0..<0 {
      redact(&link.wireguard!.peers[place].endpoint)
      link.wireguard!.peers[place].publicKey = pseudonyms.name(link.wireguard!.peers[place].publicKey, "key")
      for block in link.wireguard!.peers[place].allowed.indices {
        link.wireguard!.peers[place].allowed[block] = pseudonyms.prefix(link.wireguard!.peers[place].allowed[block])
      }
    }
  }

  private mutating func redact(_ vxlan: inout VXLANParameters?) {
    guard vxlan != nil else { return }
    redact(&vxlan!.local)
    redact(&vxlan!.remote)
  }

  private mutating func redact(_ route: inout Route) {
    route.destination = pseudonyms.prefix(route.destination)
    redact(&route.source)
    redact(&route.preferredSource)
    for place in route.nextHops.indices { redact(&route.nextHops[place].gateway) }
  }

  private mutating func redact(_ hop: inout NextHop?) {
    guard hop != nil else { return }
    redact(&hop!.gateway)
  }

  private mutating func redact(_ address: inout IPAddress) { address = pseudonyms.address(address) }

  private mutating func redact(_ address: inout IPAddress?) {
    if let known = address { address = pseudonyms.address(known) }
  }

  private mutating func redact(_ prefix: inout IPPrefix?) {
    if let known = prefix { prefix = pseudonyms.prefix(known) }
  }

  private func redact(_ mac: inout MACAddress?) { mac = mac.map(pseudonyms.mac) }

  private func redact(_ program: inout AttachedProgram?) {
    guard program != nil else { return }
    redact(&program!)
  }

  func redact(_ program: inout AttachedProgram) {
    if !program.isOurs { program.name = program.name.map { pseudonyms.name($0, "program") } }
  }

  /// Gaps tell of files, whose names may be namespaces'.
  mutating func redact(_ parts: inout [PartReport]) {
    for place in parts.indices {
      guard var gap = parts[place].gap else { continue }
      for name in names.sorted(by: { $0.count > $1.count }) where !name.isEmpty {
        gap.replace(name, with: pseudonyms.name(name, "netns"))
      }
      var text = TextRedactor(pseudonyms)
      parts[place].gap = text.redact(gap)
    }
  }
}
