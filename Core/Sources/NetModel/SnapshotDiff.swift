/// One difference between two snapshots.
public struct SnapshotChange: Hashable, Sendable, Codable {
  public enum Kind: String, Hashable, Sendable, Codable, CaseIterable { case appeared, vanished, changed }

  /// The namespace's name for people; nil for what belongs to none.
  public var namespace: String?
  /// Which part; `namespaces` when a namespace itself came or went.
  public var part: SnapshotPart
  public var kind: Kind
  /// What it is: an interface, a route, a setting.
  public var object: String
  /// As it was and as it is, for what changed.
  public var before: String?
  public var after: String?

  /// One line: `+ route 10.0.0.0/8 via 10.1.0.2 dev eth0`.
  public var text: String {
    switch kind {
    case .appeared: "+ \(object)"
    case .vanished: "- \(object)"
    case .changed: "~ \(object): \(Self.word(before)) -> \(Self.word(after))"
    }
  }
}

extension SnapshotChange {
  private static func word(_ text: String?) -> String { text.flatMap { $0.isEmpty ? nil : $0 } ?? "nothing" }
}

/// What appeared, vanished and changed from one snapshot to another, by namespace and part.
///
/// Namespaces are the same by cookie within one boot, by name across boots. What changes by itself is left out: which of
/// the states of a living neighbour entry it has, remaining lifetimes, counters, queues of sockets, and times.
public struct SnapshotDiff: Hashable, Sendable {
  public var changes: [SnapshotChange]

  public init(from old: NodeSnapshot, to new: NodeSnapshot) {
    changes = []
    var builder = DiffBuilder()
    let sameBoot = old.bootID == new.bootID
    func key(_ namespace: NetnsSnapshot) -> String {
      sameBoot || namespace.names.isEmpty && !namespace.isHost ? "\(namespace.id)" : namespace.displayName
    }
    let before = Dictionary(old.namespaces.map { (key($0), $0) }) { first, _ in first }
    let after = Dictionary(new.namespaces.map { (key($0), $0) }) { first, _ in first }
    builder.compare(
      .namespaces, before.mapValues { _ in "" }.rekeyed { before[$0]!.displayName },
      after.mapValues { _ in "" }.rekeyed { after[$0]!.displayName })
    for namespace in new.namespaces {
      guard let other = before[key(namespace)] else { continue }
      builder.namespace = namespace.displayName
      builder.compare(other, namespace)
    }
    builder.namespace = nil
    builder.compare(
      .cgroupPrograms, DiffBuilder.lines(old.cgroupPrograms) { "\($0.cgroup) \($0.attachType) \($0.program.words)" },
      DiffBuilder.lines(new.cgroupPrograms) { "\($0.cgroup) \($0.attachType) \($0.program.words)" })
    builder.compare(
      .programs, DiffBuilder.lines(old.unplacedPrograms, \.words), DiffBuilder.lines(new.unplacedPrograms, \.words))
    changes = builder.changes
  }

  /// Lines under a heading for each namespace; empty when nothing differs.
  public var text: String {
    var text = ""
    var heading: String??
    for change in changes {
      if heading != .some(change.namespace) {
        heading = .some(change.namespace)
        text += (change.namespace.map { "netns \($0)" } ?? "node") + "\n"
      }
      text += "  \(change.part.rawValue.padded(15))\(change.text)\n"
    }
    return text
  }
}

extension String {
  fileprivate func padded(_ width: Int) -> String { self + String(repeating: " ", count: max(width - count, 1)) }
}

extension Dictionary where Key == String, Value == String {
  fileprivate func rekeyed(_ body: (String) -> String) -> Self {
    Dictionary(map { (body($0.key), $0.value) }) { first, _ in first }
  }
}

/// Compares objects that are the same by key and say something.
private struct DiffBuilder {
  var namespace: String?
  var changes: [SnapshotChange] = []

  /// What is its own key: it appears and vanishes, but does not change. Equal ones are numbered.
  static func lines<Item>(_ items: [Item], _ words: (Item) -> String) -> [String: String] {
    var result: [String: String] = [:]
    var counts: [String: Int] = [:]
    for item in items {
      let line = words(item)
      counts[line, default: 0] += 1
      result[counts[line]! == 1 ? line : "\(line) (\(counts[line]!))"] = ""
    }
    return result
  }

