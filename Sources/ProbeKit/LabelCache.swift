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

    /// Of a TCP socket's state and a segment's flags.
    init(state: UInt8, flags: UInt8) {
      words = SIMD8(2 << 32 | UInt64(state) << 8 | UInt64(flags), 0, 0, 0, 0, 0, 0, 0)
    }

    /// Packets choose these words, so the mixing has a secret.
    var slot: Int {
      var value = Self.secret
      for index in 0..<7 {
        value = (value ^ words[index]) &* 0x9e37_79b9_7f4a_7c15
        value ^= value >> 32
      }
      return Int(truncatingIfNeeded: value) & (LabelCache.slots - 1)
    }

    private static let secret = UInt64.random(in: 0...UInt64.max)
  }

  /// Groups kept at most, a power of two. Each key has one place; the next key of the same place takes it over.
  static let slots = 2048
  static let lifetime: Int64 = 1_000_000_000

  private struct Slot {
    var key = Key(probe: 0, 0)
    var group: LabelGroup?
  }

  private struct State {
    var generation = -1
    var madeAt: Int64 = 0
    var isEmpty = true
    var groups = Array(repeating: Slot(), count: slots)
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

  /// Lets go of what is older than its lifetime or than the last scan. The reader of events calls it before every batch.
  public func expire() {
    let time = now()
    let generation = workloads.generation
    state.withLock { state in
      if state.generation == generation, time - state.madeAt < Self.lifetime { return }
      // Nothing happens on a quiet machine: then there is nothing to clear.
      if !state.isEmpty { state = State() }
      (state.generation, state.madeAt) = (generation, time)
    }
  }

  /// The group of `key`, made by `make` when it is not there. `make` may scan.
  public func group(_ key: Key, _ make: () -> LabelGroup) -> LabelGroup {
    let generation = workloads.generation
    let slot = key.slot
    let known = state.withLock { state -> LabelGroup? in
      guard state.generation == generation, state.groups[slot].key == key else { return nil }
      return state.groups[slot].group
    }
    if let known { return known }
    let group = make()
    state.withLock { state in
      if state.generation != generation { state = State(generation: generation, madeAt: now()) }
      // What was made while a scan ran may be of before or after: it serves this event only.
      if workloads.generation == generation {
        state.groups[slot] = Slot(key: key, group: group)
        state.isEmpty = false
      }
    }
    return group
  }
}
