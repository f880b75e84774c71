public import BPFPrograms
import CLibbpf
import Glibc
import LinuxSystem
import Synchronization

/// One compiled object on its way into the kernel: opened, given its constants and shared maps, loaded, attached. Everything
/// in the kernel goes when the last reference goes.
///
/// Not Sendable: libbpf's objects have one owner. What outlives loading and is shared (`BPFMap`, `BPFProgram`) is Sendable.
@safe
public final class BPFObject {
  public let name: String
  private let object: OpaquePointer
  private var logs: [(program: String, buffer: LogBuffer)] = []
  private var keepOpen: [UInt8]
  private var shared: [BPFMap] = []

  /// Opens an object; nothing is in the kernel yet. `btf`: where the running kernel's types are described.
  public init(_ file: BPFProgramFile, btf: BTFSource) throws(BPFError) {
    self.name = file.name
    self.keepOpen = file.bytes()
    LibbpfLog.install()
    let path: String? = if case .file(let path) = (btf) { path } else { nil }
    guard let object = unsafe clibbpf_open(keepOpen, keepOpen.count, file.name, path) else {
      throw BPFError(errno: Glibc.errno, "opening the kernel program \(file.name)")
    }
    unsafe self.object = object
  }

  deinit {
    unsafe bpf_object__close(object)
  }

  /// Sets a `const volatile` variable of the program. Its type must have the variable's size.
  public func setConstant<Value: BitwiseCopyable>(_ variable: String, _ value: Value) throws(BPFError) {
    try setConstant(variable, array: [value])
  }

  /// Sets the first elements of a `const volatile` array of the program.
  public func setConstant<Value: BitwiseCopyable>(_ variable: String, array: [Value]) throws(BPFError) {
    guard let map = unsafe bpf_object__find_map_by_name(object, ".rodata") else {
      throw BPFError(.mismatch, "\(name) has no constants")
    }
    var size = 0
    guard let bytes = unsafe UnsafeMutableRawPointer(mutating: bpf_map__initial_value(map, &size)) else {
      throw BPFError(.mismatch, "\(name): the constants are set already")
    }
    guard let place = constantPlace(variable) else {
      throw BPFError(.mismatch, "\(name) has no constant \(variable)")
    }
    let length = array.count * MemoryLayout<Value>.stride
    guard length <= place.size, array.count > 1 || length == place.size || array.isEmpty || place.isArray,
      place.offset + length <= size
    else { throw BPFError(.mismatch, "\(name): \(variable) has \(place.size) bytes, not \(length)") }
    unsafe array.withUnsafeBytes { source in
      guard let base = source.baseAddress else { return }
      _ = unsafe memcpy(bytes + place.offset, base, length)
    }
  }

  /// Where BTF says that a variable lies in `.rodata`.
  private func constantPlace(_ variable: String) -> (offset: Int, size: Int, isArray: Bool)? {
    guard let btf = unsafe bpf_object__btf(object) else { return nil }
    let id = unsafe btf__find_by_name_kind(btf, ".rodata", CLIBBPF_KIND_DATASEC.rawValue)
    guard id > 0, let section = unsafe btf__type_by_id(btf, UInt32(id)) else { return nil }
    let members = unsafe UnsafeRawPointer(section + 1)
    for index in unsafe 0..<Int(section.pointee.info & 0xffff) {
      let member = unsafe members.loadUnaligned(
        fromByteOffset: index * MemoryLayout<btf_var_secinfo>.stride, as: btf_var_secinfo.self)
      guard let type = unsafe btf__type_by_id(btf, member.type),
        let text = unsafe btf__name_by_offset(btf, type.pointee.name_off), unsafe strcmp(text, variable) == 0
      else { continue }
      var inner = unsafe btf__type_by_id(btf, type.pointee.type)
      while let current = unsafe inner,
        [CLIBBPF_KIND_CONST, CLIBBPF_KIND_VOLATILE].map(\.rawValue).contains(unsafe current.pointee.info >> 24 & 0x1f)
      {
        unsafe inner = btf__type_by_id(btf, current.pointee.type)
      }
      let isArray = unsafe inner.map { unsafe $0.pointee.info >> 24 & 0x1f == CLIBBPF_KIND_ARRAY.rawValue } ?? false
      return (Int(member.offset), Int(member.size), isArray)
    }
    return nil
  }

