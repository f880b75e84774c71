import ArgumentParser
import Foundation
import NetSim
import PathCases
import PathLab
import Synchronization

struct Replay: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Judge recorded worlds again by today's simulator, without the kernel; ends with 1 on a disagreement.")

  @Argument(help: "Recorded worlds.")
  var files: [String]

  @Flag(help: "Print all traces of questions that disagree.")
  var traces = false

  func run() throws {
    var found = 0
    for file in files {
      let data = try Data(contentsOf: URL(fileURLWithPath: file))
      // A file is one world, or a corpus of them.
      let cases = try (try? [JSONDecoder().decode(PathCase.self, from: data)]) ?? Corpus.decode(data)
      for (place, recorded) in cases.enumerated() {
        let world = World([recorded.snapshot])
        for (number, verdict) in recorded.verdicts(world.ask).enumerated() {
          guard let disagreement = verdict.disagreement else { continue }
          found += 1
          print("\(file) world \(place) question \(number): \(disagreement.kind)")
          for detail in disagreement.details { print("    \(detail)") }
          if traces { print(CaseText.question(number, of: recorded, world)) }
        }
      }
    }
    print("\(found) disagreements")
    if found > 0 { throw ExitCode(1) }
  }
}

struct Record: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make worlds and keep what the kernel did in one file, for tests without one.")

  @Argument(help: "The file.")
  var file: String

  @Option(help: "How many worlds.")
  var worlds = 150

  @Option(help: "The worlds' seed.")
  var seed: UInt64 = 1

  @Option(help: "Worlds at a time.")
  var parallel = 16

  func run() throws {
    var options = LabRunner.Options()
    (options.seed, options.worlds, options.parallel) = (seed, worlds, parallel)
    let feed = try EventFeed()
    let cases = Mutex<[Int: PathCase]>([:])
    let runner = LabRunner(options, feed) { record, run in
      if let run { cases.withLock { $0[record.number] = run.recorded } }
    }
    try runner.run()
    feed.stop()
    let sorted = cases.withLock { cases in cases.sorted { $0.key < $1.key }.map(\.value) }
    try Corpus.encode(sorted).write(to: URL(fileURLWithPath: file))
  }
}
