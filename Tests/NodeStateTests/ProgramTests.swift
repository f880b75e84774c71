import CLibbpf
import Foundation
import Glibc
import LinuxSystem
import NetModel
import NodeState
import Testing

/// eBPF programs where packets pass.
@Suite(.enabled(if: isRoot, "needs root: loads kernel programs"))
struct ProgramTests {
  /// A program that returns `result` and does nothing else.
  static func load(
    _ type: bpf_prog_type, _ name: String, returns result: UInt64, expected: UInt32 = 0
  ) throws -> Descriptor {
    // mov64 r0, result; exit (Documentation/bpf/standardization/instruction-set.rst).
    let instructions: [UInt64] = [0xb7 | result << 32, 0x95]
    let descriptor = instructions.withUnsafeBytes { bytes in
      var options = bpf_prog_load_opts()
      memset(&options, 0, MemoryLayout<bpf_prog_load_opts>.size)
      options.sz = MemoryLayout<bpf_prog_load_opts>.size
      options.expected_attach_type = bpf_attach_type(rawValue: expected)
      return bpf_prog_load(
        type, name, "GPL", bytes.baseAddress!.assumingMemoryBound(to: bpf_insn.self), 2, &options)
    }
    guard descriptor >= 0 else { throw SystemError(errno: -descriptor, doing: "loading \(name)") }
    return Descriptor(owning: descriptor)
  }

  static func check(_ result: Int32, _ activity: String) throws {
    if result < 0 { throw SystemError(errno: -result, doing: activity) }
  }

  @Test("XDP, tcx, tc filters and sk_lookup")
  func ofNamespaces() throws {
    let spaces = try Namespaces("p")
    try spaces.ip("p", "link add e0 type veth peer name e1")
    try spaces.ip("p", "link set e0 up")
    try spaces.exec("p", "tc", "qdisc", "add", "dev", "e0", "clsact")
    try spaces.exec("p", "tc", "qdisc", "add", "dev", "e1", "root", "handle", "7:", "htb")
    try spaces.exec(
      "p", "tc", "filter", "add", "dev", "e1", "parent", "7:", "protocol", "ip", "prio", "5", "u32", "match", "ip",
      "dport",
      "80", "0xffff", "flowid", "7:1")
    let path = spaces.path("p")
    let snapshot = try NetworkNamespace.run(in: path) { () -> NetnsSnapshot? in
      let xdp = try Self.load(BPF_PROG_TYPE_XDP, "snap_xdp", returns: 2)
      let index = Int32(if_nametoindex("e0"))
      try Self.check(bpf_xdp_attach(index, xdp.rawValue, 0, nil), "attaching XDP")
      let filter = try Self.load(BPF_PROG_TYPE_SCHED_CLS, "snap_tc", returns: 0)
      var hook = bpf_tc_hook()
      memset(&hook, 0, MemoryLayout<bpf_tc_hook>.size)
      hook.sz = MemoryLayout<bpf_tc_hook>.size
      hook.ifindex = index
      hook.attach_point = BPF_TC_EGRESS
      var options = bpf_tc_opts()
      memset(&options, 0, MemoryLayout<bpf_tc_opts>.size)
      options.sz = MemoryLayout<bpf_tc_opts>.size
      options.prog_fd = filter.rawValue
      options.priority = 3
      try Self.check(bpf_tc_attach(&hook, &options), "attaching a tc filter")
      let lookup = try Self.load(BPF_PROG_TYPE_SK_LOOKUP, "snap_lookup", returns: 1, expected: 36)
      let file = try Descriptor(opening: path)
      let link = bpf_link_create(lookup.rawValue, file.rawValue, BPF_SK_LOOKUP, nil)
      try Self.check(link, "attaching sk_lookup")
      // BPF_TCX_INGRESS, Linux 6.6.
      let tcx = bpf_link_create(filter.rawValue, index, bpf_attach_type(rawValue: 46), nil)
      defer {
        close(link)
        if tcx >= 0 { close(tcx) }
      }
      let found = try NodeStateCollector(.init(only: [path])).collect().namespaces.first
      #expect(
        found?.links.first { $0.name == "e0" }?.programs.map(\.hook)
          == (tcx >= 0 ? ["xdp", "tcx_ingress"] : ["xdp"]))
      return found
    }
    let found = try #require(snapshot)
    let e0 = try #require(found.links.first { $0.name == "e0" })
    #expect(e0.programs.map(\.name).prefix(1) == ["snap_xdp"])
    #expect(e0.programs.allSatisfy { $0.id > 0 && !$0.isOurs })
    #expect(found.programs.map(\.name) == ["snap_lookup"])
    #expect(found.programs.map(\.hook) == ["sk_lookup"])
    #expect(Set(found.qdiscs.map(\.kind)).isSuperset(of: ["clsact", "htb"]))
    let filter = try #require(found.filters.first { $0.kind == "bpf" })
    #expect(filter.hook == .egress && filter.interface == e0.index && filter.priority == 3)
    #expect(filter.program?.id ?? 0 > 0)
    let u32 = try #require(found.filters.first { $0.kind == "u32" })
    #expect(u32.hook == .qdisc && u32.priority == 5)
    #expect(u32.interface == found.links.first { $0.name == "e1" }?.index)
  }

  @Test("programs of control groups")
  func ofControlGroups() throws {
    let mounts = try String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)
    let mount = try #require(
      mounts.split(separator: "\n").first { $0.contains(" - cgroup2 ") }?.split(separator: " ")[4],
      "no cgroup2 file system is mounted")
    let name = "skoop-snapshot-\(getpid())"
    let folder = "\(mount)/\(name)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    defer { rmdir(folder) }
    let group = try Descriptor(opening: folder)
    let connect = try Self.load(
      BPF_PROG_TYPE_CGROUP_SOCK_ADDR, "snap_connect", returns: 1, expected: BPF_CGROUP_INET4_CONNECT.rawValue)
    try Self.check(
      bpf_prog_attach(connect.rawValue, group.rawValue, BPF_CGROUP_INET4_CONNECT, 2), "attaching to a control group")
    let egress = try Self.load(
      BPF_PROG_TYPE_CGROUP_SKB, "snap_egress", returns: 1, expected: BPF_CGROUP_INET_EGRESS.rawValue)
    try Self.check(
      bpf_prog_attach(egress.rawValue, group.rawValue, BPF_CGROUP_INET_EGRESS, 2), "attaching to a control group")
    let snapshot = try NodeStateCollector(.init(only: [])).collect()
    let found = snapshot.cgroupPrograms.filter { $0.cgroup == "/\(name)" }
    #expect(found.map(\.attachType).sorted() == ["inet4_connect", "inet_egress"])
    #expect(Set(found.map(\.program.name)) == ["snap_connect", "snap_egress"])
  }
}
