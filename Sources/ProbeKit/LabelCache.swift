import LinuxSystem
import NetTypes
public import Signals
import Synchronization
import Workloads

/// Labels that recur, kept ready: the few namespaces, addresses, interfaces and reasons of a storm of events cost a look-up
/// each instead of a dozen strings.
///
/// A group lives until the next scan for workloads, or for a second: nothing is named by what was known longer ago.
public final class LabelCache: Sendable {
  /// What a group is made of, in numbers.
  public struct Key: Hashable, Sendable {
    private let words: SIMD8<UInt64>

    /// For groups that only one probe makes, by the number that its records bear.
    public init(
      probe: UInt16, _ a: UInt64, _ b: UInt64 = 0, _ c: UInt64 = 0, _ d: UInt64 = 0, _ e: UInt64 = 0, _ f: UInt64 = 0
    ) {
      words = SIMD8(UInt64(probe), a, b, c, d, e, f, 0)
    }

    /// Of both ends of a packet.
    init(protocol number: UInt8, _ source: IPAddress, _ destination: IPAddress, seenFrom cookie: NetnsCookie) {
      words = SIMD8(
        1 << 32 | UInt64(number) << 8 | UInt64(source.family.rawValue), source.high, source.low, destination.high,
        destination.low, cookie.rawValue, 0, 0)
    }

    public static func == (a: Key, b: Key) -> Bool { a.words == b.words }

    /// One number for the hasher instead of eight: packets choose these words, so the mixing has a secret.
    public func hash(into hasher: inout Hasher) {
      var value = Self.secret
      for index in 0..<7 {
        value = (value ^ words[index]) &* 0x9e37_79b9_7f4a_7c15
        value ^= value >> 32
      }
      hasher.combine(value)
    }

    private static let secret = UInt64.random(in: 0...UInt64.max)
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

  /// Lets go of what is older than its lifetime. The reader of events calls it before every batch.
  public func expire() {
    let time = now()
    state.withLock { state in
      if time - state.madeAt >= Self.lifetime { state.groups.removeAll(keepingCapacity: true) }
      if state.groups.isEmpty { state.madeAt = time }
    }
  }

  /// The group of `key`, made by `make` when it is not there. `make` may scan.
  public func group(_ key: Key, _ make: () -> [Label]) -> LabelGroup {
    let generation = workloads.generation
    let known = state.withLock { state in state.generation == generation ? state.groups[key] : nil }
    if let known { return known }
    let group = LabelGroup(make())
    state.withLock { state in
      if state.generation != generation || state.groups.count >= Self.maximumGroups {
        state.groups.removeAll(keepingCapacity: true)
        state.generation = generation
      }
      // What was made while a scan ran may be of before or after: it serves this event only.
      if workloads.generation == generation { state.groups[key] = group }
    }
    return group
  }
}
