public import LinuxBPF
import LinuxSystem
public import Signals
public import Workloads

/// A probe with a kernel part. The runner loads its program, gives it the shared maps, attaches it, and asks the probe for
/// what only it knows: its constants, the meaning of its records, and its metrics.
public protocol KernelProbe: Sendable {
  static var manifest: ProbeManifest { get }

  init(_ settings: ProbeSettings, _ context: ProbeContext)

  /// Sets the constants that are the probe's own.
  func configure(_ object: BPFObject) throws(BPFError)

  /// Fills in what the program reads of the kernel's symbols: before it is attached, and again when modules come or go.
  func update(_ maps: ProbeMaps) throws(BPFError)

  /// Adds the event that a record tells of; false when the record is none of the probe's (its length differs).
  /// Called on the reader's thread, thousands of times a second.
  func write(_ record: Record, to batch: inout EventBatch) -> Bool

  /// The metrics, from the maps.
  func collect(from maps: ProbeMaps) throws -> [MetricFamily]
}

extension KernelProbe {
  public func configure(_ object: BPFObject) throws(BPFError) {}
  public func update(_ maps: ProbeMaps) throws(BPFError) {}
}

/// The world as probes see it. A class, so that handing it on with every event costs nothing.
public final class ProbeContext: Sendable {
  public let kernel: KernelFacts
  public let symbols: Symbolizer
  public let stacks: StackRenderer
  public let workloads: WorkloadDirectory
  public let labels: LabelCache

  public init(kernel: KernelFacts, symbols: Symbolizer, workloads: WorkloadDirectory) {
    self.kernel = kernel
    self.symbols = symbols
    self.stacks = StackRenderer(symbols)
    self.workloads = workloads
    self.labels = LabelCache(workloads)
  }
}

/// What the running kernel offers, found out once.
public struct KernelFacts: Sendable {
  public let release: String
  /// Nil without BTF, with the reason.
  public let btf: KernelBTF?
  public let btfProblem: String?
  /// Whether the kernel tells a namespace's cookie to user space (5.14).
  public let hasNetnsCookies: Bool

  public init(release: String, btf: KernelBTF?, btfProblem: String?, hasNetnsCookies: Bool) {
    self.release = release
    self.btf = btf
    self.btfProblem = btfProblem
    self.hasNetnsCookies = hasNetnsCookies
  }

  /// Of the running kernel, for these probes. `source`: instead of looking for BTF in the contract's order.
  public static func current(for manifests: [ProbeManifest], btf source: BTFSource? = nil) -> KernelFacts {
    let release = Machine.kernelRelease
    var btf: KernelBTF?
    var problem: String?
    if let source = source ?? BTFSource.find(release: release) {
      do {
        btf = try KernelBTF(
          source, tracepoints: manifests.flatMap { $0.hooks.map(\.tracepoint) },
          enumerations: manifests.flatMap(\.enumerations), modules: Array(Set(manifests.flatMap(\.modules))).sorted())
      } catch {
        problem = error.message
      }
    } else {
      problem =
        "no BTF for kernel \(release): neither /sys/kernel/btf/vmlinux nor vmlinux-\(release) in "
        + BTFSource.folders.joined(separator: ", ")
    }
    return KernelFacts(
      release: release, btf: btf, btfProblem: problem, hasNetnsCookies: NetworkNamespace.hasCookies())
  }

  /// The same kernel, but with other numbers of arguments at some tracepoints: an older kernel, for tests.
  public func pretending(argumentsOfTracepoints arguments: [String: Int]) -> KernelFacts {
    KernelFacts(
      release: release, btf: btf?.pretending(argumentsOfTracepoints: arguments), btfProblem: btfProblem,
      hasNetnsCookies: hasNetnsCookies)
  }

  /// The values of an enumeration by name, without `prefix`.
  public func names(of enumeration: String, droppingPrefix prefix: String) -> [UInt32: String] {
    var names: [UInt32: String] = [:]
    for member in btf?.enumerators(of: enumeration) ?? [] where names[member.value] == nil {
      names[member.value] = String(
        member.name.hasPrefix(prefix) ? member.name.dropFirst(prefix.count) : member.name[...])
    }
    return names
  }
}

/// Which attachment each hook of a probe takes on a kernel, decided before anything is loaded.
public struct HookPlan: Hashable, Sendable {
  public var chosen: [Choice] = []
  /// Hooks that the kernel does not offer, and why.
  public var missing: [Missing] = []

  public struct Choice: Hashable, Sendable {
    public var hook: Hook
    public var attachment: AttachMethod
    public var arguments: Int
  }

  public struct Missing: Hashable, Sendable {
    public var hook: Hook
    public var reason: String
  }

  /// Why the probe cannot run, if it cannot.
  public var impossibility: String? { missing.first { $0.hook.isRequired }?.reason }

  /// `allowed`: the attachments to choose from, all but in tests.
  public init(_ manifest: ProbeManifest, on kernel: KernelFacts, allowed: [AttachMethod] = AttachMethod.allCases) {
    for hook in manifest.hooks {
      guard let btf = kernel.btf else {
        missing.append(Missing(hook: hook, reason: kernel.btfProblem ?? "no BTF"))
        continue
      }
      guard let arguments = btf.arguments(ofTracepoint: hook.tracepoint) else {
        missing.append(
          Missing(hook: hook, reason: "kernel \(kernel.release) has no tracepoint \(hook.tracepoint) in its BTF"))
        continue
      }
      // A BTF tracepoint is checked against the running kernel's own types.
      let possible = btf.source == .kernel ? AttachMethod.allCases : [.raw]
      if let attachment = possible.first(where: { allowed.contains($0) }) {
        chosen.append(Choice(hook: hook, attachment: attachment, arguments: arguments))
      } else {
        missing.append(
          Missing(hook: hook, reason: "none of \(allowed.map(\.rawValue)) works with BTF from \(btf.source)"))
      }
    }
  }
}
