import ArgumentParser
import Foundation
import NetSim
import PathCases
import PathLab

struct Shrink: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Build a recorded world again, and cut it down to what each of its disagreements needs.")

  @Argument(help: "A recorded world.")
  var file: String

  @Option(help: "Where to put what is left.")
  var folder: String

  @Option(help: "Seconds for each disagreement.")
  var seconds: Double = 60

  func run() throws {
    let recorded = try JSONDecoder().decode(PathCase.self, from: Data(contentsOf: URL(fileURLWithPath: file)))
    let cases = try CaseFolder(folder)
    let feed = try EventFeed()
    defer { feed.stop() }
    let shrinker = Shrinker(feed, patience: seconds)
    for (number, verdict) in recorded.verdicts(World([recorded.snapshot]).ask).enumerated() {
      guard let kind = verdict.disagreement?.kind else { continue }
      if let run = try shrinker.shrink(recorded.plan, question: number, kind: kind) {
        try cases.writeNext(run, kind: kind, count: 1)
      } else {
        print("question \(number) does not come back alone: \(kind)")
      }
    }
  }
}
