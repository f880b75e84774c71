/// What applications lose while the probes are on: one TCP stream, and connections opened and closed, between two
/// namespaces; pairs of runs without and with the agent.
enum ThroughputBench {
  static let pairs = 30
  static let milliseconds: Int32 = 1000
  static let port: UInt16 = 5001

  private struct Speed {
    /// Bytes and connections a second.
    var stream: Double
    var connects: Double
  }

  static func run(agent binary: String, on stage: Stage) throws -> [Finding] {
    try stage.serving(port: port) {
      var off: [Speed] = []
      var on: [Speed] = []
      for pair in -1..<pairs {
        var results: (off: Speed?, on: Speed?) = (nil, nil)
        for step in [0, 1] {
          if (pair + step) % 2 == 0 {
            results.off = try speed(stage)
          } else {
            let agent = try AgentProcess(
              binary, on: stage, AgentProcess.Options(), events: "\(stage.folder)/events.json")
            results.on = try speed(stage)
            try agent.stop()
          }
        }
        // The first pair warms up.
        if pair >= 0, let first = results.off, let second = results.on {
          off.append(first)
          on.append(second)
        }
      }
      func ratio(_ path: KeyPath<Speed, Double>) -> Estimate {
        Statistics.estimate(
          Statistics.ratios(zip(on, off).map { (first: $0[keyPath: path], second: $1[keyPath: path]) }))
      }
      return [
        Finding("throughput.stream", "TCP stream between namespaces, probes on / off", ratio(\.stream), unit: ""),
        Finding(
          "throughput.stream.off", "… off", Statistics.estimate(off.map { $0.stream * 8 / 1e9 }), unit: "Gbit/s"),
        Finding("throughput.stream.on", "… on", Statistics.estimate(on.map { $0.stream * 8 / 1e9 }), unit: "Gbit/s"),
        Finding(
          "throughput.connects", "TCP connect and close between namespaces, probes on / off", ratio(\.connects),
          unit: ""),
        Finding("throughput.connects.off", "… off", Statistics.estimate(off.map(\.connects)), unit: "/s"),
        Finding("throughput.connects.on", "… on", Statistics.estimate(on.map(\.connects)), unit: "/s"),
      ]
    }
  }

  private static func speed(_ stage: Stage) throws -> Speed {
    Speed(
      stream: try stage.streamRate(to: port, milliseconds: milliseconds),
      connects: try stage.connectRate(to: port, milliseconds: milliseconds))
  }
}
