public import NetSim
public import NetTypes

/// Compares an answer with what the kernel did, step by step: one branch must agree in everything.
public struct Comparison {
  let question: QuestionPlan
  let observation: Observation
  /// The cookies of the plan's namespaces, in order.
  let namespaces: [NetnsCookie]
  let servers: [ServerPlan]
  private var ways = 1

  public init(
    _ question: QuestionPlan, _ observation: Observation, namespaces: [NetnsCookie], servers: [ServerPlan]
  ) {
    self.question = question
    self.observation = observation
    self.namespaces = namespaces
    self.servers = servers
  }

  public func verdict(_ answer: PathAnswer) -> Verdict {
    var comparison = self
    comparison.ways = answer.branches.count
    return comparison.judge(answer)
  }

  private func judge(_ answer: PathAnswer) -> Verdict {
    var nearest: [Mismatch]?
    var gap: String?
    for branch in answer.branches {
      if branch.sender == .undecided || branch.outcome == .undecided {
        gap = gap ?? Self.gap(of: branch)
        continue
      }
      let mismatches = mismatches(branch)
      if mismatches.isEmpty { return .agreement }
      if nearest.map({ Self.weight(mismatches) < Self.weight($0) }) ?? true { nearest = mismatches }
    }
    if let gap { return .undecided(gap) }
    guard let nearest else {
      return .disagreement(Disagreement(kind: "no answer", details: ["no branch"], isFalsePromise: false))
    }
    let promises: Set<SenderView> = [.connected, .reply]
    return .disagreement(
      Disagreement(
        kind: nearest[0].kind, details: nearest.map(\.text),
        isFalsePromise: answer.sender.allSatisfy(promises.contains) && !promises.contains(observation.sender)))
  }

  private static func gap(of branch: Branch) -> String {
    for trace in [branch.forward] + branch.answers {
      if case .undecided(let why) = trace.end { return why }
    }
    return branch.assumptions.first ?? "no reason given"
  }

  struct Mismatch {
    /// The graver the heavier.
    var weight: Int
    var kind: String
    var text: String
  }

  private static func weight(_ mismatches: [Mismatch]) -> Int { mismatches.reduce(0) { $0 + $1.weight } }

  // MARK: one branch

  private func mismatches(_ branch: Branch) -> [Mismatch] {
    var result: [Mismatch] = []
    if branch.sender != observation.sender {
      let by = observation.error.map { " (\($0) by \(observation.call ?? ""))" } ?? ""
      result.append(
        mismatch(
          100, "\(question.kind): kernel \(observation.sender), simulator \(branch.sender)",
          "the sender sees \(observation.sender)\(by), not \(branch.sender)"))
    }
    result += endMismatches(branch)
    result += egressMismatches(branch.forward.egress, transmissions([.forward]), "forward")
    for answer in branch.answers {
      result += egressMismatches(answer.egress, transmissions([.answer, .error]), answer.what)
    }
    return result
  }

  /// Where the question's packet ended.
  private func endMismatches(_ branch: Branch) -> [Mismatch] {
    // What is dropped inside a tunnel is seen as the tunnel's packet.
    let drops = observation.events.filter { [.forward, .carrier].contains($0.role) && $0.event.kind == .drop }
    switch branch.forward.end {
    case .delivered(let netns):
      if let arrival = observation.arrivals.first { return arrivalMismatches(arrival, netns, branch.forward.tuple) }
      let answers = observation.events.filter { $0.role == .answer && $0.event.kind == .transmission }
      if let first = answers.first, question.kind != .udp, first.event.netns != netns {
        return [
          mismatch(
            30, "delivered elsewhere", "delivered to \(name(netns)), not \(name(first.event.netns)), which answers")
        ]
      }
      if answers.isEmpty, !wentSeveralWays,
        let drop = drops.last(where: {
          $0.role == .forward && !isCopy($0.event) && !$0.event.isNormal && !isAnotherSYN($0.event, netns)
        })
      {
        return [
          mismatch(40, "delivered, but dropped", "delivered to \(name(netns)), not dropped: \(text(drop.event))")
        ]
      }
      return dropMismatches(of: branch.answers.last, among: [.answer, .error, .carrier])
    case .dropped(let point), .rejected(let point):
      if let arrival = observation.arrivals.first, question.kind != .icmp {
        return [
          mismatch(
            40, "dropped, but delivered",
            "dropped in \(name(point.netns)), not delivered to server \(arrival.server)")
        ]
      }
      return dropMismatches(point, among: drops, "forward")
        + dropMismatches(of: branch.answers.last, among: [.answer, .error, .carrier])
    case .failed(let error):
      if let observed = observation.error, observed != error {
        return [mismatch(20, "error", "the call fails with \(observed), not \(error)")]
      }
      return []
    case .looped:
      let hops = transmissions([.forward]).count
      return hops > 4 ? [] : [mismatch(40, "no loop", "goes in circles, not over \(hops) interfaces")]
    case .left, .undecided: return []
    }
  }

  /// SYNs that are sent again may take another of several ways: the kernel gives them another hash.
  private var wentSeveralWays: Bool { question.kind == .tcp && observation.sawRetransmission && ways > 1 }

