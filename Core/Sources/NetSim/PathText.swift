public import NetTypes

/// An answer as people read it: one line a step, the deciding object quoted, the verdict last.
public struct PathText {
  private let question: PathQuestion
  private let answer: PathAnswer
  /// The name of a namespace.
  private let name: (NetnsCookie) -> String

  public init(_ question: PathQuestion, _ answer: PathAnswer, name: @escaping (NetnsCookie) -> String) {
    self.question = question
    self.answer = answer
    self.name = name
  }

  public var text: String {
    var lines: [String] = []
    for (index, branch) in answer.branches.enumerated() {
      if answer.branches.count > 1 {
        let choices = (branch.choices + branch.assumptions.map { "assuming: \($0)" }).joined(separator: "; ")
        lines.append("way \(index + 1) of \(answer.branches.count)" + (choices.isEmpty ? "" : ": \(choices)"))
      }
      for trace in [branch.forward] + branch.answers { lines += self.lines(trace) }
      if answer.branches.count > 1 {
        lines.append("  → the sender sees \(branch.sender.rawValue), \(branch.outcome.rawValue)")
      }
    }
    lines.append("sender: \(answer.sender.map(\.rawValue).joined(separator: ", "))")
    lines.append("outcome: \(answer.outcome.rawValue)")
    return lines.joined(separator: "\n") + "\n"
  }

  private func lines(_ trace: Trace) -> [String] {
    let ends = [trace.tuple.source, trace.tuple.destination].map(\.description)
    let port = trace.tuple.destinationPort == 0 ? "" : " port \(trace.tuple.destinationPort)"
    var lines = ["\(trace.what) \(ends[0]) → \(ends[1])\(port)"]
    let width = trace.steps.map { place($0).count }.max() ?? 0
    for step in trace.steps {
      let place = self.place(step)
      let object = step.object.map { "  [\($0)]" } ?? ""
      lines.append(
        "  \(place)\(String(repeating: " ", count: width - place.count))  \(step.stage.rawValue.padded(9))  \(step.text)\(object)"
      )
    }
    lines.append("  " + end(trace.end))
    return lines
  }

  private func place(_ step: Step) -> String { name(step.netns) + (step.device.map { " \($0)" } ?? "") }

  private func end(_ end: TraceEnd) -> String {
    func at(_ point: DropPoint) -> String {
      "in \(name(point.netns))" + (point.device.map { " at \($0)" } ?? "") + (point.reason.map { ", \($0)" } ?? "")
    }
    return switch end {
    case .delivered(let netns): "✓ delivered in \(name(netns))"
    case .dropped(let point): "✗ dropped \(at(point))"
    case .rejected(let point): "✗ rejected \(at(point))"
    case .failed(let error): "✗ not sent: \(error)"
    case .looped: "✗ goes round in circles"
    case .left(let netns, let device): "? left what is known, by \(device) of \(name(netns))"
    case .undecided(let why): "? undecided: \(why)"
    }
  }
}

extension String {
  fileprivate func padded(_ width: Int) -> String { self + String(repeating: " ", count: max(width - count, 0)) }
}
