import NetSim
import PathCases

/// What a run keeps of one world: a line of its log, from which a summary can be made again.
public struct WorldRecord: Codable, Hashable, Sendable {
  public struct Found: Codable, Hashable, Sendable {
    /// The question's place in the plan.
    public var question: Int
    public var disagreement: Disagreement
  }

  /// The run's seed, and the world's number in it.
  public var seed: UInt64
  public var number: Int
  public var topology: String
  /// Features of the generator that the kernel took.
  public var features: [String]
  public var refused: Int
  /// Questions by what the sender saw, e.g. `tcp connected`.
  public var outcomes: [String: Int]
  public var agreements: Int
  /// By the gap.
  public var undecided: [String: Int]
  public var disagreements: [Found]
  /// Of an earlier making of the same world, which did not come again when it was made anew: something else on the machine
  /// came between. Nil in logs of before there were any.
  public var wavered: [Found]?
  /// Silences that nothing explains.
  public var unproven: Int
  /// What the simulator did: stages that it went through, ends that it found.
  public var steps: [String: Int]
  /// Why the world could not be made or asked.
  public var failure: String?

  public init(seed: UInt64, number: Int, _ run: WorldRun) {
    self.seed = seed
    self.number = number
    let plan = run.plan
    topology = plan.topology
    var features: Set<String> = ["topology.\(plan.topology)"]
    for (index, command) in plan.commands.enumerated() where run.refusedCommands[index] == nil {
      if let feature = command.feature { features.insert(feature) }
    }
    self.features = features.sorted()
    refused = run.refusedCommands.count + run.refusedServers.count
    outcomes = [:]
    undecided = [:]
    disagreements = []
    agreements = 0
    unproven = 0
    steps = [:]
    failure = nil
    for (index, observation) in run.recorded.observations.enumerated() {
      outcomes["\(plan.questions[index].kind) \(observation.sender)", default: 0] += 1
      if observation.isUnproven { unproven += 1 }
      switch run.verdicts[index] {
      case .agreement: agreements += 1
      case .undecided(let gap): undecided[gap, default: 0] += 1
      case .disagreement(let disagreement):
        disagreements.append(Found(question: index, disagreement: disagreement))
      }
    }
    for branch in run.answers.flatMap(\.branches) {
      for trace in [branch.forward] + branch.answers { count(trace) }
    }
  }

  /// A world without questions: it failed, or a storm raged in it.
  public init(seed: UInt64, number: Int, topology: String, failure: String?) {
    self.seed = seed
    self.number = number
    self.topology = topology
    self.failure = failure
    features = failure == nil ? ["storm"] : []
    refused = 0
    outcomes = [:]
    agreements = 0
    undecided = [:]
    disagreements = []
    unproven = 0
    steps = [:]
  }

  private mutating func count(_ trace: Trace) {
    for step in trace.steps { steps["step \(step.stage)", default: 0] += 1 }
    switch trace.end {
    case .delivered: steps["end delivered", default: 0] += 1
    case .dropped(let point): steps["end dropped \(point.reason ?? "")", default: 0] += 1
    case .rejected(let point): steps["end rejected \(point.reason ?? "")", default: 0] += 1
    case .failed(let error): steps["end failed \(error)", default: 0] += 1
    case .looped: steps["end looped", default: 0] += 1
    case .left: steps["end left", default: 0] += 1
    case .undecided: steps["end undecided", default: 0] += 1
    }
  }
}
