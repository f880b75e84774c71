import NetModel
import NetTypes

// IFLA_INFO_DATA and IFLA_INFO_SLAVE_DATA: parameters by kind. Numbers: linux/if_link.h, linux/if_tunnel.h.

extension Link {
  mutating func readParameters(_ data: ArraySlice<UInt8>) throws(NetlinkFormatError) {
    switch kind.rawValue {
    case "bridge": bridge = try BridgeParameters(attributes: data)
    case "vxlan": vxlan = try VXLANParameters(attributes: data)
    case "vlan": vlan = try VLANParameters(attributes: data)
    case "macvlan", "macvtap": macvlan = try MACVLANParameters(attributes: data)
    case "ipvlan", "ipvtap": ipvlan = try IPVLANParameters(attributes: data)
    case "bond": bond = try BondParameters(attributes: data)
    case "tun": tun = try TUNParameters(attributes: data)
    case "ipip", "sit", "ip6tnl": tunnel = try TunnelParameters(ipTunnel: data)
    case "gre", "gretap", "ip6gre", "ip6gretap", "erspan", "ip6erspan": tunnel = try TunnelParameters(gre: data)
    case "vrf":
      var table: UInt32?
      try forEachAttribute(in: data) { type, value throws(NetlinkFormatError) in
        if type == 1 { table = try value.u32() }
      }
      vrfTable = table
    default: break
    }
  }
}

extension BridgeParameters {
  init(attributes: ArraySlice<UInt8>) throws(NetlinkFormatError) {
    var read = BridgeParameters()
    try forEachAttribute(in: attributes) { type, value throws(NetlinkFormatError) in
      switch type {
      case 4: read.ageing = try value.u32()
      case 5: read.stp = try value.u32() != 0
      case 7: read.vlanFiltering = try value.flag()
      case 9: read.groupForwardMask = try value.u16()
      case 23: read.multicastSnooping = try value.flag()
      case 25: read.multicastQuerier = try value.flag()
      case 36: read.callIPTables = try value.flag()
      case 37: read.callIP6Tables = try value.flag()
      case 38: read.callARPTables = try value.flag()
      default: break
      }
    }
    self = read
  }
}

extension BridgePort {
  init(attributes: ArraySlice<UInt8>) throws(NetlinkFormatError) {
    var read = BridgePort()
    // On or off, and off unless somebody wanted it.
    let switches: [UInt16: String] = [
      12: "proxy_arp_wifi", 28: "mcast_to_unicast", 29: "vlan_tunnel", 40: "mab", 43: "neigh_vlan_suppress",
    ]
    try forEachAttribute(in: attributes) { type, value throws(NetlinkFormatError) in
      switch type {
      case 1:
        let state = Int(try value.u8())
        guard state < State.allCases.count else { throw .value("bridge port state \(state)") }
        read.state = State.allCases[state]
      case 4: read.hairpin = try value.flag()
      case 8: read.learning = try value.flag()
      case 9: read.unicastFlood = try value.flag()
      case 10: read.proxyARP = try value.flag()
      // MDB_RTR_TYPE_TEMP_QUERY is what nobody set.
      case 25: if try value.u8() != 1 { read.unmodelled.append("mcast_router") }
      case 27: read.multicastFlood = try value.flag()
      case 30: read.broadcastFlood = try value.flag()
      case 31: if try value.u16() != 0 { read.unmodelled.append("group_fwd_mask") }
      case 32: read.neighbourSuppress = try value.flag()
      case 33: read.isolated = try value.flag()
      case 34: read.unmodelled.append("backup_port")
      case 39: read.locked = try value.flag()
      case 44: if try value.u32() != 0 { read.unmodelled.append("backup_nhid") }
      default:
        if let name = switches[type], try value.flag() { read.unmodelled.append(name) }
      }
    }
    self = read
  }
}

extension VXLANParameters {
  init(attributes: ArraySlice<UInt8>) throws(NetlinkFormatError) {
    var read = VXLANParameters(vni: 0)
    try forEachAttribute(in: attributes) { type, value throws(NetlinkFormatError) in
      switch type {
      case 1: read.vni = try value.u32()
      case 2, 16: read.remote = try value.specifiedAddress()
      case 3: read.lower = try value.index()
      case 4, 17: read.local = try value.specifiedAddress()
      case 5: read.ttl = try value.u8()
      case 7: read.learning = try value.flag()
      case 11: read.proxy = try value.flag()
      case 12: read.rsc = try value.flag()
      case 13: read.l2miss = try value.flag()
      case 14: read.l3miss = try value.flag()
      case 15: read.port = try value.big16()
      case 20: read.udpZeroChecksum6Receive = try value.flag()
      case 23: read.gbp = true
      case 25: read.external = try value.flag()
      case 29:
        let number = Int(try value.u8())
        guard number < DontFragment.allCases.count else { throw .value("vxlan df \(number)") }
        read.df = DontFragment.allCases[number]
      case 30: read.vniFilter = try value.flag()
      default: break
      }
    }
    self = read
  }
}

