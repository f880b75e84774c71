import Glibc
import NetModel
public import NetSim
import NetTypes
public import PathCases
import NodeState

/// One world, built, asked and judged.
public struct WorldRun: Sendable {
  public var recorded: PathCase
  public var answers: [PathAnswer]
  public var verdicts: [Verdict]
  public var refusedCommands: [Int: String]
  public var refusedServers: [Int: String]

  public var plan: WorldPlan { recorded.plan }

  /// Builds the world of `plan` and asks its questions, on the calling thread, which must be one of ours.
  public init(_ plan: WorldPlan, _ feed: EventFeed) throws {
    let live = try LiveWorld(plan, feed)
    let snapshot = try Self.settledSnapshot(of: live)
    for (number, question) in plan.questions.enumerated() { try live.ask(question, number: number) }
    let observations = try live.finish()
    try Self.check(snapshot, isStill: live)
    recorded = PathCase(plan: plan, snapshot: snapshot, cookies: live.cookies, observations: observations)
    let world = World([snapshot])
    var answers: [PathAnswer] = []
    verdicts = recorded.verdicts { question in
      let answer = world.ask(question)
      answers.append(answer)
      return answer
    }
    self.answers = answers
    refusedCommands = live.refusedCommands
    refusedServers = live.refusedServers
  }

  /// A picture of the world once the kernel has told all its interfaces that they are up, with nothing learned.
  private static func settledSnapshot(of live: LiveWorld) throws -> NodeSnapshot {
    let collector = NodeStateCollector(.init(node: "lab", only: live.paths))
    var snapshot = try collector.collect()
    for _ in 0..<100 where !isSettled(snapshot) {
      usleep(20_000)
      snapshot = try collector.collect()
    }
    // What was sent while interfaces came up (reports of group memberships) taught bridges something.
    try live.forget()
    var settled = try collector.collect()
    // Every question begins with nothing learned; something may have been since.
    for index in settled.namespaces.indices {
      settled.namespaces[index].neighbours.removeAll { !$0.isProxy && $0.state != .permanent && $0.state != .noARP }
      settled.namespaces[index].fdb.removeAll { !$0.isStatic && !$0.isLocal }
    }
    return settled
  }

  /// Nothing may change while questions are asked: timers of the kernel, or a busy machine's work queues, may have.
  private static func check(_ before: NodeSnapshot, isStill live: LiveWorld) throws {
    let after = try NodeStateCollector(.init(node: "lab", only: live.paths)).collect()
    for (old, new) in zip(before.namespaces, after.namespaces) {
      guard old.links == new.links, old.addresses == new.addresses, old.rules == new.rules,
        old.nexthops == new.nexthops,
        old.routes.filter({ !$0.isCached }) == new.routes.filter({ !$0.isCached })
      else { throw LabError("a namespace changed by itself while questions were asked") }
    }
  }

  /// Links change their operational state a little after their carrier (net/core/link_watch.c), and IPv6 addresses get
  /// their routes from a work queue (net/ipv6/addrconf.c).
  private static func isSettled(_ snapshot: NodeSnapshot) -> Bool {
    snapshot.namespaces.allSatisfy { netns in
      let local = Set(netns.routes.filter { $0.table == 255 && $0.type == .local }.map(\.destination.address))
      let up = Set(netns.links.filter { $0.isUp && $0.carrier }.map(\.index))
      let areSettled = netns.links.allSatisfy { link in
        guard link.isUp else { return true }
        return link.carrier ? link.operState == .up || link.operState == .unknown : link.operState != .up
      }
      return areSettled
        && netns.addresses.allSatisfy {
          $0.address.family == .v4 || !up.contains($0.interface) || local.contains($0.address)
        }
    }
  }
}
