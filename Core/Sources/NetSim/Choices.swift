import NetTypes

/// The choices of one run of the simulation.
///
/// The simulator is a straight line: where things may go several ways it asks here, takes one, and is run again from the
/// start for each of the others. All runs together are the tree of possibilities, in a fixed order.
struct Choices {
  /// Ways beyond this many are cut, which is said as an assumption.
  static let limit = 256

  /// What to take at the choices that come, from the first; beyond its end the first option.
  private let script: [Int]
  private var taken: [(option: Int, of: Int)] = []
  /// Equal questions get equal answers within one run: a flow's hash does not change.
  private var memory: [String: Int] = [:]
  /// What was chosen, for people.
  private(set) var labels: [String] = []
  /// Unknown things that were given a value for this run.
  private(set) var assumptions: [String] = []

  init(script: [Int] = []) { self.script = script }

  /// One of `options`, the same one for an equal `key`. Without a choice nothing is recorded.
  mutating func pick(_ key: String, _ options: [String]) -> Int {
    if options.count == 1 { return 0 }
    if let before = memory[key] { return before }
    let option = take(key, options.count)
    labels.append(options[option])
    return option
  }

  /// A known answer, or for an unknown one both in turn, as an assumption.
  mutating func decide(_ answer: Ternary, _ what: @autoclosure () -> String) -> Bool {
    switch answer {
    case .yes: return true
    case .no: return false
    case .unknown:
      let what = what()
      if let before = memory[what] { return before == 0 }
      let option = take(what, 2)
      assumptions.append(option == 0 ? what : "not: " + what)
      return option == 0
    }
  }

  private mutating func take(_ key: String, _ count: Int) -> Int {
    let option = taken.count < script.count ? script[taken.count] : 0
    taken.append((option, count))
    memory[key] = option
    return option
  }

  /// The script of the next run; nil after the last.
  var next: [Int]? {
    var script = taken
    while let last = script.last, last.option + 1 == last.of { script.removeLast() }
    guard let last = script.popLast() else { return nil }
    return script.map(\.option) + [last.option + 1]
  }
}
