public import NetModel

/// Everything that is known: the snapshots, indexed for lookups. Making one costs about as much as a few hundred questions.
public struct World: Sendable {
  public init(_ snapshots: [NodeSnapshot]) {
  }

  /// All that may become of a packet and its answer.
  public func ask(_ question: PathQuestion) -> PathAnswer {
    PathAnswer(branches: [])
  }
}
