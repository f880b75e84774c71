/// The answer to a question that may depend on something nobody knows: yes, no, or unknown.
///
/// The connectives are those of Kleene's strong logic, so a known answer is given wherever the unknown part
/// cannot change it.
public enum Ternary: UInt8, Hashable, Sendable {
  case no = 0
  case unknown = 1
  case yes = 2

  @inlinable
  public init(_ value: Bool) { self = value ? .yes : .no }

  /// The smaller of the two, where no < unknown < yes.
  @inlinable
  public static func && (a: Ternary, b: @autoclosure () throws -> Ternary) rethrows -> Ternary {
    if a == .no { return .no }
    let right = try b()
    return a.rawValue < right.rawValue ? a : right
  }

  /// The larger of the two, where no < unknown < yes.
  @inlinable
  public static func || (a: Ternary, b: @autoclosure () throws -> Ternary) rethrows -> Ternary {
    if a == .yes { return .yes }
    let right = try b()
    return a.rawValue > right.rawValue ? a : right
  }

  @inlinable
  public static prefix func ! (a: Ternary) -> Ternary {
    switch a {
    case .no: .yes
    case .unknown: .unknown
    case .yes: .no
    }
  }
}
