import LinuxBPF
import LinuxSystem
import NetModel

/// Which eBPF programs are attached to what a packet or a socket passes.
struct ProgramReader {
  /// Names by id, as far as they were asked for.
  private var names: [UInt32: String?] = [:]

  /// enum bpf_attach_type of linux/bpf.h.
  private enum Attach {
    static let flowDissector: UInt32 = 17
    static let lookup: UInt32 = 36
    static let tcxIngress: UInt32 = 46
    static let tcxEgress: UInt32 = 47
    static let netkitPrimary: UInt32 = 54
    static let netkitPeer: UInt32 = 55
  }

  private mutating func attached(_ id: UInt32, _ hook: String) throws(BPFError) -> AttachedProgram {
    AttachedProgram(id: id, name: try name(id), hook: hook)
  }

  private mutating func name(_ id: UInt32) throws(BPFError) -> String? {
    if let known = names[id] { return known }
    let name = try AttachedPrograms.program(id)?.name
    names[id] = .some(name?.isEmpty == true ? nil : name)
    return names[id] ?? nil
  }

  /// Adds names, and the programs that rtnetlink does not tell, to the interfaces of the namespace that the calling thread
  /// is in.
  mutating func complete(_ links: inout [Link]) throws(BPFError) {
    for place in links.indices {
      for program in links[place].programs.indices {
        links[place].programs[program].name = try name(links[place].programs[program].id)
      }
      var hooks = [("tcx_ingress", Attach.tcxIngress), ("tcx_egress", Attach.tcxEgress)]
      if links[place].kind.rawValue == "netkit" {
        hooks += [("netkit_primary", Attach.netkitPrimary), ("netkit_peer", Attach.netkitPeer)]
      }
      for (hook, type) in hooks {
        for id in try AttachedPrograms.ids(at: links[place].index, attachType: type) ?? [] {
          links[place].programs.append(try attached(id, hook))
        }
      }
    }
  }

  /// The programs of a namespace itself. `file`: an open descriptor of it.
  mutating func ofNamespace(file: Int32) throws(BPFError) -> [AttachedProgram] {
    var programs: [AttachedProgram] = []
    for (hook, type) in [("flow_dissector", Attach.flowDissector), ("sk_lookup", Attach.lookup)] {
      for id in try AttachedPrograms.ids(at: file, attachType: type) ?? [] {
        programs.append(try attached(id, hook))
      }
    }
    return programs
  }

  /// Programs of netfilter (bpf_link of type NETFILTER, 6.4+): the kernel does not say in which namespace.
  mutating func ofNetfilter() throws(BPFError) -> [AttachedProgram] {
    var programs: [AttachedProgram] = []
    for id in try AttachedPrograms.programs(ofLinks: 10) { programs.append(try attached(id, "netfilter")) }
    return programs
  }

  /// Attachments of control groups that concern sockets and packets, by the type of the programs that they take (enum
  /// bpf_prog_type).
  private static let cgroupHooks: [(type: UInt32, hooks: [(name: String, number: UInt32)])] = [
    (8, [("inet_ingress", 0), ("inet_egress", 1)]),
    (9, [("inet_sock_create", 2), ("inet4_post_bind", 12), ("inet6_post_bind", 13), ("inet_sock_release", 34)]),
    (13, [("sock_ops", 3)]),
    (
      18,
      [
        ("inet4_bind", 8), ("inet6_bind", 9), ("inet4_connect", 10), ("inet6_connect", 11), ("udp4_sendmsg", 14),
        ("udp6_sendmsg", 15), ("udp4_recvmsg", 19), ("udp6_recvmsg", 20), ("inet4_getpeername", 29),
        ("inet6_getpeername", 30), ("inet4_getsockname", 31), ("inet6_getsockname", 32),
      ]
    ),
    (25, [("getsockopt", 21), ("setsockopt", 22)]),
  ]

  /// The programs of all control groups. Only places are asked for which some loaded program has the type: a node with
  /// none costs one look at the list of programs.
  mutating func ofControlGroups(_ gaps: inout Gaps) throws -> [CgroupProgram] {
    let types = Set(try AttachedPrograms.all().map(\.type))
    let hooks = Self.cgroupHooks.filter { types.contains($0.type) }.flatMap(\.hooks)
    guard !hooks.isEmpty else { return [] }
    guard let mount = Self.cgroupMount() else {
      gaps.add("programs of control groups are loaded, but no cgroup2 file system is mounted here")
      return []
    }
    if mount.root != "/" { gaps.add("only the control groups below \(mount.root) can be seen") }
    var programs: [CgroupProgram] = []
    var folders = ["/"]
    while let folder = folders.popLast() {
      let path = mount.path + (folder == "/" ? "" : folder)
      // Gone meanwhile: no gap.
      guard let file = try? Descriptor(opening: path) else { continue }
      for (hook, number) in hooks {
        for id in try AttachedPrograms.ids(at: file.rawValue, attachType: number) ?? [] {
          programs.append(CgroupProgram(cgroup: folder, attachType: hook, program: try attached(id, hook)))
        }
      }
      folders += Files.folders(in: path).reversed().map { folder == "/" ? "/\($0)" : "\(folder)/\($0)" }
    }
    return programs
  }

  /// The first cgroup2 file system: where it is mounted and which of its folders that shows.
  private static func cgroupMount() -> (path: String, root: String)? {
    guard let text = try? Files.text("/proc/self/mountinfo") else { return nil }
    for line in text.split(separator: "\n") where line.contains(" - cgroup2 ") {
      let fields = line.split(separator: " ", maxSplits: 5)
      if fields.count > 4 { return (NamespaceFinder.unescape(fields[4]), NamespaceFinder.unescape(fields[3])) }
    }
    return nil
  }
}
