/// What came of comparing an answer with the kernel.
public enum Verdict: Codable, Hashable, Sendable {
  case agreement
  /// The simulator says that it does not know, and why.
  case undecided(String)
  case disagreement(Disagreement)

  public var disagreement: Disagreement? {
    if case .disagreement(let disagreement) = self { disagreement } else { nil }
  }
}

public struct Disagreement: Codable, Hashable, Sendable {
  /// What differs, in a few words that are equal for equal mistakes.
  public var kind: String
  /// What the branch that comes nearest says otherwise.
  public var details: [String]
  /// A program was promised an answer that it does not get: the worst mistake.
  public var isFalsePromise: Bool
}
