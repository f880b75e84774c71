public import LinuxBPF
import NetTypes
public import Workloads

/// The maps of a loaded probe, by the names they have in its program.
public struct ProbeMaps: Sendable {
  private let maps: [String: BPFMap]

  init(_ maps: [String: BPFMap]) { self.maps = maps }

  /// A map that the program declares; asking for another is a bug.
  public subscript(name: String) -> BPFMap {
    guard let map = maps[name] else { preconditionFailure("the program has no map \(name)") }
    return map
  }

  /// Entries that have been idle for long are removed once their namespace is gone or the map gets full: the series of a
  /// pod that ended must not stay for ever, and new ones need room. A counter that comes back starts at zero, which
  /// Prometheus takes for a reset.
  ///
  /// `series` gives the labels that an entry is counted under.
  ///
  /// `entries` are what was just read of the map; `last` gives an entry's last change in nanoseconds of the kernel's
  /// monotonic clock, `netns` its namespace.
  public func prune<Key: BitwiseCopyable, Value: BitwiseCopyable>(
    _ name: String, _ entries: [(key: Key, value: Value)], last: (Value) -> UInt64, netns: (Key) -> UInt64,
    series: (Key) -> [String], _ workloads: WorkloadDirectory
  ) throws(BPFError) {
    let map = self[name]
    let now = Clock.monotonic
    let isCrowded = entries.count * 4 >= map.maxEntries * 3
    func isOver(_ entry: (key: Key, value: Value)) -> Bool {
      let changed = last(entry.value)
      return now > changed && now - changed > Self.idleNanoseconds
        && (isCrowded || workloads.isGone(NetnsCookie(rawValue: netns(entry.key))))
    }
    let candidates = entries.filter(isOver)
    if candidates.isEmpty { return }
    // Several entries may make one series (a pod that came back, with a new namespace): it must never shrink while it lives.
    let alive = Set(entries.filter { !isOver($0) }.map { series($0.key) })
    for entry in candidates where !alive.contains(series(entry.key)) { try map.remove(entry.key) }
  }

  /// Ten minutes: two scrapes at least have seen the last value.
  static let idleNanoseconds: UInt64 = 600 * 1_000_000_000
}
