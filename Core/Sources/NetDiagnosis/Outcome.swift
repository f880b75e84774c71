import NetTypes

/// How the branches of a question went, put together.
struct Outcome: Hashable {
  private(set) var works = false
  private(set) var fails = false
  private(set) var open = false

  init() {}

  init(_ result: Ternary) { add(result) }

  mutating func add(_ result: Ternary) {
    switch result {
    case .yes: works = true
    case .no: fails = true
    case .unknown: open = true
    }
  }

  mutating func add(_ other: Outcome) {
    works = works || other.works
    fails = fails || other.fails
    open = open || other.open
  }

  /// What works and what fails is known to, so an open branch cannot turn `partial`; it can turn the others.
  var verdict: Verdict {
    if works && fails { return .partial }
    if open { return .undecided }
    if works { return .reachable }
    return fails ? .unreachable : .undecided
  }

  var mark: Step.Mark {
    switch verdict {
    case .reachable: .passed
    case .unreachable: .blocked
    case .partial, .undecided: .unknown
    }
  }
}

/// One branch, or several, as far as they are walked: what came of them, the steps, and what was found.
struct Walk {
  var outcome = Outcome()
  var steps: [Step] = []
  var findings: [Finding] = []

  init() {}

  /// A branch that ends with a finding.
  init(_ result: Ternary, _ finding: Finding, place: String? = nil) {
    outcome = Outcome(result)
    steps = [Step(result == .no ? .blocked : result == .yes ? .note : .unknown, finding.title, place: place)]
    findings = [finding]
  }

  mutating func add(_ other: Walk) {
    outcome.add(other.outcome)
    steps += other.steps
    for finding in other.findings { note(finding) }
  }

  mutating func note(_ finding: Finding) {
    if !findings.contains(finding) { findings.append(finding) }
  }

  /// Notes a finding for which what seems to work may not.
  mutating func doubt(_ finding: Finding) {
    note(finding)
    if outcome.works || outcome.open { outcome = Outcome(.unknown) }
  }

  /// The same walk under a step of its own.
  func under(_ text: String, place: String? = nil) -> Walk {
    var walk = self
    walk.steps = [Step(outcome.mark, text, place: place, children: steps)]
    return walk
  }
}

extension [Finding] {
  /// One finding in place of several that rest on the same evidence, such as a policy that keeps out every pod of a
  /// workload. The severest come first; within one severity the order stays.
  func merged() -> [Finding] {
    var result: [Finding] = []
    var titles: [[String]] = []
    for finding in self {
      let same = result.firstIndex {
        $0.code == finding.code && $0.severity == finding.severity && $0.evidence == finding.evidence
          && $0.remedy == finding.remedy && !$0.evidence.isEmpty
      }
      if let same {
        titles[same].append(finding.title)
      } else {
        result.append(finding)
        titles.append([])
      }
    }
    let merged = zip(result, titles).map { finding, others in
      if others.isEmpty { return finding }
      let named = others.prefix(5).joined(separator: "; ") + (others.count > 5 ? "; and \(others.count - 5) more" : "")
      return Finding(
        finding.code, severity: finding.severity, title: "\(finding.title), and \(others.count) more such",
        detail: "\(finding.detail) In the same way: \(named).", evidence: finding.evidence, remedy: finding.remedy)
    }
    return Severity.allCases.reversed().flatMap { severity in merged.filter { $0.severity == severity } }
  }
}
