import Glibc
import LinuxNetlink
import LinuxSystem
import NetModel
import NetParse
import NetTypes

/// Reads what one namespace has. It runs on the thread that has entered it.
struct NamespaceReader {
  var snapshot: NetnsSnapshot
  private var log = PartLog()
  private let socket: NetlinkSocket

  init(_ snapshot: NetnsSnapshot) throws {
    self.snapshot = snapshot
    socket = try NetlinkSocket(.route)
  }

  /// `file`: the namespace's own open descriptor.
  mutating func read(
    _ options: NodeStateCollector.Options, ids: NamespaceIDs, programs: inout ProgramReader, file: Int32
  ) -> NetnsSnapshot {
    readLinks(ids)
    var links = snapshot.links
    snapshot.programs = log.read(.programs, []) { _ in
      try programs.complete(&links)
      return try programs.ofNamespace(file: file)
    }
    snapshot.links = links
    snapshot.addresses = list(.addresses, .addresses) { m throws(NetlinkFormatError) in try .init(netlink: m.payload) }
    readNeighbours()
    readRouting()
    readTraffic()
    readSockets(options)
    readSettings()
    snapshot.conntrack = log.read(.conntrack, nil) { _ in try Sysctls.conntrack() }
    snapshot.xfrm = log.read(.xfrm, nil) { _ in try Xfrm.counts() }
    snapshot.rulesets = log.read(.rulesets, []) { RulesetReader.read(&$0) }
    snapshot.parts = log.reports
    return snapshot
  }

  /// The values of some dumps, one behind another.
  private mutating func list<Value: Sendable>(
    _ part: SnapshotPart, _ requests: NetlinkRequest...,
    decode: (NetlinkMessage) throws(NetlinkFormatError) -> Value?
  ) -> [Value] {
    let socket = socket
    return log.read(part, []) { gaps in
      var values: [Value] = []
      for request in requests {
        values += try Self.dump(socket, request, &gaps, decode)
      }
      return values
    }
  }

  private static func dump<Value: Sendable>(
    _ socket: NetlinkSocket, _ request: NetlinkRequest, _ gaps: inout Gaps,
    _ decode: (NetlinkMessage) throws(NetlinkFormatError) -> Value?
  ) throws(NetlinkError) -> [Value] {
    let dump = try socket.dump(request, decode)
    if !dump.isConsistent { gaps.add("the kernel's table went on changing while it was read") }
    return dump.values
  }

  private mutating func readLinks(_ ids: NamespaceIDs) {
    let socket = socket
    snapshot.links = log.read(.links, []) { gaps in
      let decoded: [DecodedLink] = try Self.dump(socket, .links, &gaps) { message throws(NetlinkFormatError) in
        try DecodedLink(netlink: message.payload)
      }
      let names = try ids.resolve(Set(decoded.compactMap(\.linkNetnsID)), over: socket)
      var links = decoded.map { decoded in
        var link = decoded.link
        if let id = decoded.linkNetnsID {
          link.linkNetns = names[id]
          link.linkNetnsUnknown = names[id] == nil ? true : nil
        }
        return link
      }
      if links.contains(where: { $0.bridge?.vlanFiltering == true }) {
        let vlans: [PortVLANs] = try Self.dump(socket, .bridgeVLANs, &gaps) { message throws(NetlinkFormatError) in
          try PortVLANs(netlink: message.payload)
        }
        for entry in vlans {
          guard let place = links.firstIndex(where: { $0.index == entry.interface }) else { continue }
          if links[place].port != nil { links[place].port!.vlans = entry.vlans }
          if links[place].bridge != nil { links[place].bridge!.vlans = entry.vlans }
        }
      }
      for link in links where link.kind == .wireguard {
        gaps.add("the peers of \(link.name) are not read: WireGuard tells them by another protocol")
      }
      return links
    }
  }

  private mutating func readNeighbours() {
    snapshot.neighbours = list(
      .neighbours, .neighbours(.v4, proxies: false), .neighbours(.v6, proxies: false),
      .neighbours(.v4, proxies: true), .neighbours(.v6, proxies: true)
    ) { message throws(NetlinkFormatError) in try Neighbour(netlink: message.payload) }
    snapshot.fdb = list(.fdb, .fdb) { message throws(NetlinkFormatError) in
      try FDBEntry(netlink: message.payload)
    }
  }

  private mutating func readRouting() {
    snapshot.rules = list(.rules, .rules(.v4), .rules(.v6)) { message throws(NetlinkFormatError) in
      try PolicyRule(netlink: message.payload)
    }
    snapshot.routes = list(.routes, .routes(.v4), .routes(.v6)) { message throws(NetlinkFormatError) in
      try Route(netlink: message.payload)
    }
    let socket = socket
    snapshot.nexthops = log.read(.nexthops, []) { gaps in
      do {
        return try Self.dump(socket, .nexthops, &gaps) { message throws(NetlinkFormatError) in
          try NexthopObject(netlink: message.payload)
        }
      } catch NetlinkError.refused(errno: EOPNOTSUPP, _) {
        // EOPNOTSUPP: kernels before 5.3 have none.
        return []
      }
    }
  }

  private mutating func readTraffic() {
    snapshot.qdiscs = list(.qdiscs, .qdiscs) { message throws(NetlinkFormatError) in
      try Qdisc(netlink: message.payload)
    }
    let socket = socket
    let qdiscs = snapshot.qdiscs
    snapshot.filters = log.read(.filters, []) { gaps in
      var filters: [TrafficFilter] = []
      for qdisc in qdiscs {
        for (hook, parent) in qdisc.filterParents {
          do {
            filters += try Self.dump(socket, .filters(interface: qdisc.interface, parent: parent), &gaps) {
              message throws(NetlinkFormatError) in
              try TrafficFilter(netlink: message.payload, interface: qdisc.interface, hook: hook)
            }
          } catch NetlinkError.refused(errno: EOPNOTSUPP, _) where hook == .qdisc {
            // A classless qdisc takes none.
          }
        }
      }
      return filters
    }
  }

  private mutating func readSockets(_ options: NodeStateCollector.Options) {
    snapshot.sockets = log.read(.sockets, []) { gaps in
      try Sockets.read(atMost: options.maximumSockets, &gaps)
    }
  }

  private mutating func readSettings() {
    let result = log.read(.sysctls, Sysctls()) { gaps in Sysctls.read(&gaps) }
    snapshot.sysctls = result.values
    snapshot.ipv4All = result.ipv4All
    snapshot.ipv6All = result.ipv6All
  }
}
