import ArgumentParser
import Foundation
import PathCases
import PathLab
import Synchronization

struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Make worlds, ask, compare; ends with 1 on a disagreement.")

  @Option(help: "Stop after this many seconds.")
  var seconds: Double?

  @Option(help: "Stop after about this many questions.")
  var questions: Int?

  @Option(help: "Stop after this many worlds.")
  var worlds: Int?

  @Option(help: "The worlds' seed; by the clock when not given.")
  var seed: UInt64?

  @Option(help: "Number of the first world of the seed.")
  var first = 0

  @Option(help: "Worlds at a time.")
  var parallel = 16

  @Option(help: "A line of JSON for each world is added to this file; worlds that are in it are not made again.")
  var log: String?

  @Option(help: "Folder for the recorded worlds of disagreements.")
  var keep: String?

  @Option(help: "Folder for worlds cut down to one disagreement of each kind.")
  var shrink: String?

  func validate() throws {
    if seconds == nil, questions == nil, worlds == nil {
      throw ValidationError("give --seconds, --questions or --worlds")
    }
  }

  func run() throws {
    let seed = seed ?? UInt64(Date().timeIntervalSince1970)
    var options = LabRunner.Options()
    options.seed = seed
    options.first = first
    options.parallel = parallel
    options.seconds = seconds ?? .infinity
    options.questions = questions ?? .max
    options.worlds = worlds ?? .max
    let log = try log.map { try RunLog(path: $0, seed: seed) }
    let summary = Mutex(Summary())
    if let log { summary.withLock { for record in log.former { $0.add(record) } } }
    let finds = Finds()
    let keeper = try keep.map { try CaseFolder($0) }
    print("seed \(seed)")
    let feed = try EventFeed()
    let start = Date()
    let runner = LabRunner(options, feed, done: Set(log?.former.map(\.number) ?? [])) { record, run in
      summary.withLock { $0.add(record) }
      log?.append(record)
      if let run, !record.disagreements.isEmpty {
        keeper?.keep(run, record)
        finds.add(run, record)
      }
    }
    try runner.run()
    let seconds = Date().timeIntervalSince(start)
    if let shrink { try cutDown(finds, into: CaseFolder(shrink), feed) }
    feed.stop()
    let result = summary.withLock { $0 }
    print(result.text(seconds: seconds), terminator: "")
    if result.disagreementCount > 0 { throw ExitCode(1) }
  }

  private func cutDown(_ finds: Finds, into folder: CaseFolder, _ feed: EventFeed) throws {
    try finds.shrink(Shrinker(feed)) { find, run in
      guard let run else {
        print("not cut down, it does not come back alone: \(find.kind)")
        return
      }
      try folder.writeNext(run, kind: find.kind, count: find.count)
    }
  }
}

struct Plan: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Print a world's plan.")

  @Option(help: "The run's seed.")
  var seed: UInt64

  @Option(help: "The world's number.")
  var number: Int

  func run() throws {
    print(
      String(
        decoding: try CaseFolder.readable.encode(Generator.plan(seed: LabRunner.seed(seed, number))), as: UTF8.self))
  }
}
