public import NetSim
public import NetTypes

/// The answer of `skoop-agent path --output json` (docs/reference/path.schema.json).
public struct PathDocument: Encodable {
  var version = 1
  var question: Question
  var sender: [SenderView]
  var outcome: Outcome
  var branches: [Way]
  var forward: [Packet]
  var `return`: [Packet]
  var replies: [Reply]

  /// `name`: of a namespace.
  public init(_ question: PathQuestion, _ answer: PathAnswer, name: (NetnsCookie) -> String) {
    self.question = Question(question, name)
    sender = answer.sender
    outcome = answer.outcome
    branches = answer.branches.map {
      Way(choices: $0.choices, assumptions: $0.assumptions, sender: $0.sender, outcome: $0.outcome)
    }
    forward = answer.branches.enumerated().map { Packet($1.forward, branch: $0, name) }
    self.return = answer.branches.enumerated().flatMap { index, branch in
      branch.answers.map { Packet($0, branch: index, name) }
    }
    replies = answer.branches.enumerated().flatMap { index, branch in
      branch.answers.map { trace in
        Reply(
          branch: index, packet: trace.what, source: trace.tuple.source, destination: trace.tuple.destination,
          end: End(trace.end, name).kind)
      }
    }
  }

  struct Question: Encodable {
    var from: NetnsCookie
    var namespace: String
    var to: IPAddress
    var `protocol`: String
    var port: UInt16?
    var source: IPAddress?
    var device: String?
    var uid: UInt32
    var mark: UInt32
    var payload: Int
    var dontFragment: Bool

    init(_ question: PathQuestion, _ name: (NetnsCookie) -> String) {
      from = question.from
      namespace = name(question.from)
      to = question.destination
      self.protocol =
        switch question.transport {
        case .tcp: "tcp"
        case .udp: "udp"
        case .icmp: "icmp"
        }
      port = question.transport.port
      source = question.source
      device = question.device
      uid = question.uid
      mark = question.mark
      payload = question.payload
      dontFragment = question.dontFragment
    }
  }

  struct Way: Encodable {
    var choices: [String]
    var assumptions: [String]
    var sender: SenderView
    var outcome: Outcome
  }

  struct Packet: Encodable {
    var branch: Int
    var packet: String
    var source: IPAddress
    var destination: IPAddress
    var destinationPort: UInt16?
    var steps: [PathStep]
    var egress: [Place]
    var end: End

    init(_ trace: Trace, branch: Int, _ name: (NetnsCookie) -> String) {
      self.branch = branch
      packet = trace.what
      source = trace.tuple.source
      destination = trace.tuple.destination
      destinationPort = trace.tuple.destinationPort == 0 ? nil : trace.tuple.destinationPort
      steps = trace.steps.map { step in
        PathStep(
          netns: step.netns, namespace: name(step.netns), stage: step.stage, device: step.device, text: step.text,
          object: step.object)
      }
      egress = trace.egress.map { Place(netns: $0.netns, namespace: name($0.netns), device: $0.device) }
      end = End(trace.end, name)
    }
  }

  struct PathStep: Encodable {
    var netns: NetnsCookie
    var namespace: String
    var stage: Stage
    var device: String?
    var text: String
    var object: String?
  }

  struct Place: Encodable {
    var netns: NetnsCookie
    var namespace: String
    var device: String
  }

  struct Reply: Encodable {
    var branch: Int
    var packet: String
    var source: IPAddress
    var destination: IPAddress
    var end: String
  }

  struct End: Encodable {
    var kind: String
    var netns: NetnsCookie?
    var namespace: String?
    var device: String?
    var reason: String?
    /// The errno's name.
    var error: String?

    init(_ end: TraceEnd, _ name: (NetnsCookie) -> String) {
      switch end {
      case .delivered(let netns):
        kind = "delivered"
        self.netns = netns
      case .dropped(let point), .rejected(let point):
        kind = if case .dropped = end { "dropped" } else { "rejected" }
        netns = point.netns
        device = point.device
        reason = point.reason
      case .failed(let errno):
        kind = "failed"
        error = errno
      case .looped: kind = "looped"
      case .left(let netns, let device):
        kind = "left"
        self.netns = netns
        self.device = device
      case .undecided(let why):
        kind = "undecided"
        reason = why
      }
      namespace = netns.map(name)
    }
  }
}