  /// A vxlan that knows no endpoint for a frame sends it to several; some of them may have no route.
  private func isCopy(_ drop: PacketEvent) -> Bool { drop.location == "vxlan_xmit_one" }

  /// A SYN that is sent again finds its connection half open: it is dropped after it has made the SYN-ACK go again.
  private func isAnotherSYN(_ drop: PacketEvent, _ netns: NetnsCookie) -> Bool {
    question.kind == .tcp && observation.sawRetransmission && drop.netns == netns
      && (drop.location == "tcp_v4_rcv" || drop.location == "tcp_v6_rcv") && drop.reason == "NOT_SPECIFIED"
  }

  private func arrivalMismatches(_ arrival: Arrival, _ netns: NetnsCookie, _ tuple: Tuple) -> [Mismatch] {
    var result: [Mismatch] = []
    let there = namespaces[servers[arrival.server].netns]
    if there != netns {
      result.append(mismatch(30, "delivered elsewhere", "delivered to \(name(netns)), not to \(name(there))"))
    }
    if arrival.source != tuple.source {
      result.append(mismatch(20, "source address", "arrives from \(arrival.source), not \(tuple.source)"))
    }
    if let destination = arrival.destination, destination != tuple.destination {
      result.append(mismatch(20, "destination address", "arrives for \(destination), not \(tuple.destination)"))
    }
    return result
  }

  private func dropMismatches(of trace: Trace?, among roles: Set<RoledEvent.Role>) -> [Mismatch] {
    guard let trace else { return [] }
    switch trace.end {
    case .dropped(let point), .rejected(let point):
      let drops = observation.events.filter { roles.contains($0.role) && $0.event.kind == .drop }
      return dropMismatches(point, among: drops, trace.what)
    default: return []
    }
  }

  /// What waits for a neighbour that does not answer is dropped by one function for several reasons: one packet is told to
  /// its sender, which may start the next question, and then the others are purged.
  private func isUnanswered(_ drop: PacketEvent) -> Bool { drop.location == "neigh_invalidate" }
  private static let unanswered: Set<String> = ["NEIGH_FAILED", "NOT_SPECIFIED"]

  private func dropMismatches(_ point: DropPoint, among drops: [RoledEvent], _ what: String) -> [Mismatch] {
    guard let reason = point.reason else { return [] }
    let here = drops.filter { $0.event.netns == point.netns }
    if here.contains(where: { $0.event.reason == reason || isUnanswered($0.event) && Self.unanswered.contains(reason) })
    {
      return []
    }
    let observed = drops.map { text($0.event) }.joined(separator: "; ")
    let kernel = (here.last ?? drops.last)?.event.reason ?? "none"
    return [
      mismatch(
        here.isEmpty ? 20 : 10, "drop reason: kernel \(kernel), simulator \(reason)",
        "\(what) is dropped with \(reason) in \(name(point.netns)); the kernel's drops: "
          + (observed.isEmpty ? "none" : observed))
    ]
  }

  // MARK: interfaces

  /// The interfaces that packets of some roles were handed to, in order, with those of tunnels' outer packets; each packet
  /// once.
  private func transmissions(_ roles: Set<RoledEvent.Role>) -> [Egress] {
    var seen: Set<[String]> = []
    return observation.events.compactMap { item -> Egress? in
      guard roles.contains(item.role) || item.role == .carrier, item.event.kind == .transmission,
        let device = item.event.device, item.event.fragment ?? 0 == 0,
        // A tunnel's packets carry questions for neighbours, too, which look the same.
        item.role == .carrier
          || seen.insert(["\(item.event.netns)", device, "\(item.event.hopsLeft ?? 0)", "\(item.role)"]).inserted
      else { return nil }
      return Egress(netns: item.event.netns, device: device)
    }
  }

  /// What the simulator names must be there in this order; a bridge that floods sends more.
  private func egressMismatches(_ expected: [Egress], _ observed: [Egress], _ what: String) -> [Mismatch] {
    var rest = observed[...]
    for egress in expected {
      guard let index = rest.firstIndex(of: egress) else {
        return [
          mismatch(
            5, "\(what == "forward" ? "forward" : "answer") egress",
            "\(what) goes by \(text(expected)); the kernel's: \(text(observed))")
        ]
      }
      rest = rest[(index + 1)...]
    }
    return []
  }

  // MARK: texts

  private func mismatch(_ weight: Int, _ kind: String, _ text: String) -> Mismatch {
    Mismatch(weight: weight, kind: kind, text: text)
  }

  private func name(_ netns: NetnsCookie) -> String {
    namespaces.firstIndex(of: netns).map { "n\($0)" } ?? "netns \(netns)"
  }

  private func text(_ egress: [Egress]) -> String {
    egress.isEmpty ? "nothing" : egress.map { "\(name($0.netns)).\($0.device)" }.joined(separator: " ")
  }

  private func text(_ event: PacketEvent) -> String {
    "\(event.reason ?? "?") in \(name(event.netns)) at \(event.location ?? "?") on \(event.device ?? "?")"
  }
}
