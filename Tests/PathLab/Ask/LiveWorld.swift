import CPathLab
import Glibc
import LinuxSystem
import NetSim
public import NetTypes
public import PathCases

/// A world that was built, with its servers: questions are asked in it one after another. Belongs to one thread of ours,
/// which it moves between namespaces.
public final class LiveWorld {
  public let plan: WorldPlan
  let namespaces: [LabNetns]
  public let refusedCommands: [Int: String]
  public let refusedServers: [Int: String]
  private let servers: Servers
  private let feed: EventFeed
  private let inbox: EventFeed.Inbox
  private var random: SplitMix
  /// All events so far, and when each question began.
  private var events: [PacketEvent] = []
  private var pending: [(matcher: PacketMatcher, start: Int64, observation: Observation)] = []

  /// Tunnels teach senders their path MTU without a packet (skb_tunnel_check_pmtu).
  private var hasTunnel: Bool { plan.commands.contains { $0.text.contains("type vxlan") } }

  public var cookies: [NetnsCookie] { namespaces.map(\.cookie) }
  /// Files that lead to the namespaces, for a snapshot.
  public var paths: [String] { namespaces.map(\.path) }

  public init(_ plan: WorldPlan, _ feed: EventFeed) throws {
    self.plan = plan
    self.feed = feed
    random = SplitMix(seed: plan.seed, stream: 2)
    let builder = try WorldBuilder(plan)
    namespaces = builder.namespaces
    refusedCommands = builder.refused
    servers = builder.servers
    refusedServers = servers.refused
    inbox = try feed.open(builder.namespaces.map(\.cookie))
  }

  deinit { feed.close(namespaces.map(\.cookie)) }

  /// Forgets what was learned, so that every question finds the same world.
  public func forget() throws {
    for netns in namespaces {
      try netns.enter()
      pathlab_forget_learned()
    }
  }

  /// Milliseconds after which nothing comes to rest any more.
  private static let patience = 10_000

  // MARK: asking

  /// Sends what the question wants and waits until its end is certain. What became of the packet is known after `finish`.
  public func ask(_ question: QuestionPlan, number: Int) throws {
    try forget()
    let before = try Counters(namespaces)
    try namespaces[question.from].enter()
    let start = Machine.nanoseconds(CLOCK_REALTIME)
    let sender = try Sender(question, identifier: UInt16(truncatingIfNeeded: 0x1000 + number))
    let immediate = sender.start()
    let matcher = PacketMatcher(plan: question, source: sender.source, sourcePort: sender.sourcePort)
    var observation = Observation(source: sender.source, sourcePort: sender.sourcePort)
    var wait = Wait(isTCP: question.kind == .tcp, patient: random.chance(15))
    let result = try immediate ?? watch(sender, matcher, &wait)
    observation.milliseconds = wait.elapsed
    if let result {
      (observation.sender, observation.error, observation.call) = (result.view, result.error, result.call)
    } else {
      observation.sawRetransmission = wait.sawRetransmission
      if !wait.endedInDrop {
        observation.counters = try Counters(namespaces).growth(since: before)
      }
    }
    usleep(1000)
    servers.serve()
    observation.arrivals = servers.arrivals
    servers.endQuestion()
    pending.append((matcher, start, observation))
    if wait.sawTooBig || hasTunnel && question.payload > 1200 {
      // A learned path MTU lives for a second (mtu_expires); the next question must not find it.
      usleep(1_100_000)
    }
  }

  private func watch(_ sender: Sender, _ matcher: PacketMatcher, _ wait: inout Wait) throws -> SenderResult? {
    while true {
      var descriptors =
        [sender.wait, pollfd(fd: inbox.signal.rawValue, events: Int16(POLLIN), revents: 0)] + servers.waits
      if wait.elapsed > Self.patience { throw Storm() }
      let timeout = wait.untilEnd
      // Before patience ends, everything that happened must have been looked at.
      if timeout <= 0 { try feed.drain() }
      poll(&descriptors, nfds_t(descriptors.count), timeout)
      servers.serve()
      for event in takeEvents() where matcher.role(of: event) != nil {
        wait.note(event, matcher.role(of: event)!)
      }
      // What came to the sender counts before the end of patience.
      if let result = sender.look(descriptors[0].revents) { return result }
      if timeout <= 0, wait.untilEnd <= 0 { return nil }
    }
  }

  private func takeEvents() -> [PacketEvent] {
    let new = inbox.take()
    events += new
    return new
  }

