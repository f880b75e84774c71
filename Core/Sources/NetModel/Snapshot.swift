public import NetTypes

/// The network of one node at one time: the host's network namespace and every other one on it.
///
/// Facts as the kernel gives them; nothing here judges. What could not be read is a gap in `parts`, never a guess.
public struct NodeSnapshot: Hashable, Sendable, Codable {
  /// The version of this format. A reader refuses a newer one.
  public static let currentVersion = 1

  public var version = Self.currentVersion
  /// The node's name, as the contract's `k8s_node`.
  public var node: String
  /// As `uname -r` prints it.
  public var kernel: String
  /// /proc/sys/kernel/random/boot_id: cookies and interface indices hold only within one boot.
  public var bootID: String
  /// Nanoseconds since 1970.
  public var started: Int64
  public var finished: Int64
  public var namespaces: [NetnsSnapshot]
  /// eBPF programs attached to control groups, which may change or refuse what a process sends.
  public var cgroupPrograms: [CgroupProgram]
  /// Programs of netfilter: the kernel does not say in which namespace they are.
  public var unplacedPrograms: [AttachedProgram]
  /// How the parts were read that belong to no single namespace.
  public var parts: [PartReport]

  public init(
    node: String, kernel: String, bootID: String, started: Int64, finished: Int64, namespaces: [NetnsSnapshot],
    cgroupPrograms: [CgroupProgram] = [], parts: [PartReport] = []
  ) {
    self.node = node
    self.kernel = kernel
    self.bootID = bootID
    self.started = started
    self.finished = finished
    self.namespaces = namespaces
    self.cgroupPrograms = cgroupPrograms
    unplacedPrograms = []
    self.parts = parts
  }
}

/// What a snapshot consists of, each read on its own.
public enum SnapshotPart: String, Hashable, Sendable, Codable, CaseIterable {
  case links, addresses, neighbours, fdb, rules, routes, nexthops, sockets, sysctls, conntrack, qdiscs, filters
  case programs, xfrm, processes, rulesets, cgroupPrograms, namespaces
}

extension SnapshotPart {
  /// Those that each namespace has.
  public static let ofNamespace: [SnapshotPart] = allCases.filter {
    ![.cgroupPrograms, .namespaces, .processes].contains($0)
  }
}

/// How one part was read.
public struct PartReport: Hashable, Sendable, Codable {
  public var part: SnapshotPart
  /// Why it is missing or incomplete; nil when it is complete.
  public var gap: String?
  /// When reading began, nanoseconds since 1970, and how long it took, nanoseconds.
  public var started: Int64
  public var took: Int64

  public init(part: SnapshotPart, gap: String? = nil, started: Int64, took: Int64) {
    self.part = part
    self.gap = gap
    self.started = started
    self.took = took
  }
}

/// One network namespace.
public struct NetnsSnapshot: Hashable, Sendable, Codable {
  /// Its cookie; before Linux 5.14 its inode with the top bit set.
  public var id: NetnsCookie
  /// For people: inodes are reused at once.
  public var inode: UInt64
  /// Whether it is the initial namespace, that of the host.
  public var isHost: Bool
  /// Its names in /run/netns.
  public var names: [String]
  public var processes: [ProcessReference]
  /// Processes beyond those listed in `processes`.
  public var furtherProcesses: Int
  public var links: [Link]
  public var addresses: [InterfaceAddress]
  public var neighbours: [Neighbour]
  public var fdb: [FDBEntry]
  public var rules: [PolicyRule]
  /// In the kernel's order, which decides between routes that are equal otherwise.
  public var routes: [Route]
  public var nexthops: [NexthopObject]
  public var sockets: [SocketEntry]
  /// `net.ipv4.conf.all` and `default`, and the like for IPv6.
  public var ipv4All: IPv4Conf?
  public var ipv6All: IPv6Conf?
  /// What is not kept per interface, by its name for sysctl(8), e.g. `net.ipv4.ip_default_ttl`.
  public var sysctls: [String: String]
  public var conntrack: ConntrackCounts?
  public var qdiscs: [Qdisc]
  /// tc(8) filters.
  public var filters: [TrafficFilter]
  /// eBPF programs attached to the namespace itself (sk_lookup, flow dissector) or to hooks without an interface.
  public var programs: [AttachedProgram]
  /// IPsec policies and states (ip-xfrm(8)); nil when they could not be counted.
  public var xfrm: XfrmCounts?
  public var rulesets: [Ruleset]
  public var parts: [PartReport]

