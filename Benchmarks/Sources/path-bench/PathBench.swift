import Foundation
import Glibc
import NetModel
import NetSim
import NetTypes

/// How long the simulator takes for one question: a connection over four hops, there and back.
@main
struct PathBench {
  static func main() {
    print("| question | CPU time, median of 200 | slowest tenth | steps |\n|---|---|---|---|")
    for furtherRoutes in [0, 1_000] {
      let chain = Chain(hops: 4, furtherRoutes: furtherRoutes)
      let snapshot = chain.snapshot()
      let world = World([snapshot])
      let routes = furtherRoutes == 0 ? "" : ", \(furtherRoutes) more routes in each namespace"
      for (name, transport, view) in [
        ("TCP", .tcp(80), .connected), ("TCP, nobody listens", .tcp(81), .refused), ("ping", .icmp, .reply),
      ] as [(String, Transport, SenderView)] {
        let question = PathQuestion(from: chain.first, to: chain.destination, transport)
        let answer = world.ask(question)
        guard answer.sender == [view] else { fatalError("\(name): \(answer)") }
        let traces = answer.branches.flatMap { [$0.forward] + $0.answers }
        report("\(name)\(routes)", steps: traces.map(\.steps.count).reduce(0, +), rounds: 50) {
          _ = world.ask(question)
        }
      }
      report("making the world of a snapshot\(routes)", steps: nil, rounds: 1) { _ = World([snapshot]) }
    }
  }

  /// Two hundred samples, each the mean of `rounds` calls, after twenty to warm up.
  private static func report(_ name: String, steps: Int?, rounds: Int, _ body: () -> Void) {
    var samples: [Double] = []
    for sample in -20..<200 {
      let start = cpu()
      for _ in 0..<rounds { body() }
      if sample >= 0 { samples.append((cpu() - start) / Double(rounds)) }
    }
    samples.sort()
    let text = [samples[100], samples[180]].map { String(format: "%.1f µs", $0 * 1e6) }
    print("| \(name) | \(text[0]) | \(text[1]) | \(steps.map(String.init) ?? "") |")
  }

  /// Seconds of this thread's CPU time: other programs count in it only by the caches that they take.
  private static func cpu() -> Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