  /// Whether something shows why a sender hears nothing: a drop of its packet or of what answers it, or a counter of what
  /// is taken without an answer and without a drop: an echo request, a connection that finds the listener's queue full; or
  /// a server that got it.
  private static func isProven(_ observation: Observation) -> Bool {
    let counted: Set = ["TcpExtListenDrops", "TcpExtListenOverflows", "IcmpInEchos", "Icmp6InEchos"]
    return !observation.arrivals.isEmpty
      || observation.events.contains { $0.role != .carrier && $0.event.kind == .drop }
      || observation.counters.values.contains { !counted.isDisjoint(with: $0.keys) }
  }

  /// Microseconds: a program may hear of an error before the packet that caused it has been dropped.
  private static let stragglers: UInt32 = 20_000

  /// Waits for the last events, and sorts all of them to the questions.
  public func finish() throws -> [Observation] {
    usleep(Self.stragglers)
    try feed.drain()
    _ = takeEvents()
    events.sort { $0.time < $1.time }
    var result: [Observation] = []
    for (index, (matcher, start, observation)) in pending.enumerated() {
      let next = index + 1 < pending.count ? pending[index + 1].start : .max
      // Ports tell questions apart; echo requests have none.
      let end = matcher.plan.kind == .icmp || next == .max ? next : next + Int64(Self.stragglers) * 1000
      var observation = observation
      observation.events = events.filter { $0.time >= start && $0.time < end }.compactMap { event in
        matcher.role(of: event).map { RoledEvent(role: $0, event: event) }
      }
      observation.isUnproven = observation.sender == .silence && !Self.isProven(observation)
      result.append(observation)
    }
    pending = []
    events = []
    return result
  }
}

/// Packets of a question go round between bridges for ever: they have no TTL there.
struct Storm: Error {}

/// How long to wait: until nothing can be under way any more.
///
/// A packet that was handed to an interface and neither dropped nor handed on may wait for a neighbour's address: 0.6 s
/// (Sketch.limits), after which it is dropped. A packet that was dropped is at its end, unless there are copies of it.
private struct Wait {
  let isTCP: Bool
  /// Waits for the second SYN, after 1 s, although the first was lost for certain.
  let patient: Bool
  private let start = Machine.nanoseconds(CLOCK_MONOTONIC)
  private var last = Machine.nanoseconds(CLOCK_MONOTONIC)
  /// What was handed to an interface, and neither handed on nor dropped so far.
  private var underWay: Set<RoledEvent.Role> = []
  private var isDropped: Bool { sawDrop && underWay.isEmpty }
  private var sawDrop = false
  private var sawError = false
  private(set) var sawTooBig = false
  private(set) var sawRetransmission = false

  /// What is dropped may still cause an ICMP error that waits for a neighbour.
  static let longest = 6000
  static let afterDrop = 700
  static let whileUnderWay = 800
  /// TCP_TIMEOUT_INIT (include/net/tcp.h) and some time for the way.
  static let untilRetransmission = 1150

  init(isTCP: Bool, patient: Bool) {
    self.isTCP = isTCP
    self.patient = patient
  }

  mutating func note(_ event: PacketEvent, _ role: RoledEvent.Role) {
    last = Machine.nanoseconds(CLOCK_MONOTONIC)
    // Copies for others and the like say nothing about the packet's end, nor do a tunnel's packets: they may carry a
    // question for a neighbour.
    if event.kind == .transmission, role != .carrier {
      underWay.insert(role)
    } else if event.kind == .drop, !event.isNormal, role != .carrier {
      sawDrop = true
      underWay.remove(role)
    }
    if role == .error {
      sawError = true
      sawTooBig =
        sawTooBig || (event.ipProtocol == "ICMP" ? event.icmpType == 3 && event.icmpCode == 4 : event.icmpType == 2)
    }
    if isTCP, role == .forward, elapsed > 900 { sawRetransmission = true }
  }

  var endedInDrop: Bool { isDropped }

  /// Milliseconds.
  var elapsed: Int { Int((Machine.nanoseconds(CLOCK_MONOTONIC) - start) / 1_000_000) }

  /// Milliseconds that poll(2) may wait.
  var untilEnd: Int32 {
    let quiet = Int((Machine.nanoseconds(CLOCK_MONOTONIC) - last) / 1_000_000)
    var left = (isDropped ? Self.afterDrop : Self.whileUnderWay) - quiet
    // An ICMP error that came while connect(2) was still at work is not acted on; the next one is (tcp_v4_err).
    if isTCP, patient || sawError { left = max(left, Self.untilRetransmission - elapsed) }
    // What others send may look like this question's packets for ever.
    return Int32(max(min(left, Self.longest - elapsed), 0))
  }
}