  public init(id: NetnsCookie, inode: UInt64, isHost: Bool = false, names: [String] = []) {
    self.id = id
    self.inode = inode
    self.isHost = isHost
    self.names = names
    processes = []
    furtherProcesses = 0
    links = []
    addresses = []
    neighbours = []
    fdb = []
    rules = []
    routes = []
    nexthops = []
    sockets = []
    sysctls = [:]
    qdiscs = []
    filters = []
    programs = []
    rulesets = []
    parts = []
  }

  /// `host`, a name from /run/netns, or `netns COOKIE`.
  public var displayName: String { isHost ? "host" : names.first ?? "netns \(id)" }

  /// Why `part` is not known completely; nil when it is.
  public func gap(_ part: SnapshotPart) -> String? { parts.first { $0.part == part && $0.gap != nil }?.gap }
}

/// A process that lives in a namespace.
public struct ProcessReference: Hashable, Sendable, Codable {
  public var pid: Int32
  /// /proc/PID/comm.
  public var command: String

  public init(pid: Int32, command: String) {
    self.pid = pid
    self.command = command
  }
}

public struct ConntrackCounts: Hashable, Sendable, Codable {
  public var entries: UInt64
  public var maximum: UInt64

  public init(entries: UInt64, maximum: UInt64) {
    self.entries = entries
    self.maximum = maximum
  }
}

public struct XfrmCounts: Hashable, Sendable, Codable {
  public var policies: UInt32
  public var states: UInt32

  public init(policies: UInt32, states: UInt32) {
    self.policies = policies
    self.states = states
  }
}

/// The text of one ruleset, as its own tool prints it. Parsed when it is needed, so that an old snapshot gains from a new
/// parser.
public struct Ruleset: Hashable, Sendable, Codable {
  public enum Tool: String, Hashable, Sendable, Codable, CaseIterable {
    case iptablesLegacy = "iptables-legacy-save"
    case ip6tablesLegacy = "ip6tables-legacy-save"
    case iptablesNFT = "iptables-nft-save"
    case ip6tablesNFT = "ip6tables-nft-save"
    /// `nft --json list ruleset`.
    case nft
    case ipset
    case ipvs
    case ebtables = "ebtables-legacy-save"
    case arptables = "arptables-legacy-save"
  }

  public var tool: Tool
  public var text: String
  /// The nftables generation (NFT_MSG_GETGEN) before and after reading; nil for other tools. Unequal: the text may mix two.
  public var generationBefore: UInt32?
  public var generationAfter: UInt32?

  public init(tool: Tool, text: String, generationBefore: UInt32? = nil, generationAfter: UInt32? = nil) {
    self.tool = tool
    self.text = text
    self.generationBefore = generationBefore
    self.generationAfter = generationAfter
  }
}

/// An eBPF program attached to a control group.
public struct CgroupProgram: Hashable, Sendable, Codable {
  /// The folder below the cgroup2 mount, `/` for the root.
  public var cgroup: String
  /// The kernel's name, e.g. `inet4_connect` (enum bpf_attach_type without its prefix, in lower case).
  public var attachType: String
  public var program: AttachedProgram

  public init(cgroup: String, attachType: String, program: AttachedProgram) {
    self.cgroup = cgroup
    self.attachType = attachType
    self.program = program
  }
}

/// An eBPF program where it is attached.
public struct AttachedProgram: Hashable, Sendable, Codable {
  public var id: UInt32
  /// As the kernel keeps it: 15 bytes at most.
  public var name: String?
  /// Where, e.g. `xdp`, `tcx_ingress`, `sk_lookup`.
  public var hook: String
  /// Of this project and known not to change a packet's fate.
  public var isOurs: Bool

  public init(id: UInt32, name: String? = nil, hook: String, isOurs: Bool = false) {
    self.id = id
    self.name = name
    self.hook = hook
    self.isOurs = isOurs
  }
}

extension NodeSnapshot {
  /// Why `part` of the node as a whole is not known completely; nil when it is.
  public func gap(_ part: SnapshotPart) -> String? { parts.first { $0.part == part && $0.gap != nil }?.gap }

  /// What is missing, one line for each reason: of which part, and in which namespaces.
  public var gapLines: [String] {
    var places: [String: [String]] = [:]
    var order: [String] = []
    func add(_ reports: [PartReport], _ place: String) {
      for report in reports {
        guard let gap = report.gap else { continue }
        let line = "\(report.part.rawValue): \(gap)"
        if places[line] == nil { order.append(line) }
        places[line, default: []].append(place)
      }
    }
    add(parts, "node")
    for namespace in namespaces { add(namespace.parts, namespace.displayName) }
    return order.map { line in
      let names = places[line]!
      let more = names.count > 3 ? " and \(names.count - 3) more" : ""
      return "gap in \(names.prefix(3).joined(separator: ", "))\(more): \(line)"
    }
  }
}