  mutating func compare(_ part: SnapshotPart, _ old: [String: String], _ new: [String: String]) {
    for key in Set(old.keys).union(new.keys).sorted() {
      let before = old[key]
      let after = new[key]
      if before == after { continue }
      let kind: SnapshotChange.Kind = before == nil ? .appeared : after == nil ? .vanished : .changed
      let words = kind == .appeared ? after : kind == .vanished ? before : nil
      changes.append(
        SnapshotChange(
          namespace: namespace, part: part, kind: kind,
          object: words.map { $0.isEmpty ? key : "\(key) \($0)" } ?? key,
          before: kind == .changed ? before : nil, after: kind == .changed ? after : nil))
    }
  }

  mutating func compare(_ old: NetnsSnapshot, _ new: NetnsSnapshot) {
    let (was, now) = (InterfaceNames(old), InterfaceNames(new))
    compareLinks(old, new)
    compare(.programs, Self.programs(old), Self.programs(new))
    compare(.addresses, Self.lines(old.addresses) { $0.words(was) }, Self.lines(new.addresses) { $0.words(now) })
    compare(.neighbours, Self.neighbours(old, was), Self.neighbours(new, now))
    compare(.fdb, Self.lines(old.fdb) { $0.words(was) }, Self.lines(new.fdb) { $0.words(now) })
    compare(.rules, Self.lines(old.rules, \.words), Self.lines(new.rules, \.words))
    compare(.routes, Self.lines(old.routes) { $0.words(was) }, Self.lines(new.routes) { $0.words(now) })
    compare(.nexthops, Self.lines(old.nexthops) { $0.words(was) }, Self.lines(new.nexthops) { $0.words(now) })
    compare(.sockets, Self.lines(old.sockets) { $0.words(was) }, Self.lines(new.sockets) { $0.words(now) })
    // Settings of an interface that came or went are no news.
    let common = Set(old.links.map(\.name)).intersection(new.links.map(\.name))
    compare(.sysctls, old.settings(of: common), new.settings(of: common))
    compare(.qdiscs, Self.lines(old.qdiscs) { $0.words(was) }, Self.lines(new.qdiscs) { $0.words(now) })
    compare(.filters, Self.lines(old.filters) { $0.words(was) }, Self.lines(new.filters) { $0.words(now) })
    compare(.xfrm, Self.xfrm(old), Self.xfrm(new))
    compare(
      .processes, Self.lines(old.processes) { "\($0.command) pid \($0.pid)" },
      Self.lines(new.processes) { "\($0.command) pid \($0.pid)" })
    for tool in Ruleset.Tool.allCases { compare(.rulesets, Self.rules(old, tool), Self.rules(new, tool)) }
    for part in SnapshotPart.allCases { compare(part, Self.gaps(old, part), Self.gaps(new, part)) }
  }

  /// Of an interface that changed, only what did.
  private mutating func compareLinks(_ old: NetnsSnapshot, _ new: NetnsSnapshot) {
    let (was, now) = (InterfaceNames(old), InterfaceNames(new))
    var before: [String: String] = [:]
    var after: [String: String] = [:]
    for link in old.links {
      let words = link.phrases(was)
      let other = new.links.first { $0.name == link.name }?.phrases(now)
      before[link.name] = words.filter { other?.contains($0) != true }.joined(separator: " ")
      if let other { after[link.name] = other.filter { !words.contains($0) }.joined(separator: " ") }
    }
    for link in new.links where after[link.name] == nil { after[link.name] = link.words(now) }
    compare(.links, before, after)
  }

  private static func programs(_ namespace: NetnsSnapshot) -> [String: String] {
    lines(namespace.links.flatMap { link in link.programs.map { "\($0.words) dev \(link.name)" } }) { $0 }
      .merging(lines(namespace.programs, \.words)) { first, _ in first }
  }

