import NetModel
import NetSim
import NetTypes
import Testing

/// One rule of the simulator by a named case: a world, a question, and what comes of it.
struct Example: Sendable, CustomTestStringConvertible {
  typealias Change = @Sendable (inout Fixture) -> Void

  var name: String
  /// What the sender may see.
  var sender: [SenderView]
  /// The end of the question's packet in the first branch, as `text` tells it.
  var end: String
  var question: PathQuestion
  var base: @Sendable () -> Fixture
  var change: Change

  var testDescription: String { name }

  init(
    _ name: String, _ sender: [SenderView], _ end: String, on base: @escaping @Sendable () -> Fixture = Self.wired,
    to destination: String = "10.9.0.2", _ transport: Transport = .tcp(80),
    ask: (inout PathQuestion) -> Void = { _ in }, change: @escaping Change
  ) {
    self.name = name
    self.sender = sender
    self.end = end
    self.base = base
    self.change = change
    question = PathQuestion(from: Fixture.a, to: IPAddress(destination)!, transport)
    ask(&question)
  }

  /// Two namespaces, `b` with a listener on port 80.
  static let wired: @Sendable () -> Fixture = {
    var fixture = Fixture()
    fixture.listen(Fixture.b)
    return fixture
  }

  func answer() -> PathAnswer {
    var fixture = base()
    change(&fixture)
    return World([fixture.node]).ask(question)
  }

  func check() {
    let answer = answer()
    #expect(answer.sender == sender, "\(answer.branches)")
    #expect(Self.text(answer.branches[0].forward.end) == end, "\(answer.branches[0])")
  }

  /// `delivered b`, `dropped b eth0 IP_RPFILTER`, `failed EACCES`, …
  static func text(_ end: TraceEnd) -> String {
    func name(_ cookie: NetnsCookie) -> String { [1: "a", 2: "b", 3: "c", 4: "d"][cookie.rawValue] ?? "?" }
    func text(_ point: DropPoint) -> String {
      "\(name(point.netns)) \(point.device ?? "-") \(point.reason ?? "-")"
    }
    return switch end {
    case .delivered(let netns): "delivered \(name(netns))"
    case .dropped(let point): "dropped \(text(point))"
    case .rejected(let point): "rejected \(text(point))"
    case .failed(let errno): "failed \(errno)"
    case .looped: "looped"
    case .left(let netns, let device): "left \(name(netns)) \(device)"
    case .undecided: "undecided"
    }
  }
}
