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

  static func kinds() throws -> Namespaces {
    let spaces = try Namespaces("k")
    try spaces.ip(
      "k",
      """
      link set lo up
      link add br0 type bridge stp_state 0 mcast_snooping 0 nf_call_iptables 1 group_fwd_mask 8 ageing_time 1000
      link add br1 type bridge stp_state 1 mcast_querier 1 nf_call_ip6tables 1 nf_call_arptables 1
      link add e0 type veth peer name e1
      link set e0 master br0
      link add vx0 type vxlan id 77 dev e1 remote 10.0.0.2 local 10.0.0.1 dstport 4790 nolearning proxy l2miss ttl 9
      link add vx6 type vxlan id 78 remote 2001:db8::1 local 2001:db8::2 dstport 4791 df set udp6zerocsumrx rsc l3miss
      link add vxe type vxlan external dstport 4792 gbp
      link add mv0 link e1 type macvlan mode private
      link add mv1 link e1 type macvlan mode vepa
      link add p0 type veth peer name p1
      link add mv4 link p0 type macvlan mode passthru nopromisc
      link add mv2 link e1 type macvlan mode bridge
      link add mv3 link e1 type macvlan mode source
      link set mv3 type macvlan macaddr add 02:00:00:00:00:09
      tuntap add t0 mode tun
      tuntap add t1 mode tap
      link set e0 type bridge_slave hairpin on isolated on learning off flood off mcast_flood off bcast_flood off
      link set e0 type bridge_slave neigh_suppress on proxy_arp on locked on mcast_to_unicast on
      link add s0 type veth peer name s9
      link add s1 type veth peer name s8
      link set s0 master br1
      link set s1 master br1
      link set s0 up
      link set s9 up
      link set s1 up
      link set br1 up
      link set e1 mtu 1300 group 7
      link set e1 up
      link set e0 up
      link set br0 up
      link set e0 alias hello
      """)
    return spaces
  }

  @Test("kinds and parameters that this kernel can make")
  func parameters() throws {
    let spaces = try Self.kinds()
    var links: [String: Link] = [:]
    // The kernel opens the ports a moment after their carrier came.
    for _ in 0..<100 {
      links = Dictionary(uniqueKeysWithValues: try spaces.collect("k")[0].links.map { ($0.name, $0) })
      if links["e0"]?.port?.state == .forwarding, links["s0"]?.port?.state == .listening { break }
      usleep(20_000)
    }
    #expect(links["s0"]?.port?.state == .listening, "a bridge with spanning tree listens for 15 s")
    #expect(links["s1"]?.port?.state == .disabled, "a port without carrier")
    let br0 = try #require(links["br0"]?.bridge)
    #expect(!br0.stp && !br0.multicastSnooping && br0.callIPTables && !br0.callIP6Tables && !br0.callARPTables)
    #expect(br0.groupForwardMask == 8 && br0.ageing == 1000 && !br0.vlanFiltering)
    let br1 = try #require(links["br1"]?.bridge)
    #expect(br1.stp && br1.multicastSnooping && br1.multicastQuerier && br1.callIP6Tables && br1.callARPTables)
    var port = BridgePort()
    port.hairpin = true
    port.isolated = true
    port.learning = false
    port.unicastFlood = false
    port.multicastFlood = false
    port.broadcastFlood = false
    port.proxyARP = true
    port.neighbourSuppress = true
    port.locked = true
    port.unmodelled = ["mcast_to_unicast"]
    #expect(links["e0"]?.port == port)
    #expect(links["e0"]?.alias == "hello")
    #expect(links["e1"]?.group == 7)
    var vxlan = VXLANParameters(vni: 77, port: 4790)
    vxlan.remote = IPAddress("10.0.0.2")
    vxlan.local = IPAddress("10.0.0.1")
    vxlan.lower = links["e1"]?.index
    vxlan.learning = false
    vxlan.proxy = true
    vxlan.l2miss = true
    vxlan.ttl = 9
    #expect(links["vx0"]?.vxlan == vxlan)
    var vxlan6 = VXLANParameters(vni: 78, port: 4791)
    vxlan6.remote = IPAddress("2001:db8::1")
    vxlan6.local = IPAddress("2001:db8::2")
    vxlan6.df = .set
    vxlan6.udpZeroChecksum6Receive = true
    vxlan6.rsc = true
    vxlan6.l3miss = true
    #expect(links["vx6"]?.vxlan == vxlan6)
    #expect(links["vxe"]?.vxlan?.external == true && links["vxe"]?.vxlan?.gbp == true)
    #expect(links["mv0"]?.macvlan == MACVLANParameters(mode: .private))
    #expect(links["mv1"]?.macvlan == MACVLANParameters(mode: .vepa))
    #expect(links["mv4"]?.macvlan == MACVLANParameters(mode: .passthru, flags: 1))
    #expect(links["mv2"]?.macvlan == MACVLANParameters(mode: .bridge))
    #expect(links["mv3"]?.macvlan?.mode == .source)
    #expect(links["mv3"]?.macvlan?.sources == [MACAddress("02:00:00:00:00:09")!])
    for name in ["mv0", "mv1", "mv2", "mv3"] { #expect(links[name]?.link == links["e1"]?.index) }
    #expect(links["t0"]?.tun == TUNParameters(isTap: false, isPersistent: true))
    #expect(links["t1"]?.tun == TUNParameters(isTap: true, isPersistent: true))
    #expect(links["lo"]?.kind == .loopback)
  }

  @Test("what every interface has, and the forwarding databases, are as ip and bridge list them")
  func common() throws {
    let spaces = try Self.kinds()
    try spaces.exec(
      "k", "bridge", "fdb", "append", "00:00:00:00:00:00", "dev", "vx0", "dst", "10.0.0.3", "port", "99", "vni", "5",
      "via", "e1")
    try spaces.exec("k", "bridge", "fdb", "add", "02:00:00:00:00:11", "dev", "vx0", "dst", "10.0.0.4")
    try spaces.exec("k", "bridge", "fdb", "add", "02:00:00:00:00:12", "dev", "e0", "master", "static")
    try spaces.exec("k", "bridge", "fdb", "add", "02:00:00:00:00:13", "dev", "e0", "master", "dynamic")
    try spaces.exec("k", "bridge", "fdb", "add", "02:00:00:00:00:14", "dev", "e0", "master", "local")
    let snapshot = try spaces.collect("k")[0]
    let names = Dictionary(uniqueKeysWithValues: snapshot.links.map { ($0.index, $0.name) })
    let states: [OperState: String] = [
      .unknown: "UNKNOWN", .down: "DOWN", .up: "UP", .lowerLayerDown: "LOWERLAYERDOWN", .dormant: "DORMANT",
    ]
    let listed = try spaces.json("k", "ip", "-j", "-d", "link").map { link in
      // ip's own conclusions: from a missing RUNNING, and from the state of a veth's other end.
      let flags = (link["flags"] as! [String]).filter { $0 != "NO-CARRIER" && $0 != "M-DOWN" }.sorted()
      return "\(link["ifindex"]!) \(link["ifname"]!) \(flags) \(link["mtu"]!) \(link["operstate"]!) "
        + "\(link["address"] as? String ?? "-") master \(link["master"] ?? "-") link \(link["link"] ?? "-")"
    }
    let found = snapshot.links.map { link in
      let flags = link.flags.subtracting(.running).description.split(separator: ",").map(String.init).sorted()
      return "\(link.index) \(link.name) \(flags) \(link.mtu) \(states[link.operState] ?? "?") "
        + "\(link.mac.map { "\($0)" } ?? "-") master \(link.master.map { names[$0]! } ?? "-") "
        + "link \(link.link.map { names[$0]! } ?? "-")"
    }
    #expect(Set(found).symmetricDifference(listed) == [])
    let entries = try spaces.json("k", "bridge", "-j", "-s", "fdb").map { entry in
      // Learned entries are shown without a state, or as stale.
      let state = entry["state"] as? String ?? ""
      return "\(entry["mac"]!) \(entry["ifname"]!) dst \(entry["dst"] ?? "-") port \(entry["port"] ?? "-") "
        + "vni \(entry["vni"] ?? "-") via \(entry["viaIf"] ?? "-") master \(entry["master"] ?? "-") "
        + (["permanent", "static"].contains(state) ? state : "dynamic")
    }
    let ours = snapshot.fdb.map { entry in
      // bridge(8) calls static entries of a bridge `static`, own addresses and those of other tables `permanent`.
      let state =
        entry.isLocal || entry.isStatic && entry.bridge == nil ? "permanent" : entry.isStatic ? "static" : "dynamic"
      return "\(entry.mac) \(names[entry.interface]!) dst \(entry.remote.map { "\($0)" } ?? "-") "
        + "port \(entry.remotePort.map { "\($0)" } ?? "-") vni \(entry.remoteVNI.map { "\($0)" } ?? "-") "
        + "via \(entry.lower.map { names[$0]! } ?? "-") master \(entry.bridge.map { names[$0]! } ?? "-") \(state)"
    }
    #expect(Set(ours).symmetricDifference(entries) == [])
    #expect(ours.count == entries.count)
  }

  @Test("a vxlan that was moved keeps its underlay in the namespace where it was made")
  func movedTunnel() throws {
    let spaces = try Namespaces("u", "v")
    try spaces.ip(
      "u",
      """
      link add e0 type veth peer name e1
      link add vx0 type vxlan id 5 dev e0 remote 10.0.0.2 dstport 4789
      link set vx0 netns @v
      """)
    let found = try spaces.collect()
    let link = try #require(found[1].links.first { $0.name == "vx0" })
    #expect(link.linkNetns == found[0].id)
    #expect(link.link == nil)
    #expect(link.vxlan?.lower == found[0].links.first { $0.name == "e0" }?.index)
  }

  @Test("settings of each interface and of all are what /proc/sys says")
  func settings() throws {
    let spaces = try Namespaces("s")
    try spaces.ip("s", "link add e0 type veth peer name e1")
    for (place, setting) in IPv4Conf.settings.enumerated() where setting.name != "mc_forwarding" {
      // Values that differ from one setting to the next where the kernel takes any number.
      let value =
        ["forwarding", "medium_id", "rp_filter", "arp_announce", "arp_ignore"].contains(setting.name) ? 1 : place
      _ = try? spaces.exec("s", "sysctl", "-qw", "net.ipv4.conf.e0.\(setting.name)=\(value)")
    }
    for (place, setting) in IPv6Conf.settings.enumerated() {
      let value = setting.name == "mtu" ? 1400 : setting.name == "forwarding" ? 1 : place
      _ = try? spaces.exec("s", "sysctl", "-qw", "net.ipv6.conf.e0.\(setting.name)=\(value)")
    }
    try spaces.exec("s", "sysctl", "-qw", "net.ipv4.conf.all.rp_filter=2", "net.ipv4.ip_local_port_range=2000 3000")
    let snapshot = try spaces.collect("s")[0]
    let link = try #require(snapshot.links.first { $0.name == "e0" })
    func sysctl(_ name: String) throws -> String {
      try spaces.exec("s", "sysctl", "-n", name).trimmingCharacters(in: .whitespacesAndNewlines)
    }
    for setting in IPv4Conf.settings {
      #expect(
        try "\(link.ipv4![keyPath: setting.path])" == sysctl("net.ipv4.conf.e0.\(setting.name)"), "\(setting.name)")
      #expect(
        try "\(snapshot.ipv4All![keyPath: setting.path])" == sysctl("net.ipv4.conf.all.\(setting.name)"),
        "\(setting.name)")
    }
    var distinct: Set<Int32> = []
    for setting in IPv6Conf.settings {
      // Kernels before 6.17 have no force_forwarding.
      guard let text = try? sysctl("net.ipv6.conf.e0.\(setting.name)") else { continue }
      #expect("\(link.ipv6![keyPath: setting.path])" == text, "\(setting.name)")
      #expect(try "\(snapshot.ipv6All![keyPath: setting.path])" == sysctl("net.ipv6.conf.all.\(setting.name)"))
      distinct.insert(link.ipv6![keyPath: setting.path])
    }
    #expect(distinct.count > 8, "the values tell the settings apart")
    for (name, value) in snapshot.sysctls {
      let text = try sysctl(name).replacingOccurrences(of: "\t", with: " ")
      #expect(value == text, "\(name)")
    }
    #expect(snapshot.sysctls["net.ipv4.ip_local_port_range"] == "2000 3000")
  }
}
