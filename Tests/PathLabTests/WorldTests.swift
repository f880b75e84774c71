import Foundation
import NetSim
import PathCases
import PathLab
import Synchronization
import Testing

/// The simulator against the running kernel.
@Suite(
  .serialized,
  .enabled(if: PathLabRequirement.isMet, "needs root: makes network namespaces and loads kernel programs"))
struct WorldTests {
  /// Seconds of worlds that nobody has seen before.
  static let freshSeconds = ProcessInfo.processInfo.environment["SKOOP_PATH_SECONDS"].flatMap { Double($0) } ?? 0

  @Test("in worlds of fixed seeds the kernel does what the simulator says")
  func fixedSeeds() throws {
    var options = LabRunner.Options()
    options.seed = 1
    options.worlds = 60
    try Self.run(options)
  }

  @Test("in worlds of fresh seeds too", .enabled(if: freshSeconds > 0, "SKOOP_PATH_SECONDS says for how long"))
  func freshSeeds() throws {
    var options = LabRunner.Options()
    options.seed = UInt64(Date().timeIntervalSince1970)
    options.seconds = Self.freshSeconds
    try Self.run(options)
  }

  private static func run(_ options: LabRunner.Options) throws {
    let feed = try EventFeed()
    defer { feed.stop() }
    let summary = Mutex(Summary())
    let finds = Finds()
    let start = Date()
    try LabRunner(options, feed) { record, run in
      summary.withLock { $0.add(record) }
      if let run { finds.add(run, record) }
    }.run()
    let result = summary.withLock { $0 }
    let text = "seed \(options.seed)\n" + result.text(seconds: Date().timeIntervalSince(start))
    print(text)
    try finds.shrink(Shrinker(feed, patience: 20), kinds: 3) { find, run in
      let shown = run.map { CaseText.question(0, of: $0.recorded, World([$0.recorded.snapshot])) }
      Issue.record("\(find.kind), \(find.count) times\n\(shown ?? "does not come back alone")")
    }
    #expect(result.disagreementCount == 0, "\(text)")
    #expect(result.failures.isEmpty)
    #expect(result.unproven == 0)
    #expect(result.questions > 100)
    #expect(result.undecidedShare < 0.02)
    #expect(result.shares.values.allSatisfy { $0 <= 0.5 }, "\(result.shares)")
  }
}
