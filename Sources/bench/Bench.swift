import ArgumentParser

@main
struct Bench: ParsableCommand {
  func run() throws {
    let report = Report(date: "", commit: "", kernel: "", machine: "", findings: try RingBench.run())
    print(report.table)
  }
}
