import Foundation
import LinuxBPF
import LinuxSystem
import Synchronization
import Testing

struct KernelSymbolTableTests {
  static let text = """
    ffffffff81000000 T _stext
    ffffffff81000100 t nf_hook_slow
    ffffffff81000200 T ip_rcv.constprop.0
    ffffffff81000240 t ip_rcv.cold
    ffffffff81000300 D a_variable
    ffffffff81000400 W weak_function
    ffffffffc0000000 t of_module\t[bridge]
    """

  static func table(_ text: String, chunk: Int = .max) -> KernelSymbolTable {
    let bytes = Array(text.utf8)
    let chunks = stride(from: 0, to: max(bytes.count, 1), by: min(chunk, max(bytes.count, 1))).map { start in
      bytes[start..<min(start + min(chunk, bytes.count), bytes.count)]
    }
    return KernelSymbolTable(parsing: chunks)
  }

  @Test(
    "an address is named by the function before it",
    arguments: [
      (0xffff_ffff_8100_0000, "_stext+0"), (0xffff_ffff_8100_0150, "nf_hook_slow+80"),
      (0xffff_ffff_8100_01ff, "nf_hook_slow+255"), (0xffff_ffff_8100_0200, "ip_rcv.constprop.0+0"),
      (0xffff_ffff_8100_0350, "ip_rcv.cold+272"), (0xffff_ffff_8100_0401, "weak_function+1"),
      (0xffff_ffff_c000_0010, "of_module+16"), (0xffff_ffff_80ff_ffff, "nothing"), (0, "nothing"),
      // Too far behind the last function of its region: code that the table does not know.
      (0xffff_ffff_b000_0000, "nothing"), (UInt64.max, "nothing"),
    ] as [(UInt64, String)])
  func places(address: UInt64, expected: String) {
    let place = Self.table(Self.text).place(of: address)
    #expect(place.map { "\($0.function)+\($0.offset)" } ?? "nothing" == expected)
  }

  @Test("the text may come in pieces of any size", arguments: [1, 2, 7, 33, 64])
  func chunks(size: Int) {
    let table = Self.table(Self.text, chunk: size)
    #expect(table.count == 6)
    #expect(table.malformedLines == 0)
    #expect(table.place(of: 0xffff_ffff_c000_0010)?.function == "of_module")
  }

  @Test("a function's addresses, compiler suffixes included")
  func ranges() {
    let ranges = Self.table(Self.text).ranges(of: ["ip_rcv", "of_module", "absent", "ip_rc"])
    #expect(
      ranges == [
        "ip_rcv": [0xffff_ffff_8100_0200..<0xffff_ffff_8100_0240, 0xffff_ffff_8100_0240..<0xffff_ffff_8100_0400],
        "of_module": [0xffff_ffff_c000_0000..<0xffff_ffff_c000_1000],
      ])
  }

  @Test("hidden addresses are told from an empty table")
  func hidden() {
    #expect(Self.table("0000000000000000 T a\n0000000000000000 t b\n").isHidden)
    #expect(!Self.table("").isHidden)
  }

  @Test("lines that are none are counted", arguments: ["x", "12", "12 T", "12T name", " 12 T name", "12 T "])
  func malformed(line: String) {
    #expect(Self.table(line + "\n").malformedLines == 1)
  }
}

