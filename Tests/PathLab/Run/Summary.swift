/// What many worlds came to.
public struct Summary: Sendable {
  public private(set) var worlds = 0
  public private(set) var failures: [String] = []
  public private(set) var questions = 0
  public private(set) var agreements = 0
  public private(set) var undecided: [String: Int] = [:]
  public private(set) var disagreements: [String: Int] = [:]
  public private(set) var wavered = 0
  public private(set) var falsePromises = 0
  public private(set) var unproven = 0
  public private(set) var refused = 0
  /// Questions, and those undecided, in worlds that have nothing outside the model.
  private var modelled = (questions: 0, undecided: 0)
  private var outcomes: [String: Int] = [:]
  private var features: [String: Int] = [:]
  private var steps: [String: Int] = [:]

  public init() {}

  public mutating func add(_ record: WorldRecord) {
    worlds += 1
    if let failure = record.failure { failures.append("world \(record.number): \(failure)") }
    questions += record.outcomes.values.reduce(0, +)
    agreements += record.agreements
    unproven += record.unproven
    refused += record.refused
    undecided.merge(record.undecided, uniquingKeysWith: +)
    if Generator.extensions.isDisjoint(with: record.features) {
      modelled.questions += record.outcomes.values.reduce(0, +)
      modelled.undecided += record.undecided.values.reduce(0, +)
    }
    wavered += record.wavered?.count ?? 0
    for found in record.disagreements {
      disagreements[found.disagreement.kind, default: 0] += 1
      if found.disagreement.isFalsePromise { falsePromises += 1 }
    }
    outcomes.merge(record.outcomes, uniquingKeysWith: +)
    steps.merge(record.steps, uniquingKeysWith: +)
    for feature in record.features { features[feature, default: 0] += 1 }
  }

  public var disagreementCount: Int { disagreements.values.reduce(0, +) }

  /// How much stays undecided where nothing outside the model is used.
  public var undecidedShare: Double { Double(modelled.undecided) / Double(max(modelled.questions, 1)) }

  /// Shares of what senders saw, whatever they sent: no class may be more than half.
  public var shares: [String: Double] {
    var classes: [String: Int] = [:]
    for (outcome, count) in outcomes { classes[String(outcome.split(separator: " ")[1]), default: 0] += count }
    return classes.mapValues { Double($0) / Double(max(questions, 1)) }
  }

  /// For people. `seconds`: what the run took.
  public func text(seconds: Double) -> String {
    func list(_ counts: [String: Int]) -> String {
      counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "  \(pad($0.value)) \($0.key)\n" }.joined()
    }
    func percent(_ part: Int) -> String { share(Double(part) / Double(max(questions, 1))) }
    func share(_ part: Double) -> String {
      let hundredths = Int((part * 10_000).rounded())
      return "\(hundredths / 100).\(hundredths / 10 % 10)\(hundredths % 10) %"
    }
    let missing = Generator.features.filter { features[$0] == nil }
    let gaps = undecided.values.reduce(0, +)
    let rate = Int((Double(questions) / max(seconds, 0.001)).rounded())
    var text = """
      \(questions) questions in \(worlds) worlds, \(rate) a second
      agreement \(agreements) (\(percent(agreements))), undecided \(gaps) (\(percent(gaps))), disagreement \(disagreementCount) \
      (\(percent(disagreementCount))), of those false promises \(falsePromises)
      undecided where nothing outside the model is used: \(share(undecidedShare)) of \(modelled.questions)
      silences without proof \(unproven), commands and servers refused \(refused), worlds that failed \(failures.count)

      """
    text += failures.prefix(5).map { "  \($0)\n" }.joined()
    text += "disagreements that did not come again when their world was made anew: \(wavered)\n"
    if !disagreements.isEmpty { text += "disagreements:\n\(list(disagreements))" }
    if !undecided.isEmpty { text += "undecided because:\n\(list(undecided))" }
    text += "what senders saw:\n\(list(outcomes))"
    text += "features, by worlds:\n\(list(features))"
    if !missing.isEmpty { text += "features that no world had: \(missing.joined(separator: ", "))\n" }
    text += "the simulator's steps and ends:\n\(list(steps))"
    return text
  }

  private func pad(_ number: Int) -> String {
    let text = String(number)
    return String(repeating: " ", count: max(7 - text.count, 0)) + text
  }
}
