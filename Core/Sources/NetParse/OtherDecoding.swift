public import NetModel

/// RTM_NEWNSID: by what number the asking namespace knows another; nil when it has none (NETNSA_NSID_NOT_ASSIGNED).
public func decodeNamespaceID(netlink payload: ArraySlice<UInt8>) throws(NetlinkFormatError) -> Int32? {
  var id: Int32?
  try forEachAttribute(in: payload.after(4)) { type, value throws(NetlinkFormatError) in
    if type == 1 { id = try value.i32() }
  }
  return id == -1 ? nil : id
}

/// The counters of IPsec policies and states (linux/xfrm.h).
extension NetlinkRequest {
  /// XFRM_MSG_GETSPDINFO and XFRM_MSG_GETSADINFO, each with its flags.
  public static var xfrmPolicyInfo: Self { Self(0x25, fixed: bytes(UInt32.max)) }
  public static var xfrmStateInfo: Self { Self(0x23, fixed: bytes(UInt32.max)) }
}

extension XfrmCounts {
  /// From the answers to `xfrmPolicyInfo` (XFRMA_SPD_INFO, struct xfrmu_spdinfo: policies in, out and forward) and
  /// `xfrmStateInfo` (XFRMA_SAD_CNT).
  public init(policies: ArraySlice<UInt8>, states: ArraySlice<UInt8>) throws(NetlinkFormatError) {
    var policyCount: UInt32 = 0
    var stateCount: UInt32 = 0
    try forEachAttribute(in: policies.after(4)) { type, value throws(NetlinkFormatError) in
      if type == 1 { policyCount = try value.u32(0) &+ value.u32(4) &+ value.u32(8) }
    }
    try forEachAttribute(in: states.after(4)) { type, value throws(NetlinkFormatError) in
      if type == 1 { stateCount = try value.u32() }
    }
    self.init(policies: policyCount, states: stateCount)
  }
}

/// nftables by netlink: only what tells whether there is something (linux/netfilter/nf_tables.h).
extension NetlinkRequest {
  /// NFT_MSG_GETTABLE of all families, and NFT_MSG_GETGEN.
  public static var nftTables: Self { Self(10 << 8 | 1, fixed: [0, 0, 0, 0]) }
  public static var nftGeneration: Self { Self(10 << 8 | 16, fixed: [0, 0, 0, 0]) }
}

/// A table of nftables.
public struct NFTTable: Hashable, Sendable {
  /// NFPROTO_… in linux/netfilter.h: 1 inet, 2 ip, 3 arp, 5 netdev, 7 bridge, 10 ip6.
  public var family: UInt8
  public var name: String

  public init(netlink payload: ArraySlice<UInt8>) throws(NetlinkFormatError) {
    family = try payload.u8()
    var name = ""
    try forEachAttribute(in: payload.after(4)) { type, value throws(NetlinkFormatError) in
      if type == 1 { name = value.text() }
    }
    self.name = name
  }
}

/// NFT_MSG_NEWGEN: a number that grows with every change of the ruleset.
public func decodeNFTGeneration(netlink payload: ArraySlice<UInt8>) throws(NetlinkFormatError) -> UInt32 {
  var id: UInt32?
  try forEachAttribute(in: payload.after(4)) { type, value throws(NetlinkFormatError) in
    if type == 1 { id = try value.big32() }
  }
  guard let id else { throw .value("a generation without number") }
  return id
}

extension NetlinkRequest {
  /// The names of all sets of ipset(8): IPSET_CMD_LIST with IPSET_FLAG_LIST_SETNAME, protocol 6
  /// (linux/netfilter/ipset/ip_set.h).
  public static var setNames: Self {
    var request = Self(6 << 8 | 7, fixed: [0, 0, 0, 0])
    request.append(1, [6])
    request.append(6 | 0x4000, bytes(UInt32(2).bigEndian))
    return request
  }
}
