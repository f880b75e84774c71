import Foundation
import LinuxSystem
import PathCases
import Synchronization

/// Makes worlds one after another, several at a time, until something is enough.
public final class LabRunner: Sendable {
  public struct Options: Sendable {
    public var seed: UInt64 = 1
    /// The first world's number.
    public var first = 0
    /// Worlds at a time: most of the time a world waits.
    public var parallel = 16
    public var seconds: Double = .infinity
    public var questions = Int.max
    public var worlds = Int.max

    public init() {}
  }

  static let attempts = 6

  private let options: Options
  private let feed: EventFeed
  private let done: Set<Int>
  private let receive: @Sendable (WorldRecord, WorldRun?) -> Void
  private let state: Mutex<State>

  private struct State {
    var next: Int
    var worlds = 0
    var questions = 0
  }

  /// `done`: numbers of worlds that a former run has had. `receive` gets every world, one at a time.
  public init(
    _ options: Options, _ feed: EventFeed, done: Set<Int> = [],
    receive: @escaping @Sendable (WorldRecord, WorldRun?) -> Void
  ) {
    self.options = options
    self.feed = feed
    self.done = done
    self.receive = receive
    state = Mutex(State(next: options.first))
  }

  /// The seed of a world by its number in a run.
  public static func seed(_ run: UInt64, _ number: Int) -> UInt64 {
    var random = SplitMix(seed: run, stream: UInt64(number) &+ 100)
    return random.next()
  }

  /// Comes back when enough was asked.
  public func run() throws {
    let end = Date().addingTimeInterval(min(options.seconds, 1e9))
    let receiving = Mutex(())
    let workers = try (0..<options.parallel).map { number in
      try DedicatedThread("path-lab-\(number)") { [self] in
        while Date() < end, let number = next() {
          let (record, run) = world(number)
          state.withLock { $0.questions += record.outcomes.values.reduce(0, +) }
          receiving.withLock { _ in receive(record, run) }
        }
      }
    }
    for worker in workers { worker.join() }
  }

  private func next() -> Int? {
    state.withLock { state in
      guard state.worlds < options.worlds, state.questions < options.questions else { return nil }
      while done.contains(state.next) { state.next += 1 }
      state.worlds += 1
      state.next += 1
      return state.next - 1
    }
  }

  private func world(_ number: Int) -> (WorldRecord, WorldRun?) {
    let plan = Generator.plan(seed: Self.seed(options.seed, number))
    var before: [WorldRecord.Found]?
    do {
      for attempt in 1...Self.attempts {
        let (lost, missed) = (try feed.lost(), feed.missed())
        let run = try WorldRun(plan, feed)
        // Without all events nothing can be compared. A few that were missed may be anybody's: only a mistake needs to be seen
        // again without.
        if try feed.lost() != lost { continue }
        var record = WorldRecord(seed: options.seed, number: number, run)
        if attempt < Self.attempts, feed.missed() != missed, !record.disagreements.isEmpty || record.unproven > 0 {
          continue
        }
        // A mistake of the simulator comes again with the world; what the rest of the machine does to it does not.
        if before == nil, !record.disagreements.isEmpty, attempt < Self.attempts {
          before = record.disagreements
          continue
        }
        let questions = Set(record.disagreements.map(\.question))
        record.wavered = before?.filter { !questions.contains($0.question) }
        return (record, run)
      }
      throw LabError("kernel events were lost at every attempt")
    } catch is Storm {
      return (WorldRecord(seed: options.seed, number: number, topology: plan.topology, failure: nil), nil)
    } catch {
      return (WorldRecord(seed: options.seed, number: number, topology: plan.topology, failure: "\(error)"), nil)
    }
  }
}
