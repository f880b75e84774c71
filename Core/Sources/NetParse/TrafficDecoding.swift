public import NetModel

extension Qdisc {
  /// RTM_NEWQDISC: struct tcmsg and TCA_… of linux/rtnetlink.h.
  public init(netlink payload: ArraySlice<UInt8>) throws(NetlinkFormatError) {
    var kind = ""
    try forEachAttribute(in: payload.after(20)) { type, value throws(NetlinkFormatError) in
      if type == 1 { kind = value.text() }
    }
    guard !kind.isEmpty else { throw .value("a qdisc without kind") }
    self.init(
      interface: try payload.i32(4), kind: kind, handle: try payload.u32(8), parent: try payload.u32(12))
  }

  /// The places below which filters of this interface may hang: those of clsact and ingress are fixed
  /// (TC_H_MIN_INGRESS, TC_H_MIN_EGRESS in linux/pkt_sched.h), a classful qdisc's are below its handle.
  public var filterParents: [(hook: TrafficFilter.Hook, parent: UInt32)] {
    switch kind {
    case "clsact": [(.ingress, 0xffff_fff2), (.egress, 0xffff_fff3)]
    case "ingress": [(.ingress, 0xffff_fff2)]
    default: handle == 0 ? [] : [(.qdisc, handle)]
    }
  }
}

extension TrafficFilter {
  /// RTM_NEWTFILTER; nil for the head of a priority, which the kernel lists before its filters and which has no handle.
  /// `interface` and `hook` are those that were asked for: a shared block's filters name no interface.
  public init?(
    netlink payload: ArraySlice<UInt8>, interface: Int32, hook: Hook
  ) throws(NetlinkFormatError) {
    var kind = ""
    var options: ArraySlice<UInt8> = []
    try forEachAttribute(in: payload.after(20)) { type, value throws(NetlinkFormatError) in
      switch type {
      case 1: kind = value.text()
      case 2: options = value
      default: break
      }
    }
    guard try payload.u32(8) != 0 else { return nil }
    self.init(
      interface: interface, hook: hook, kind: kind, priority: UInt16(truncatingIfNeeded: try payload.u32(16) >> 16))
    guard kind == "bpf" else { return }
    var program: AttachedProgram?
    var name: String?
    // TCA_BPF_… in linux/pkt_cls.h.
    try forEachAttribute(in: options) { type, value throws(NetlinkFormatError) in
      switch type {
      case 7: name = value.text()
      case 11: program = AttachedProgram(id: try value.u32(), hook: "tc_\(hook.rawValue)")
      default: break
      }
    }
    program?.name = name
    self.program = program
  }
}
