/// What applications lose while the probes are on: one TCP stream, and connections opened and closed, over loopback and
/// between two namespaces; pairs of runs without and with the agent.
enum ThroughputBench {
  static let pairs = 30
  static let milliseconds: Int32 = 1000
  static let port: UInt16 = 5001
  private static let ways: [(way: Stage.Way, id: String, text: String)] = [
    (.loopback, "loopback", "over loopback"), (.cable, "cable", "between namespaces"),
  ]

  private struct Speed {
    /// Bytes and connections a second.
    var stream: Double
    var connects: Double
  }

  static func run(agent binary: String, on stage: Stage) throws -> [Finding] {
    try stage.serving(port: port) {
      var off: [[Speed]] = []
      var on: [[Speed]] = []
      for pair in -1..<pairs {
        var results: (off: [Speed], on: [Speed]) = ([], [])
        for step in [0, 1] {
          if (pair + step) % 2 == 0 {
            results.off = try speeds(stage)
          } else {
            let agent = try AgentProcess(
              binary, on: stage, AgentProcess.Options(), events: "\(stage.folder)/events.json")
            results.on = try speeds(stage)
            try agent.stop()
          }
        }
        // The first pair warms up.
        if pair >= 0 {
          off.append(results.off)
          on.append(results.on)
        }
      }
      return ways.enumerated().flatMap { index, way in
        findings(way.id, way.text, off: off.map { $0[index] }, on: on.map { $0[index] })
      }
    }
  }

  private static func findings(_ id: String, _ way: String, off: [Speed], on: [Speed]) -> [Finding] {
    func ratio(_ path: KeyPath<Speed, Double>) -> Estimate {
      Statistics.estimate(
        Statistics.ratios(zip(on, off).map { (first: $0[keyPath: path], second: $1[keyPath: path]) }))
    }
    func gigabits(_ speeds: [Speed]) -> Estimate { Statistics.estimate(speeds.map { $0.stream * 8 / 1e9 }) }
    return [
      Finding("throughput.\(id).stream", "TCP stream \(way), probes on / off", ratio(\.stream), unit: ""),
      Finding("throughput.\(id).stream.off", "… off", gigabits(off), unit: "Gbit/s"),
      Finding("throughput.\(id).stream.on", "… on", gigabits(on), unit: "Gbit/s"),
      Finding(
        "throughput.\(id).connects", "TCP connect and close \(way), probes on / off", ratio(\.connects), unit: ""),
      Finding("throughput.\(id).connects.off", "… off", Statistics.estimate(off.map(\.connects)), unit: "/s"),
      Finding("throughput.\(id).connects.on", "… on", Statistics.estimate(on.map(\.connects)), unit: "/s"),
    ]
  }

  private static func speeds(_ stage: Stage) throws -> [Speed] {
    try ways.map { way in
      Speed(
        stream: try stage.streamRate(over: way.way, to: port, milliseconds: milliseconds),
        connects: try stage.connectRate(over: way.way, to: port, milliseconds: milliseconds))
    }
  }
}
