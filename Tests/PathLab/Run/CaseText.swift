public import NetSim
public import PathCases
import NetTypes

/// A recorded question for people.
public enum CaseText {
  /// The commands of the world that are not the same everywhere, the question, what the kernel did, and what the simulator
  /// says.
  public static func question(_ number: Int, of recorded: PathCase, _ world: World) -> String {
    let plan = recorded.plan
    let question = plan.questions[number]
    let observation = recorded.observations[number]
    func name(_ netns: NetnsCookie) -> String {
      recorded.cookies.firstIndex(of: netns).map { "n\($0)" } ?? "netns \(netns)"
    }
    var lines: [String] = []
    for command in plan.commands where command.isRemovable && !command.text.hasSuffix("forward=0") {
      lines.append("n\(command.netns)\(command.isChange ? "!" : " ") \(command.tool.rawValue) \(command.text)")
    }
    for server in plan.servers {
      lines.append(
        "n\(server.netns)  server \(server.kind) \(server.address) port \(server.port)\(server.v6Only ? " v6only" : "")"
          + "\(server.device.map { " dev \($0)" } ?? "")\(server.isFull ? " full" : "")")
    }
    lines.append(
      "question: from n\(question.from) \(question.kind) to \(question.destination) port \(question.port)"
        + "\(question.source.map { " source \($0)" } ?? "")\(question.device.map { " device \($0)" } ?? "")"
        + " uid \(question.uid) mark \(question.mark) payload \(question.payload)\(question.dontFragment ? " DF" : "")")
    lines.append(
      "kernel: \(observation.sender) \(observation.error ?? "") \(observation.call ?? "")"
        + " after \(observation.milliseconds) ms\(observation.isUnproven ? ", unproven" : "")")
    for arrival in observation.arrivals { lines.append("  arrived at server \(arrival.server) from \(arrival.source)") }
    for item in observation.events {
      let event = item.event
      let words: [String?] = [
        "\(item.role)", "\(event.kind)", "\(name(event.netns)).\(event.device ?? "-")",
        "\(event.source)>\(event.destination)", event.tcpFlags,
        event.icmpType.map { "type \($0)/\(event.icmpCode ?? 0)" },
        event.hopsLeft.map { "ttl \($0)" }, "length \(event.length)", event.reason, event.location,
      ]
      lines.append("  " + words.compactMap { $0 }.joined(separator: " "))
    }
    for (netns, counters) in observation.counters.sorted(by: { $0.key < $1.key }) {
      lines.append(
        "  counters n\(netns): " + counters.sorted { $0.key < $1.key }.map { "\($0)=\($1)" }.joined(separator: " "))
    }
    let answer = world.ask(question.question(recorded.cookies))
    lines.append("simulator: \(answer.sender.map(\.rawValue).joined(separator: " ")) \(answer.outcome)")
    for branch in answer.branches {
      lines.append("  branch \(branch.choices) \(branch.sender) \(branch.outcome) \(branch.assumptions)")
      for trace in [branch.forward] + branch.answers {
        lines.append("    \(trace.what) \(trace.tuple.source)>\(trace.tuple.destination) end \(trace.end)")
        for step in trace.steps {
          lines.append(
            "      \(name(step.netns)) \(step.stage) \(step.device ?? "") \(step.text) \(step.object.map { "[\($0)]" } ?? "")"
          )
        }
        lines.append("      egress " + trace.egress.map { "\(name($0.netns)).\($0.device)" }.joined(separator: " "))
      }
    }
    return lines.joined(separator: "\n")
  }
}