  /// Whether an entry was used lately is no difference; nor are the entries of multicast addresses.
  private static func neighbours(_ namespace: NetnsSnapshot, _ names: InterfaceNames) -> [String: String] {
    lines(namespace.neighbours.filter { $0.state != .noARP }) { entry in
      var entry = entry
      if [.stale, .delay, .probe].contains(entry.state) { entry.state = .reachable }
      return entry.words(names)
    }
  }

  private static func xfrm(_ namespace: NetnsSnapshot) -> [String: String] {
    guard let counts = namespace.xfrm else { return [:] }
    return ["IPsec": "policies \(counts.policies) states \(counts.states)"]
  }

  private static func gaps(_ namespace: NetnsSnapshot, _ part: SnapshotPart) -> [String: String] {
    namespace.gap(part).map { ["gap": $0] } ?? [:]
  }

  /// The lines of a ruleset's text without comments and counters; nft's JSON has one line, which is told apart at its
  /// objects' borders.
  private static func rules(_ namespace: NetnsSnapshot, _ tool: Ruleset.Tool) -> [String: String] {
    var chain = ""
    let text = namespace.rulesets.first { $0.tool == tool }?.text ?? ""
    let pieces = tool == .nft ? text.nftObjects : text.split(separator: "\n").map(String.init)
    return lines(pieces.filter { !$0.hasPrefix("#") && !$0.contains("\"metainfo\"") && $0 != "COMMIT" }) { line in
      // A table's name stands before its chains and rules.
      if line.hasPrefix("*") { chain = line }
      return "\(tool.rawValue): \(chain.isEmpty || line == chain ? "" : chain + " ")\(line.withoutCounters)"
    }
  }
}

extension NetnsSnapshot {
  /// All settings by the names that sysctl(8) has for them, and those of some interfaces.
  func settings(of interfaces: Set<String>) -> [String: String] {
    var result = sysctls
    func add(_ interface: String, _ ipv4: IPv4Conf?, _ ipv6: IPv6Conf?) {
      for setting in IPv4Conf.settings {
        result["net.ipv4.conf.\(interface).\(setting.name)"] = ipv4.map { String($0[keyPath: setting.path]) }
      }
      for setting in IPv6Conf.settings {
        result["net.ipv6.conf.\(interface).\(setting.name)"] = ipv6.map { String($0[keyPath: setting.path]) }
      }
    }
    add("all", ipv4All, ipv6All)
    for link in links where interfaces.contains(link.name) { add(link.name, link.ipv4, link.ipv6) }
    return result
  }
}

extension String {
  /// `:INPUT ACCEPT [12:345]` without its counters, and nft's `"packets": 1, "bytes": 2` likewise.
  fileprivate var withoutCounters: String {
    if hasPrefix(":"), let bracket = lastIndex(of: "[") { return String(self[..<bracket]) }
    var text = self
    for key in ["\"packets\": ", "\"bytes\": ", "\"handle\": "] {
      var parts = text.components(separatedBy: key)
      for place in parts.indices.dropFirst() { parts[place] = String(parts[place].drop(while: \.isNumber)) }
      text = parts.joined(separator: key)
    }
    return text
  }

  fileprivate func components(separatedBy separator: String) -> [String] {
    var parts: [String] = []
    var rest = self[...]
    while let range = rest.firstRange(of: separator) {
      parts.append(String(rest[..<range.lowerBound]))
      rest = rest[range.upperBound...]
    }
    return parts + [String(rest)]
  }

  /// The objects in the list `{"nftables": [ … ]}`, each on its own.
  fileprivate var nftObjects: [String] {
    var objects: [String] = []
    var depth = 0
    var quoted = false
    var escaped = false
    var current: [UInt8] = []
    for byte in utf8 {
      if depth >= 2 { current.append(byte) }
      if escaped {
        escaped = false
        continue
      }
      switch byte {
      case UInt8(ascii: "\\") where quoted: escaped = true
      case UInt8(ascii: "\""): quoted.toggle()
      case UInt8(ascii: "{") where !quoted:
        if depth == 1 { current = [byte] }
        depth += 1
      case UInt8(ascii: "}") where !quoted:
        depth -= 1
        if depth == 1 { objects.append(String(decoding: current, as: UTF8.self)) }
      default: break
      }
    }
    return objects
  }
}
