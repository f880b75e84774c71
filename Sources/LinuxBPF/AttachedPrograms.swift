import CLibbpf
import Glibc
import LinuxSystem

/// What programs are where, of anybody.
public enum AttachedPrograms {
  /// The kernel keeps at most 64 at one place (BPF_CGROUP_MAX_PROGS, BPF_MPROG_MAX).
  static let room: UInt32 = 64

  /// The ids of the programs at `target`: a descriptor of a control group or a network namespace, or an interface's index.
  /// `attachType`: enum bpf_attach_type. Nil where the kernel knows no such place.
  public static func ids(at target: Int32, attachType: UInt32) throws(BPFError) -> [UInt32]? {
    var ids = [UInt32](repeating: 0, count: Int(room))
    let count = unsafe clibbpf_query_programs(target, attachType, &ids, room)
    switch count {
    case 0...: return Array(ids.prefix(Int(count)))
    case -EINVAL, -EOPNOTSUPP: return nil
    default: throw BPFError(errno: -count, "asking which programs are attached")
    }
  }

  /// A loaded program.
  public struct Program: Hashable, Sendable {
    public var id: UInt32
    /// enum bpf_prog_type.
    public var type: UInt32
    public var name: String
  }

  /// Nil when it is gone.
  public static func program(_ id: UInt32) throws(BPFError) -> Program? {
    var info = clibbpf_program_name()
    let status = unsafe clibbpf_program_name(id, &info)
    if status == -ENOENT { return nil }
    guard status == 0 else { throw BPFError(errno: -status, "asking for the name of program \(id)") }
    let name = unsafe withUnsafeBytes(of: &info.name) {
      unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
    return Program(id: id, type: info.type, name: name)
  }

  /// Every program in the kernel.
  public static func all() throws(BPFError) -> [Program] {
    var programs: [Program] = []
    var id: UInt32 = 0
    while true {
      let next = clibbpf_next_program(id)
      guard next >= 0 else { throw BPFError(errno: Int32(-next), "listing programs") }
      if next == 0 { return programs }
      id = UInt32(next)
      if let program = try program(id) { programs.append(program) }
    }
  }

  /// The programs of all links of one type (enum bpf_link_type).
  public static func programs(ofLinks type: UInt32) throws(BPFError) -> [UInt32] {
    var programs: [UInt32] = []
    var id: UInt32 = 0
    while true {
      let next = clibbpf_next_link(id)
      guard next >= 0 else { throw BPFError(errno: Int32(-next), "listing links of programs") }
      if next == 0 { return programs }
      id = UInt32(next)
      var kind = clibbpf_link_kind()
      let status = unsafe clibbpf_link_kind(id, &kind)
      if status == -ENOENT { continue }
      guard status == 0 else { throw BPFError(errno: -status, "asking about link \(id)") }
      if kind.type == type { programs.append(kind.program) }
    }
  }
}
