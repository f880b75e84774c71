/// A diagnosis as text for a terminal: the walk as a tree, then what was found.
extension Diagnosis {
  public var text: String {
    var lines: [String] = []
    let port = question.port.map { " port \($0)" } ?? ""
    let proto = question.proto.map { " \($0)" } ?? ""
    lines.append("\(question.source) → \(question.destination)\(proto)\(port)")
    for (index, step) in steps.enumerated() {
      Self.append(step, prefix: "", isLast: index == steps.count - 1, to: &lines)
    }
    lines.append("")
    lines.append("verdict: \(verdict.rawValue)")
    for finding in findings { lines += Self.lines(of: finding) }
    if !assumptions.isEmpty { lines.append("") }
    for assumption in assumptions { lines.append("assumed: \(assumption)") }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func append(_ step: Step, prefix: String, isLast: Bool, to lines: inout [String]) {
    let mark =
      switch step.mark {
      case .passed: "✓"
      case .blocked: "✗"
      case .unknown: "?"
      case .note: "•"
      }
    let place = step.place.map { "  (\($0))" } ?? ""
    let blocking = step.mark == .blocked && step.children.isEmpty ? "  ← blocked here" : ""
    lines.append("\(prefix)\(isLast ? "└─" : "├─") \(mark) \(step.text)\(place)\(blocking)")
    for (index, child) in step.children.enumerated() {
      append(child, prefix: prefix + (isLast ? "   " : "│  "), isLast: index == step.children.count - 1, to: &lines)
    }
  }

  private static func lines(of finding: Finding) -> [String] {
    var lines = ["", "\(finding.severity.rawValue) \(finding.code.rawValue): \(finding.title)"]
    if !finding.detail.isEmpty { lines.append("  \(finding.detail)") }
    for item in finding.evidence {
      let place = item.file.map { file in item.line.map { "\(file):\($0)" } ?? file }
      lines.append("  - \(item.text)\(place.map { "  \($0)" } ?? "")")
    }
    if !finding.remedy.isEmpty { lines.append("  remedy: \(finding.remedy)") }
    return lines
  }
}
