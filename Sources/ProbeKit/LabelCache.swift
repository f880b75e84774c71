import LinuxSystem
public import Signals
import Synchronization
import Workloads

/// Labels that recur, kept ready: the few namespaces, addresses, interfaces and reasons of a storm of events cost a look-up
/// each instead of a dozen strings.
///
/// A group lives until the next scan for workloads, or for a second: nothing is named by what was known longer ago.
public final class LabelCache: Sendable {
  enum Kind: UInt64 {
    case `protocol`, sourceV4, sourceV6, destinationV4, destinationV6, place, pod, interface
  }

  /// What a group is made of, in numbers.
  public struct Key: Hashable, Sendable {
    private let kind: UInt64
    private let words: (UInt64, UInt64, UInt64)

    init(_ kind: Kind, _ a: UInt64, _ b: UInt64 = 0, _ c: UInt64 = 0) {
      self.kind = kind.rawValue
      words = (a, b, c)
    }

    /// For groups that only one probe makes, by the number that its records bear.
    public init(probe: UInt16, _ a: UInt64, _ b: UInt64 = 0, _ c: UInt64 = 0) {
      kind = 1 << 32 | UInt64(probe)
      words = (a, b, c)
    }

    public static func == (a: Key, b: Key) -> Bool { a.kind == b.kind && a.words == b.words }

    public func hash(into hasher: inout Hasher) {
      hasher.combine(kind)
      hasher.combine(words.0)
      hasher.combine(words.1)
      hasher.combine(words.2)
    }
  }

  /// Groups kept at most; the table starts anew beyond.
  static let maximumGroups = 4096
  static let lifetime: Int64 = 1_000_000_000

  private struct State {
    var generation = -1
    var madeAt: Int64 = 0
    var groups: [Key: LabelGroup] = [:]
  }

  private let workloads: WorkloadDirectory
  private let now: @Sendable () -> Int64
  private let state = Mutex(State())

  init(
    _ workloads: WorkloadDirectory, now: @escaping @Sendable () -> Int64 = { Machine.coarseNanoseconds }
  ) {
    self.workloads = workloads
    self.now = now
  }

  /// The group of `key`, made by `make` when it is not there. `make` may scan.
  public func group(_ key: Key, _ make: () -> [Label]) -> LabelGroup {
    let time = now()
    let generation = workloads.generation
    let known = state.withLock { state -> LabelGroup? in
      if state.generation != generation || time - state.madeAt >= Self.lifetime {
        state.groups.removeAll(keepingCapacity: true)
        state.generation = generation
        state.madeAt = time
      }
      return state.groups[key]
    }
    if let known { return known }
    let group = LabelGroup(make())
    // What was made of knowledge that a scan has replaced meanwhile serves this event only.
    if workloads.generation == generation {
      state.withLock { state in
        if state.groups.count >= Self.maximumGroups { state.groups.removeAll(keepingCapacity: true) }
        if state.generation == generation { state.groups[key] = group }
      }
    }
    return group
  }
}
