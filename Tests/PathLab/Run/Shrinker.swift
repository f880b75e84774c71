import Foundation
import LinuxSystem
public import PathCases
import Synchronization

/// Cuts a world with a disagreement down to what the disagreement needs.
public struct Shrinker: Sendable {
  private let feed: EventFeed
  /// Smaller worlds tried at a time.
  private let parallel: Int
  /// Seconds for one world.
  private let patience: Double

  public init(_ feed: EventFeed, parallel: Int = 12, patience: Double = 40) {
    self.feed = feed
    self.parallel = parallel
    self.patience = patience
  }

  /// The smallest world found that has a disagreement of this kind; nil when it does not come back with the question alone.
  public func shrink(_ plan: WorldPlan, question: Int, kind: String) throws -> WorldRun? {
    var plan = plan
    plan.questions = [plan.questions[question]]
    guard var best = try first(of: [plan, plan, plan], kind) else { return nil }
    let end = Date().addingTimeInterval(patience)
    var size = 0
    while size != best.plan.size, Date() < end {
      size = best.plan.size
      try removeNamespaces(&best, kind)
      try removeChunks(&best, kind, \.servers, until: end)
      try removeChunks(&best, kind, \.removableCommands, until: end)
      try simplifyQuestion(&best, kind)
    }
    if let smaller = try first(of: [best.plan.withoutEmptyNamespaces], kind) { best = smaller }
    return best
  }

  /// The first of some plans that shows the disagreement; all are tried at once.
  private func first(of candidates: [WorldPlan], _ kind: String) throws -> WorldRun? {
    let found = Mutex<[Int: WorldRun]>([:])
    let threads = try candidates.enumerated().map { number, plan in
      try DedicatedThread("path-lab-shrink") { [feed] in
        guard let run = try? WorldRun(plan, feed), run.verdicts.first?.disagreement?.kind == kind else { return }
        found.withLock { $0[number] = run }
      }
    }
    for thread in threads { thread.join() }
    return found.withLock { found in found.min { $0.key < $1.key }?.value }
  }

  /// Tries candidates in their order, some at a time; true when one was taken.
  private func take(_ candidates: [WorldPlan], _ best: inout WorldRun, _ kind: String) throws -> Bool {
    for start in stride(from: 0, to: candidates.count, by: parallel) {
      if let run = try first(of: Array(candidates[start..<min(start + parallel, candidates.count)]), kind) {
        best = run
        return true
      }
    }
    return false
  }

  private func removeNamespaces(_ best: inout WorldRun, _ kind: String) throws {
    while true {
      let plan = best.plan
      let candidates = (0..<plan.namespaces).filter { netns in
        netns != plan.questions[0].from && plan.commands.contains { $0.netns == netns && $0.isRemovable }
      }.map { plan.emptying($0) }
      if try !take(candidates, &best, kind) { return }
    }
  }

  /// Removes runs of elements, long ones first.
  private func removeChunks<Element>(
    _ best: inout WorldRun, _ kind: String, _ path: WritableKeyPath<WorldPlan, [Element]>,
    until end: Date
  ) throws {
    var length = max(best.plan[keyPath: path].count / 2, 1)
    while !best.plan[keyPath: path].isEmpty, Date() < end {
      let count = best.plan[keyPath: path].count
      let candidates = stride(from: 0, to: count, by: length).map { start in
        var plan = best.plan
        plan[keyPath: path].removeSubrange(start..<min(start + length, count))
        return plan
      }
      if try take(candidates, &best, kind) { continue }
      if length == 1 { return }
      length /= 2
    }
  }

  private func simplifyQuestion(_ best: inout WorldRun, _ kind: String) throws {
    let changes: [(inout QuestionPlan) -> Void] = [
      { $0.uid = 0 }, { $0.mark = 0 }, { $0.source = nil }, { $0.device = nil }, { $0.payload = 8 },
      { $0.dontFragment = false },
    ]
    for change in changes {
      var plan = best.plan
      change(&plan.questions[0])
      if plan != best.plan { _ = try take([plan], &best, kind) }
    }
  }
}

extension PlanCommand {
  /// Not what makes every world quiet and quick.
  var isRemovable: Bool { isChange || tool != .sysctl || text.contains("forward") }
}

extension WorldPlan {
  fileprivate var size: Int { commands.count + servers.count }

  /// The commands that a world may go without. Setting them puts those that are left in their places.
  fileprivate var removableCommands: [PlanCommand] {
    get { commands.filter(\.isRemovable) }
    set {
      var left = newValue[...]
      commands = commands.filter { command in
        if !command.isRemovable { return true }
        guard left.first == command else { return false }
        left = left.dropFirst()
        return true
      }
    }
  }

  /// Without anything that a namespace has of its own.
  fileprivate func emptying(_ netns: Int) -> WorldPlan {
    var plan = self
    plan.commands.removeAll { $0.netns == netns && $0.isRemovable }
    plan.servers.removeAll { $0.netns == netns }
    return plan
  }

  /// Namespaces of which no command, server or question speaks are left out, and the others numbered anew.
  fileprivate var withoutEmptyNamespaces: WorldPlan {
    var used = Set(questions.map(\.from) + servers.map(\.netns))
    for command in commands where command.isRemovable {
      used.insert(command.netns)
      for word in command.text.split(separator: " ") where word.hasPrefix("@") {
        if let number = Int(word.dropFirst()) { used.insert(number) }
      }
    }
    var numbers: [Int: Int] = [:]
    for netns in used.sorted() { numbers[netns] = numbers.count }
    var plan = self
    plan.namespaces = numbers.count
    plan.commands = commands.compactMap { command in
      guard let number = numbers[command.netns] else { return nil }
      var command = command
      command.netns = number
      command.text = command.text.split(separator: " ").map { word in
        word.hasPrefix("@")
          ? Int(word.dropFirst()).flatMap { numbers[$0] }.map { "@\($0)" } ?? String(word) : String(word)
      }.joined(separator: " ")
      return command
    }
    for index in plan.servers.indices { plan.servers[index].netns = numbers[plan.servers[index].netns]! }
    for index in plan.questions.indices { plan.questions[index].from = numbers[plan.questions[index].from]! }
    return plan
  }
}