struct SymbolizerTests {
  /// A folder with /proc/kallsyms and /proc/modules.
  static func withRoot(_ body: (String) throws -> Void) throws {
    let root = FileManager.default.temporaryDirectory.appending(path: "skoop-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: root + "/proc", withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: root) }
    try body(root)
  }

  @Test("the table is read again when modules load")
  func refresh() throws {
    try Self.withRoot { root in
      try "ffffffff81000000 T first\n".write(toFile: root + "/proc/kallsyms", atomically: true, encoding: .utf8)
      try "".write(toFile: root + "/proc/modules", atomically: true, encoding: .utf8)
      let clock = ClockBox()
      let symbols = Symbolizer(root: root) { clock.value }
      #expect(symbols.place(ofReturnAddress: 0xffff_ffff_8100_0001)?.function == "first")
      #expect(symbols.place(ofReturnAddress: 0xffff_ffff_c000_0001) == nil)
      let generation = symbols.generation
      try "ffffffff81000000 T first\nffffffffc0000000 t second\t[m]\n"
        .write(toFile: root + "/proc/kallsyms", atomically: true, encoding: .utf8)
      clock.advance(seconds: 10)
      #expect(symbols.place(ofReturnAddress: 0xffff_ffff_c000_0002) == nil, "no module came: nothing is read again")
      try "m 1 0 - Live\n".write(toFile: root + "/proc/modules", atomically: true, encoding: .utf8)
      clock.advance(seconds: 10)
      #expect(symbols.generation == generation + 1)
      #expect(
        symbols.place(ofReturnAddress: 0xffff_ffff_c000_0001)?.function == "second", "what was unknown is asked again")
    }
  }

  @Test("hidden and unreadable tables say so")
  func status() throws {
    try Self.withRoot { root in
      let missing = Symbolizer(root: root)
      #expect(missing.status.explanation?.contains("/proc/kallsyms") == true)
      try "0000000000000000 T first\n".write(toFile: root + "/proc/kallsyms", atomically: true, encoding: .utf8)
      let hidden = Symbolizer(root: root)
      #expect(hidden.status == .hidden)
      #expect(hidden.status.explanation?.contains("CAP_SYSLOG") == true)
    }
  }

  final class ClockBox: Sendable {
    private let time = Mutex<Int64>(0)
    var value: Int64 { time.withLock { $0 } }
    func advance(seconds: Int64) { time.withLock { $0 += seconds * 1_000_000_000 } }
  }
}

struct BTFSourceTests {
  @Test("BTF is looked for in the contract's order")
  func order() throws {
    let root = FileManager.default.temporaryDirectory.appending(path: "skoop-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: root) }
    func put(_ path: String) throws {
      let url = URL(fileURLWithPath: root + path)
      try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data().write(to: url)
    }
    #expect(BTFSource.find(release: "5.4.0", root: root) == nil)
    for folder in ["/etc/net-exporter/custom_btf", "/etc/net-exporter/btf", "/etc/net-exporter"] {
      try put("\(folder)/vmlinux-5.4.0")
      #expect(BTFSource.find(release: "5.4.0", root: root) == .file("\(root)\(folder)/vmlinux-5.4.0"))
    }
    #expect(BTFSource.find(release: "5.4.1", root: root) == nil)
    try put("/sys/kernel/btf/vmlinux")
    #expect(BTFSource.find(release: "5.4.0", root: root) == .kernel)
  }

  @Test("a file that is no BTF is an error that names it")
  func notBTF() throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "skoop-\(UUID().uuidString)").path
    try Data("no BTF".utf8).write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    #expect {
      _ = try KernelBTF(.file(path), tracepoints: [], enumerations: [])
    } throws: {
      "\($0)".contains(path)
    }
  }

  @Test(
    "this kernel's own BTF: tracepoints, their arguments, enumerations",
    .enabled(
      if: BTFSource.find(release: Machine.kernelRelease) != nil || ProcessInfo.processInfo.environment["CI"] != nil,
      "this kernel has no BTF"))
  func running() throws {
    let source = try #require(BTFSource.find(release: Machine.kernelRelease))
    let btf = try KernelBTF(
      source, tracepoints: ["kfree_skb", "no_such_tracepoint"], enumerations: ["tcp_ca_state", "no_such_enumeration"])
    #expect((2...4).contains(btf.arguments(ofTracepoint: "kfree_skb") ?? 0))
    #expect(btf.arguments(ofTracepoint: "no_such_tracepoint") == nil)
    #expect(btf.enumerators(of: "tcp_ca_state")?.contains { $0.name == "TCP_CA_Loss" && $0.value == 4 } == true)
    #expect(btf.enumerators(of: "no_such_enumeration") == nil)
  }
}
