import NetModel
import NetParse
import NetTypes
import Testing

/// Kinds of interfaces that the kernel of the tests' machine lacks, so decoded from bytes made by hand after
/// linux/if_link.h and linux/if_tunnel.h, Linux 6.18. What the kernel really sends is not shown here.
struct LinkKindTests {
  static func decode(_ bytes: ArraySlice<UInt8>) throws -> Link { try DecodedLink(netlink: bytes).link }

  @Test("by hand-made bytes: vlan")
  func vlan() throws {
    let read = try Self.decode(
      link(
        "vlan", data: attribute(1, number(UInt16(258))) + attribute(5, [0x88, 0xa8]),
        more: attribute(5, number(Int32(3)))))
    #expect(read.index == 9 && read.name == "x0" && read.mtu == 1480 && read.kind == .vlan)
    #expect(read.flags == [.up, .broadcast, .multicast])
    #expect(read.vlan == VLANParameters(id: 258, etherType: 0x88a8))
    #expect(read.link == 3)
  }

  @Test("by hand-made bytes: ipip and sit, local and remote, without addresses, external")
  func ipTunnels() throws {
    let data =
      attribute(1, number(UInt32(4))) + attribute(2, [10, 0, 0, 1]) + attribute(3, [10, 0, 0, 2]) + attribute(4, [64])
      + attribute(10, [1])
    let full = try Self.decode(link("ipip", data: data))
    #expect(
      full.tunnel
        == TunnelParameters(local: IPAddress("10.0.0.1"), remote: IPAddress("10.0.0.2"), lower: 4, ttl: 64))
    let empty = try Self.decode(
      link(
        "sit",
        data: attribute(1, number(UInt32(0))) + attribute(2, [0, 0, 0, 0]) + attribute(3, [0, 0, 0, 0])
          + attribute(10, [0]) + attribute(19, [])))
    #expect(empty.tunnel == TunnelParameters(pathMTUDiscovery: false, external: true))
  }

  @Test("by hand-made bytes: gre with a key one way only")
  func gre() throws {
    let data =
      attribute(2, [0x20, 0x00]) + attribute(3, [0, 0]) + attribute(4, [0, 0, 1, 2]) + attribute(5, [0, 0, 3, 4])
      + attribute(6, [10, 0, 0, 1]) + attribute(7, [10, 0, 0, 2]) + attribute(8, [9]) + attribute(10, [1])
    let read = try Self.decode(link("gre", data: data))
    #expect(
      read.tunnel
        == TunnelParameters(local: IPAddress("10.0.0.1"), remote: IPAddress("10.0.0.2"), ttl: 9, inputKey: 258))
  }

  @Test("by hand-made bytes: ipvlan, bond, vrf")
  func others() throws {
    let ipvlan = try Self.decode(
      link("ipvlan", data: attribute(1, number(UInt16(2))) + attribute(2, number(UInt16(3)))))
    #expect(ipvlan.ipvlan == IPVLANParameters(mode: .l3s, isPrivate: true, isVEPA: true))
    let bond = try Self.decode(link("bond", data: attribute(1, [1]) + attribute(2, number(UInt32(7)))))
    #expect(bond.bond == BondParameters(mode: 1, activePort: 7))
    let vrf = try Self.decode(link("vrf", data: attribute(1, number(UInt32(1001)))))
    #expect(vrf.vrfTable == 1001)
  }

  @Test("by hand-made bytes: vxlan and tunnels whose underlay is elsewhere name themselves as link; a veth may truly")
  func linkOfItself() throws {
    let elsewhere = attribute(5, number(Int32(9))) + attribute(37, number(Int32(2)))
    let vxlan = try DecodedLink(netlink: link("vxlan", data: attribute(1, number(UInt32(5))), more: elsewhere))
    #expect(vxlan.link.link == nil && vxlan.linkNetnsID == 2)
    let veth = try DecodedLink(netlink: link("veth", more: elsewhere))
    #expect(veth.link.link == 9 && veth.linkNetnsID == 2)
  }

  @Test("by hand-made bytes: XDP in several ways at once, and on a kernel that says only that there is one")
  func xdp() throws {
    let several = attribute(
      43, attribute(2, [4]), attribute(5, number(UInt32(11))), attribute(6, number(UInt32(12))),
      attribute(7, number(UInt32(13))))
    #expect(
      try Self.decode(link("veth", more: several)).programs.map { "\($0.hook) \($0.id)" } == [
        "xdp 11", "xdpgeneric 12", "xdpoffload 13",
      ])
    let old = attribute(43, attribute(2, [1]), attribute(4, number(UInt32(14))))
    #expect(try Self.decode(link("veth", more: old)).programs.map(\.id) == [14])
    let none = attribute(43, attribute(2, [0]))
    #expect(try Self.decode(link("veth", more: none)).programs.isEmpty)
  }

  @Test("by hand-made bytes: the VLANs of a bridge's port, ranges spelled out")
  func portVLANs() throws {
    func vlan(_ id: UInt16, _ flags: UInt16) -> [UInt8] { attribute(2, number(flags) + number(id)) }
    let head: [UInt8] = [7, 0] + number(UInt16(1)) + number(Int32(4)) + number(UInt32(0)) + number(UInt32(0))
    let read = try PortVLANs(
      netlink: (head + attribute(26, vlan(1, 6), vlan(10, 8), vlan(12, 0x10)))[...])
    #expect(read.interface == 4)
    #expect(read.vlans.map(\.id) == [1, 10, 11, 12])
    #expect(read.vlans[0] == PortVLAN(id: 1, isPVID: true, isUntagged: true))
    #expect(throws: NetlinkFormatError.self) {
      try PortVLANs(netlink: (head + attribute(26, vlan(12, 8), vlan(10, 0x10)))[...])
    }
  }

  @Test("by hand-made bytes: port settings without a field of their own are named")
  func unmodelledPort() throws {
    let data =
      attribute(1, [3]) + attribute(25, [2]) + attribute(31, number(UInt16(8))) + attribute(40, [1])
      + attribute(12, [0]) + attribute(44, number(UInt32(6)))
    let read = try Self.decode(link("veth", info: attribute(4, text("bridge")) + attribute(5 | 0x8000, data)))
    #expect(read.port?.state == .forwarding)
    #expect(read.port?.unmodelled == ["mcast_router", "group_fwd_mask", "mab", "backup_nhid"])
    #expect(throws: NetlinkFormatError.value("bridge port state 9")) {
      try Self.decode(link("veth", info: attribute(4, text("bridge")) + attribute(5, attribute(1, [9]))))
    }
  }
}