extension VLANParameters {
  init(attributes: ArraySlice<UInt8>) throws(NetlinkFormatError) {
    var read = VLANParameters(id: 0)
    try forEachAttribute(in: attributes) { type, value throws(NetlinkFormatError) in
      switch type {
      case 1: read.id = try value.u16()
      case 5: read.etherType = try value.big16()
      default: break
      }
    }
    self = read
  }
}

extension MACVLANParameters {
  init(attributes: ArraySlice<UInt8>) throws(NetlinkFormatError) {
    // MACVLAN_MODE_… is one bit.
    let modes: [UInt32: Mode] = [1: .private, 2: .vepa, 4: .bridge, 8: .passthru, 16: .source]
    var read = MACVLANParameters(mode: .vepa)
    try forEachAttribute(in: attributes) { type, value throws(NetlinkFormatError) in
      switch type {
      case 1:
        let number = try value.u32()
        guard let mode = modes[number] else { throw .value("macvlan mode \(number)") }
        read.mode = mode
      case 2: read.flags = try value.u16()
      case 5:
        try forEachAttribute(in: value) { type, value throws(NetlinkFormatError) in
          if type == 4, let mac = value.mac() { read.sources.append(mac) }
        }
      default: break
      }
    }
    self = read
  }
}

extension IPVLANParameters {
  init(attributes: ArraySlice<UInt8>) throws(NetlinkFormatError) {
    var read = IPVLANParameters(mode: .l3)
    try forEachAttribute(in: attributes) { type, value throws(NetlinkFormatError) in
      switch type {
      case 1:
        let number = Int(try value.u16())
        guard number < Mode.allCases.count else { throw .value("ipvlan mode \(number)") }
        read.mode = Mode.allCases[number]
      case 2:
        let flags = try value.u16()
        read.isPrivate = flags & 1 != 0
        read.isVEPA = flags & 2 != 0
      default: break
      }
    }
    self = read
  }
}

extension BondParameters {
  init(attributes: ArraySlice<UInt8>) throws(NetlinkFormatError) {
    var read = BondParameters(mode: 0)
    try forEachAttribute(in: attributes) { type, value throws(NetlinkFormatError) in
      switch type {
      case 1: read.mode = try value.u8()
      case 2: read.activePort = try value.index()
      default: break
      }
    }
    self = read
  }
}

extension TUNParameters {
  init(attributes: ArraySlice<UInt8>) throws(NetlinkFormatError) {
    var read = TUNParameters(isTap: false, isPersistent: false)
    try forEachAttribute(in: attributes) { type, value throws(NetlinkFormatError) in
      switch type {
      // IFF_TUN is 1, IFF_TAP is 2 (linux/if_tun.h).
      case 3: read.isTap = try value.u8() == 2
      case 6: read.isPersistent = try value.flag()
      default: break
      }
    }
    self = read
  }
}

extension TunnelParameters {
  /// IFLA_IPTUN_….
  init(ipTunnel attributes: ArraySlice<UInt8>) throws(NetlinkFormatError) {
    var read = TunnelParameters()
    try forEachAttribute(in: attributes) { type, value throws(NetlinkFormatError) in
      switch type {
      case 1: read.lower = try value.index()
      case 2: read.local = try value.specifiedAddress()
      case 3: read.remote = try value.specifiedAddress()
      case 4: read.ttl = try value.u8()
      case 10: read.pathMTUDiscovery = try value.flag()
      case 19: read.external = true
      default: break
      }
    }
    self = read
  }

  /// IFLA_GRE_…; a key counts only where its flag says so (GRE_KEY).
  init(gre attributes: ArraySlice<UInt8>) throws(NetlinkFormatError) {
    var read = TunnelParameters()
    var hasInputKey = false
    var hasOutputKey = false
    try forEachAttribute(in: attributes) { type, value throws(NetlinkFormatError) in
      switch type {
      case 1: read.lower = try value.index()
      case 2: hasInputKey = try value.big16() & 0x2000 != 0
      case 3: hasOutputKey = try value.big16() & 0x2000 != 0
      case 4: read.inputKey = try value.big32()
      case 5: read.outputKey = try value.big32()
      case 6: read.local = try value.specifiedAddress()
      case 7: read.remote = try value.specifiedAddress()
      case 8: read.ttl = try value.u8()
      case 10: read.pathMTUDiscovery = try value.flag()
      case 18: read.external = true
      default: break
      }
    }
    if !hasInputKey { read.inputKey = nil }
    if !hasOutputKey { read.outputKey = nil }
    self = read
  }
}