  /// The programs in the object.
  public var programNames: [String] {
    var names: [String] = []
    var program = unsafe bpf_object__next_program(object, nil)
    while let current = unsafe program {
      names.append(unsafe String(cString: bpf_program__name(current)))
      unsafe program = bpf_object__next_program(object, current)
    }
    return names
  }

  /// Chooses what `load` will load; the other programs stay out of the kernel.
  public func select(programs: Set<String>) throws(BPFError) {
    for name in programNames {
      let program = unsafe bpf_object__find_program_by_name(object, name)
      unsafe bpf_program__set_autoload(program, programs.contains(name))
      if programs.contains(name) {
        let log = LogBuffer()
        logs.append((name, log))
        _ = unsafe clibbpf_set_log_buffer(program, log.buffer.baseAddress, log.buffer.count)
      }
    }
    for name in programs where unsafe bpf_object__find_program_by_name(object, name) == nil {
      throw BPFError(.mismatch, "\(self.name) has no program \(name)")
    }
  }

  /// Lets the object use a map that exists instead of one of its own.
  public func share(_ map: BPFMap, as name: String) throws(BPFError) {
    guard let own = unsafe bpf_object__find_map_by_name(object, name) else { return }
    let status = unsafe bpf_map__reuse_fd(own, map.descriptor)
    guard status == 0 else { throw BPFError(errno: -status, "\(self.name): sharing the map \(name)") }
    shared.append(map)
  }

  /// Sets the room of every hash map of the object that evicts nothing.
  public func setMaximumEntriesOfHashes(_ count: Int) throws(BPFError) {
    var map = unsafe bpf_object__next_map(object, nil)
    while let current = unsafe map {
      if unsafe bpf_map__type(current) == BPF_MAP_TYPE_HASH {
        let status = unsafe bpf_map__set_max_entries(current, UInt32(count))
        guard status == 0 else { throw BPFError(errno: -status, "\(name): sizing a map") }
      }
      unsafe map = bpf_object__next_map(object, current)
    }
  }

  /// Loads the selected programs and creates the maps.
  public func load() throws(BPFError) {
    LibbpfLog.begin()
    let status = unsafe bpf_object__load(object)
    guard status == 0 else {
      let said = LibbpfLog.end()
      var error = BPFError(errno: -status, "loading the kernel program \(name)")
      let verifier = logs.map { (program: $0.program, text: $0.buffer.text) }
        .first { !$0.text.isEmpty && !$0.text.hasPrefix("processed") }
      if let verifier, error.code != .notPermitted {
        error = BPFError(
          .rejected, "\(error.message); the verifier on \(verifier.program): \(Self.tail(of: verifier.text))")
      } else if let line = said.last {
        error = BPFError(error.code, "\(error.message); libbpf: \(line)")
      }
      throw error
    }
    _ = LibbpfLog.end()
    logs = []
    keepOpen = []
  }

  static func tail(of log: String) -> String {
    log.split(separator: "\n").suffix(4).joined(separator: " | ")
  }

  /// Attaches a loaded program by its section's name.
  public func attach(_ name: String) throws(BPFError) -> BPFProgram {
    guard let program = unsafe bpf_object__find_program_by_name(object, name) else {
      throw BPFError(.mismatch, "\(self.name) has no program \(name)")
    }
    guard let link = unsafe bpf_program__attach(program) else {
      throw BPFError(errno: Glibc.errno, "attaching \(name)")
    }
    return unsafe BPFProgram(name: name, descriptor: bpf_program__fd(program), link: link)
  }

  /// Runs a loaded program once without attaching it (BPF_PROG_TEST_RUN), for tests and benchmarks. A raw tracepoint's
  /// program gets `arguments`.
  public func run(_ name: String, arguments: [UInt64]) throws(BPFError) {
    guard let program = unsafe bpf_object__find_program_by_name(object, name) else {
      throw BPFError(.mismatch, "\(self.name) has no program \(name)")
    }
    let status = unsafe clibbpf_run(bpf_program__fd(program), arguments, arguments.count * 8)
    guard status >= 0 else { throw BPFError(errno: -status, "running \(name)") }
  }

