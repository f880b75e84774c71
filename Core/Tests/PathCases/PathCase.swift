public import NetModel
public import NetSim
public import NetTypes

/// A world as it was, what was asked there, and what the kernel did: enough to judge a simulator without a kernel.
public struct PathCase: Codable, Hashable, Sendable {
  /// Why it is kept.
  public var note: String?
  public var plan: WorldPlan
  public var snapshot: NodeSnapshot
  /// The cookies of the plan's namespaces, in order.
  public var cookies: [NetnsCookie]
  /// In the order of the plan's questions.
  public var observations: [Observation]

  public init(
    note: String? = nil, plan: WorldPlan, snapshot: NodeSnapshot, cookies: [NetnsCookie], observations: [Observation]
  ) {
    self.note = note
    self.plan = plan
    self.snapshot = snapshot
    self.cookies = cookies
    self.observations = observations
  }

  /// What `ask` is worth for each question.
  public func verdicts(_ ask: (PathQuestion) -> PathAnswer) -> [Verdict] {
    zip(plan.questions, observations).map { question, observation in
      Comparison(question, observation, namespaces: cookies, servers: plan.servers)
        .verdict(ask(question.question(cookies)))
    }
  }
}
