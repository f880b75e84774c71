import NetTypes
public import PathCases

/// Makes worlds. The same seed makes the same world.
public enum Generator {
  public static let questionsPerWorld = 16

  /// The names of what worlds may have.
  public static let features: [String] =
    Topology.allCases.map { "topology.\($0)" } + Change.all.map(\.name)

  /// Features that the simulator does not model: there it has to say so.
  public static let extensions: Set<String> = ["port.proxy-arp", "port.locked"]

  public static func plan(seed: UInt64) -> WorldPlan {
    var random = SplitMix(seed: seed, stream: 1)
    let topology = random.pick(weighted: Topology.weighted)
    var sketch = topology.sketch(random)
    sketch.route()
    sketch.addServers()
    // Most worlds have some change, few have many: half of the questions should work.
    let changes = sketch.random.pick(weighted: [(2, 0), (4, 1), (4, 2), (3, 3), (2, 4)])
    for _ in 0..<changes { Change.apply(to: &sketch) }
    var questions: [QuestionPlan] = []
    for _ in 0..<questionsPerWorld { questions.append(sketch.question()) }
    return WorldPlan(
      seed: seed, topology: sketch.topology, namespaces: sketch.nodes.count, commands: sketch.commands(),
      servers: sketch.servers, questions: questions)
  }
}

/// Servers: most namespaces have some, of every kind that differs in what it takes.
extension Sketch {
  static let ports: [UInt16] = [80, 81, 53]

  mutating func addServers() {
    for node in nodes.indices {
      for port in Self.ports where random.chance(90) {
        for kind in [ServerPlan.Kind.tcp, .udp] where random.chance(85) { addServer(node, kind, port) }
      }
    }
  }

  private mutating func addServer(_ node: Int, _ kind: ServerPlan.Kind, _ port: UInt16) {
    let own = nodes[node].interfaces.filter { $0.segment != nil }
    let v4Any = IPAddress(v4: 0)
    let v6Any = IPAddress(v6High: 0, low: 0)
    func add(_ address: IPAddress, v6Only: Bool = false, device: String? = nil, isFull: Bool = false) {
      servers.append(
        ServerPlan(
          netns: node, kind: kind, address: address, port: port, v6Only: v6Only, device: device, isFull: isFull))
    }
    switch random.below(20) {
    case 0..<10: add(v6Any)
    case 10, 11:
      add(v4Any)
      if random.chance(60) { add(v6Any, v6Only: true) }
    case 12: add(v6Any, v6Only: true)
    case 13, 14:
      guard let interface = own.first else { return add(v4Any) }
      add(interface.v4!)
      add(interface.v6!)
    case 15:
      guard let interface = own.first else { return add(v6Any) }
      add(random.chance(50) ? interface.v4! : interface.v6!)
    case 16, 17:
      guard !own.isEmpty else { return add(v6Any) }
      add(random.chance(50) ? v4Any : v6Any, device: random.pick(own).name)
    case 18: add(IPAddress(v4: 0x7f00_0001))
    default: add(random.chance(50) ? v4Any : v6Any, isFull: kind == .tcp)
    }
  }
}

/// Questions: mostly to somebody's address and a port that is served.
extension Sketch {
  static let marks: [UInt32] = [1, 2, 3, 4]
  static let owners: [UInt32] = [1000, 65534]

  mutating func question() -> QuestionPlan {
    let from = random.below(nodes.count)
    let family = family()
    var destination = destination(from: from, family)
    let kind = random.pick(weighted: [(5, QuestionPlan.Kind.tcp), (4, .udp), (4, .icmp)])
    let port = kind == .icmp ? 0 : random.chance(92) ? random.pick(Self.ports) : 9
    var question = QuestionPlan(from: from, to: destination, kind, port: port)
    if random.chance(12) { question.source = source(of: from, family) }
    let own = nodes[from].interfaces.filter { $0.kind != "port" }
    if random.chance(8), !own.isEmpty { question.device = random.chance(10) ? "lo" : random.pick(own).name }
    if random.chance(15) { question.uid = random.pick(Self.owners) }
    if random.chance(15) { question.mark = random.pick(Self.marks) }
    if kind != .tcp, random.chance(30) {
      question.payload = random.pick([0, 8, 500, 560, 1230, 1260, 1300, 1400, 1450, 1472, 1480, 2000, 4000, 9000])
      question.dontFragment = random.chance(50)
    }
    // Link-local addresses mean nothing without their interface.
    if family == 6, random.chance(4), let interface = own.randomOne(&random), interface.segment != nil {
      let others = places.filter { $0.segment == interface.segment && $0.node != from }
      if !others.isEmpty {
        destination = Self.linkLocal(random.pick(others).interface.mac)
        question.destination = destination
        question.device = interface.name
        question.source = nil
      }
    }
    return question
  }

  /// The address that an interface gives itself (RFC 4291 appendix A).
  static func linkLocal(_ mac: MACAddress) -> IPAddress {
    let value = mac.value ^ 0x0200_0000_0000
    return IPAddress(v6High: 0xfe80_0000_0000_0000, low: (value >> 24) << 40 | 0xff_fe00_0000 | value & 0xff_ffff)
  }

  private mutating func destination(from: Int, _ family: Int) -> IPAddress {
    let place = place()
    switch random.below(100) {
    case 0..<82: return target(from: from, family)
    case 82..<88:
      guard let own = places.filter({ $0.node == from }).randomOne(&random) else { return target(from: from, family) }
      return address(own.interface, family)
    case 88..<91: return family == 4 ? address4(place.segment, host: 77) : address6(place.segment, host: 77)
    case 91..<93: return family == 4 ? IPAddress(v4: 0xc633_6407) : IPAddress(v6High: 0x2001_0db8_0000_0000, low: 7)
    case 93..<95: return family == 4 ? IPAddress(v4: 0x7f00_0001) : IPAddress(v6High: 0, low: 1)
    case 95: return family == 4 ? IPAddress(v4: 0x7f01_0203) : address6(place.segment, host: 0)
    case 96, 97:
      return family == 4 ? address4(place.segment, host: 255) : address6(place.segment, host: 50 + place.node)
    case 98: return family == 4 ? address4(place.segment, host: 50 + place.node) : target(from: from, 6)
    default: return family == 4 ? address4(place.segment, host: 0) : target(from: from, 6)
    }
  }

  private mutating func source(of from: Int, _ family: Int) -> IPAddress {
    if random.chance(15) { return target(from: from, family) }
    if random.chance(20), let loopback = family == 4 ? nodes[from].loopback4 : nodes[from].loopback6 { return loopback }
    guard let own = places.filter({ $0.node == from }).randomOne(&random) else {
      return family == 4 ? IPAddress(v4: 0x7f00_0001) : IPAddress(v6High: 0, low: 1)
    }
    return address(own.interface, family)
  }
}

extension Array {
  /// One of them; nil when there is none.
  func randomOne(_ random: inout SplitMix) -> Element? { isEmpty ? nil : random.pick(self) }
}