  /// The object's own maps, without its constants and the ones named.
  public func ownMapNames(except shared: Set<String>) -> [String] {
    var names: [String] = []
    var map = unsafe bpf_object__next_map(object, nil)
    while let current = unsafe map {
      let name = unsafe String(cString: bpf_map__name(current))
      let isInternal = unsafe bpf_map__is_internal(current)
      if !shared.contains(name), !isInternal { names.append(name) }
      unsafe map = bpf_object__next_map(object, current)
    }
    return names
  }

  /// One of the object's maps, after `load`; it lives as long as its users, also beyond the object.
  public func map(_ name: String) throws(BPFError) -> BPFMap {
    guard let map = unsafe bpf_object__find_map_by_name(object, name) else {
      throw BPFError(.mismatch, "\(self.name) has no map \(name)")
    }
    let copy = unsafe fcntl(bpf_map__fd(map), F_DUPFD_CLOEXEC, 0)
    guard copy >= 0 else { throw BPFError(errno: Glibc.errno, "keeping the map \(name)") }
    return try BPFMap(owning: copy)
  }
}

/// Where the verifier writes why it refuses a program; its place must not move while the object loads.
@safe
private final class LogBuffer {
  let buffer: UnsafeMutableBufferPointer<CChar>

  init() {
    unsafe buffer = .allocate(capacity: 1 << 16)
    unsafe buffer.initialize(repeating: 0)
  }

  deinit { unsafe buffer.deallocate() }

  var text: String { unsafe String(cString: buffer.baseAddress!) }
}

/// An attached program. Detached, and out of the kernel, when the last reference goes.
@safe
public final class BPFProgram: @unchecked Sendable {
  // Sendable: the descriptor is a number, and the link is touched only by deinit.
  public let name: String
  private let descriptor: Int32
  private let link: OpaquePointer

  init(name: String, descriptor: Int32, link: OpaquePointer) {
    self.name = name
    // The object closes its own descriptor; statistics may be asked for longer.
    self.descriptor = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
    unsafe self.link = link
  }

  deinit {
    unsafe bpf_link__destroy(link)
    close(descriptor)
  }

  /// What the kernel counted for a program.
  public struct Statistics: Hashable, Sendable {
    public var id: UInt32
    /// Only while somebody has switched the counting on (`BPFStatistics`).
    public var runCount: UInt64
    public var runNanoseconds: UInt64
    /// Runs left out because the program was already running on that CPU (5.12).
    public var recursionMisses: UInt64
  }

  public func statistics() throws(BPFError) -> Statistics {
    var info = clibbpf_program_info()
    let status = unsafe clibbpf_program_info(descriptor, &info)
    guard status == 0 else { throw BPFError(errno: -status, "asking for the statistics of \(name)") }
    return Statistics(
      id: info.id, runCount: info.run_count, runNanoseconds: info.run_time_ns, recursionMisses: info.recursion_misses)
  }
}

/// Switches the kernel's run-time counting for BPF programs on while it lives (BPF_ENABLE_STATS, 5.8). It concerns all
/// programs on the machine and costs two clock reads a run.
public final class BPFStatistics: Sendable {
  private let descriptor: Int32

  public init() throws(BPFError) {
    descriptor = bpf_enable_stats(BPF_STATS_RUN_TIME)
    guard descriptor >= 0 else { throw BPFError(errno: -descriptor, "switching on run-time statistics") }
  }

  deinit { close(descriptor) }
}

/// libbpf prints to standard error by itself. Its words are kept instead, for the message of the error that follows; what
/// it warns of without failing (such as RLIMIT_MEMLOCK without CAP_SYS_RESOURCE, moot from 5.11 on) is dropped.
enum LibbpfLog {
  private static let lines = Mutex<[String]>([])

  static func install() {
    unsafe clibbpf_set_log { _, text in
      guard let text = unsafe text else { return }
      let line = unsafe String(cString: text)
      LibbpfLog.lines.withLock { if $0.count < 64 { $0.append(line) } }
    }
  }

  static func begin() { lines.withLock { $0 = [] } }

  static func end() -> [String] { lines.withLock { $0 } }
}
