import CLibbpf
import Glibc
import LinuxSystem

/// Where the description of the running kernel's types comes from.
public enum BTFSource: Hashable, Sendable, CustomStringConvertible {
  /// The kernel's own, /sys/kernel/btf/vmlinux. BTF tracepoints need this one.
  case kernel
  /// A file with raw BTF, or an ELF file with a `.BTF` section.
  case file(String)

  public var description: String {
    switch self {
    case .kernel: "/sys/kernel/btf/vmlinux"
    case .file(let path): path
    }
  }

  /// The contract's folders, in its order.
  public static let folders = ["/etc/net-exporter", "/etc/net-exporter/btf", "/etc/net-exporter/custom_btf"]

  /// The first that is there: the kernel's own, then `vmlinux-RELEASE` in the contract's folders. `root` stands before
  /// every path, for tests. Nil when there is none.
  public static func find(release: String, root: String = "") -> BTFSource? {
    if unsafe access(root + "/sys/kernel/btf/vmlinux", R_OK) == 0 { return .kernel }
    return folders.map { "\(root)\($0)/vmlinux-\(release)" }.first { (path: String) in unsafe access(path, R_OK) == 0 }
      .map { .file($0) }
  }
}

/// The types of the running kernel, for choosing hooks and naming numbers. Reads once, keeps plain values.
public struct KernelBTF: Sendable {
  public let source: BTFSource
  /// The number of arguments of each tracepoint that `init` was asked about and that exists.
  private var arguments: [String: Int]
  private let enumerators: [String: [Enumerator]]

  public struct Enumerator: Hashable, Sendable {
    public let name: String
    public let value: UInt32
  }

  /// Reads what is asked for and lets the rest (10 MB parsed) go. Enumerations are also looked for in `modules`.
  public init(
    _ source: BTFSource, tracepoints: [String], enumerations: [String], modules: [String] = []
  ) throws(BPFError) {
    let btf: OpaquePointer? =
      switch source {
      case .kernel: unsafe btf__load_vmlinux_btf()
      case .file(let path): unsafe btf__parse(path, nil)
      }
    guard let btf = unsafe btf else { throw BPFError(errno: Glibc.errno, "reading BTF from \(source)") }
    defer { unsafe btf__free(btf) }
    var arguments: [String: Int] = [:]
    for name in tracepoints { arguments[name] = unsafe Self.tracepointArguments(btf, name) }
    var enumerators: [String: [Enumerator]] = [:]
    for name in enumerations { enumerators[name] = unsafe Self.enumerators(btf, name) }
    if source == .kernel {
      for module in modules {
        guard unsafe access("/sys/kernel/btf/\(module)", R_OK) == 0,
          let moduleBTF = unsafe btf__load_module_btf(module, btf)
        else { continue }
        for name in enumerations where enumerators[name] == nil {
          enumerators[name] = unsafe Self.enumerators(moduleBTF, name)
        }
        unsafe btf__free(moduleBTF)
      }
    }
    self.source = source
    self.arguments = arguments
    self.enumerators = enumerators
  }

  /// From plain values, for tests.
  init(source: BTFSource, arguments: [String: Int], enumerators: [String: [Enumerator]]) {
    self.source = source
    self.arguments = arguments
    self.enumerators = enumerators
  }

  /// How many arguments a tracepoint passes to a program; nil when the kernel has no such tracepoint.
  public func arguments(ofTracepoint name: String) -> Int? { arguments[name] }

  /// The same types with other numbers of arguments, for tests.
  public func pretending(argumentsOfTracepoints other: [String: Int]) -> KernelBTF {
    var copy = self
    copy.arguments.merge(other) { $1 }
    return copy
  }

  /// The members of an enumeration; nil when the kernel does not have it.
  public func enumerators(of name: String) -> [Enumerator]? { enumerators[name] }

  /// `typedef void (*btf_trace_NAME)(void *, arguments…)`: include/trace/bpf_probe.h declares one for each tracepoint.
  private static func tracepointArguments(_ btf: OpaquePointer, _ name: String) -> Int? {
    let id = unsafe btf__find_by_name_kind(btf, "btf_trace_\(name)", CLIBBPF_KIND_TYPEDEF.rawValue)
    guard id > 0, let alias = unsafe btf__type_by_id(btf, UInt32(id)),
      let pointer = unsafe btf__type_by_id(btf, alias.pointee.type),
      let function = unsafe btf__type_by_id(btf, pointer.pointee.type)
    else { return nil }
    let parameters = unsafe Int(function.pointee.info & 0xffff)
    return max(parameters - 1, 0)
  }

  private static func enumerators(_ btf: OpaquePointer, _ name: String) -> [Enumerator]? {
    let id = unsafe btf__find_by_name_kind(btf, name, CLIBBPF_KIND_ENUM.rawValue)
    guard id > 0, let type = unsafe btf__type_by_id(btf, UInt32(id)) else { return nil }
    let count = unsafe Int(type.pointee.info & 0xffff)
    // The members follow the type (Documentation/bpf/btf.rst, BTF_KIND_ENUM).
    let members = unsafe UnsafeRawPointer(type + 1)
    return (0..<count).compactMap { index in
      let member = unsafe members.loadUnaligned(
        fromByteOffset: index * MemoryLayout<btf_enum>.stride, as: btf_enum.self)
      guard let text = unsafe btf__name_by_offset(btf, member.name_off) else { return nil }
      return Enumerator(name: unsafe String(cString: text), value: UInt32(bitPattern: member.val))
    }
  }
}
