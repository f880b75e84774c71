import ArgumentParser
import Foundation
import NetSim
import PathCases
import PathLab

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
      let recorded = try JSONDecoder().decode(PathCase.self, from: Data(contentsOf: URL(fileURLWithPath: file)))
      let world = World([recorded.snapshot])
      let verdicts = recorded.verdicts(world.ask)
      for (number, verdict) in verdicts.enumerated() {
        guard let disagreement = verdict.disagreement else { continue }
        found += 1
        print("\(file) question \(number): \(disagreement.kind)")
        for detail in disagreement.details { print("    \(detail)") }
        if traces { print(CaseText.question(number, of: recorded, world)) }
      }
    }
    print("\(found) disagreements")
    if found > 0 { throw ExitCode(1) }
  }
}

struct Record: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make worlds and keep what the kernel did, for tests without one.")

  @Argument(help: "Where to put them.")
  var folder: String

  @Option(help: "How many worlds.")
  var worlds = 150

  @Option(help: "The worlds' seed.")
  var seed: UInt64 = 1

  @Option(help: "Worlds at a time.")
  var parallel = 16

  func run() throws {
    let cases = try CaseFolder(folder)
    var options = LabRunner.Options()
    (options.seed, options.worlds, options.parallel) = (seed, worlds, parallel)
    let feed = try EventFeed()
    let runner = LabRunner(options, feed) { record, run in
      if let run { try? cases.write(run.recorded, "\(record.seed)-\(record.number)", CaseFolder.compact) }
    }
    try runner.run()
    feed.stop()
  }
}
