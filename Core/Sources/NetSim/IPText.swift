import NetModel
import NetTypes

/// Objects as ip(8) and bridge(8) print them.
enum IPText {
  static func route(_ route: Route, _ netns: Namespace) -> String {
    var words: [String] = []
    if route.type != .unicast { words.append(route.type.rawValue) }
    words.append(destination(route.destination))
    if let source = route.source, source.length > 0 { words += ["from", source.description] }
    if route.tos != 0 { words += ["tos", String(route.tos)] }
    if let id = route.nexthopID { words += ["nhid", String(id)] }
    if route.nextHops.count == 1 {
      words += way(route.nextHops[0], netns)
    } else {
      for hop in route.nextHops { words += ["nexthop"] + way(hop, netns) + ["weight", String(hop.weight)] }
    }
    if route.table != 254 { words += ["table", table(route.table)] }
    if let source = route.preferredSource { words += ["src", source.description] }
    if route.metric != 0 { words += ["metric", String(route.metric)] }
    if let mtu = route.mtu { words += route.isMTULocked ? ["mtu", "lock", String(mtu)] : ["mtu", String(mtu)] }
    return words.joined(separator: " ")
  }

  private static func destination(_ prefix: IPPrefix) -> String {
    if prefix.length == 0 { return "default" }
    return prefix.length == prefix.address.family.bitWidth ? prefix.address.description : prefix.description
  }

  static func way(_ hop: NextHop, _ netns: Namespace) -> [String] {
    var words: [String] = []
    if let gateway = hop.gateway { words += ["via", gateway.description] }
    if let interface = hop.interface { words += ["dev", device(interface, netns)] }
    if hop.isOnLink { words.append("onlink") }
    if hop.isDead { words.append("dead") }
    if hop.isLinkDown { words.append("linkdown") }
    return words
  }

  static func device(_ index: Int32, _ netns: Namespace) -> String { netns.link(index)?.name ?? "if\(index)" }

  static func table(_ id: UInt32) -> String {
    switch id {
    case 255: "local"
    case 254: "main"
    case 253: "default"
    default: String(id)
    }
  }

  static func rule(_ rule: PolicyRule) -> String {
    var words = ["\(rule.priority):"]
    if rule.isInverted { words.append("not") }
    words += ["from", rule.source.map(\.description) ?? "all"]
    if let destination = rule.destination { words += ["to", destination.description] }
    if rule.tos != 0 { words += ["tos", String(rule.tos)] }
    if rule.markMask != 0 {
      let mask = rule.markMask == .max ? "" : "/0x" + String(rule.markMask, radix: 16)
      words += ["fwmark", "0x" + String(rule.mark, radix: 16) + mask]
    }
    if let name = rule.inputInterface { words += ["iif", name] }
    if let name = rule.outputInterface { words += ["oif", name] }
    if let uids = rule.uids { words += ["uidrange", "\(uids.lowerBound)-\(uids.upperBound)"] }
    if let ipProtocol = rule.ipProtocol { words += ["ipproto", ipProtocol.contractName.lowercased()] }
    if let ports = rule.sourcePorts { words += ["sport", Self.ports(ports)] }
    if let ports = rule.destinationPorts { words += ["dport", Self.ports(ports)] }
    switch rule.action {
    case .lookup(let id): words += ["lookup", table(id)]
    case .goto(let target): words += ["goto", String(target)]
    case .nop: words.append("nop")
    case .blackhole: words.append("blackhole")
    case .unreachable: words.append("unreachable")
    case .prohibit: words.append("prohibit")
    case .unknown(let action): words += ["action", String(action)]
    }
    if let length = rule.suppressPrefixLength { words += ["suppress_prefixlength", String(length)] }
    return words.joined(separator: " ")
  }

  private static func ports(_ ports: ClosedRange<UInt16>) -> String {
    ports.count == 1 ? String(ports.lowerBound) : "\(ports.lowerBound)-\(ports.upperBound)"
  }

  static func neighbour(_ entry: Neighbour, _ netns: Namespace) -> String {
    let mac = entry.mac.map { " lladdr \($0)" } ?? ""
    return "\(entry.address) dev \(device(entry.interface, netns))\(mac) \(entry.state.rawValue.uppercased())"
  }

  static func fdb(_ entry: FDBEntry, _ netns: Namespace) -> String {
    var words = [entry.mac.description, "dev", device(entry.interface, netns)]
    if let remote = entry.remote { words += ["dst", remote.description] }
    if let bridge = entry.bridge { words += ["master", device(bridge, netns)] }
    if entry.isLocal { words.append("permanent") } else if entry.isStatic { words.append("static") }
    return words.joined(separator: " ")
  }

  static func socket(_ socket: SocketEntry, _ netns: Namespace) -> String {
    let address = socket.local.family == .v6 ? "[\(socket.local)]" : socket.local.description
    let device = socket.boundInterface.map { "%" + self.device($0, netns) } ?? ""
    return "\(socket.kind.rawValue) \(socket.state) \(address)\(device):\(socket.localPort)"
  }
}
