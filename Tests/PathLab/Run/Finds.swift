public import PathCases
import Synchronization

/// The first worlds of every kind of disagreement in a run, to be cut down when it is over.
public final class Finds: Sendable {
  public struct Find: Sendable {
    public var kind: String
    public var plan: WorldPlan
    public var question: Int
    /// How often the kind was seen.
    public var count: Int
  }

  /// Worlds of one kind that are kept: one may not come back when it is asked alone.
  private static let limit = 4
  private let finds = Mutex<[String: [Find]]>([:])

  public init() {}

  public func add(_ run: WorldRun, _ record: WorldRecord) {
    finds.withLock { finds in
      for found in record.disagreements {
        let kind = found.disagreement.kind
        var list = finds[kind] ?? []
        if list.count < Self.limit {
          list.append(Find(kind: kind, plan: run.plan, question: found.question, count: 0))
        }
        list[0].count += 1
        finds[kind] = list
      }
    }
  }

  /// One cut-down world of each kind, the most frequent kind first; `receive` gets nil for one that did not come back.
  /// `kinds`: so many at most.
  public func shrink(_ shrinker: Shrinker, kinds: Int = .max, receive: (Find, WorldRun?) throws -> Void) throws {
    let all = finds.withLock { $0 }.sorted { ($1.value[0].count, $0.key) < ($0.value[0].count, $1.key) }
    for (_, list) in all.prefix(kinds) {
      var shrunk: WorldRun?
      for find in list where shrunk == nil {
        shrunk = try shrinker.shrink(find.plan, question: find.question, kind: find.kind)
      }
      try receive(list[0], shrunk)
    }
  }
}
