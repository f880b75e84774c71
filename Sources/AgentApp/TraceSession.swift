import LinuxSystem
public import Logging
public import NetTypes
import ProbeCatalog
import ProbeKit
public import Signals
public import Sinks
import Synchronization
import UnixSignals
import Workloads

/// `skoop-agent trace`: events as they happen, on standard output, and a summary at the end.
public struct TraceSession: Sendable {
  /// Which events to show; the others are counted.
  public struct Filter: Hashable, Sendable {
    /// Only what happened in this namespace.
    public var netns: NetnsCookie?
    /// Only what happened in this pod, or to its packets elsewhere.
    public var pod: Pod?

    public struct Pod: Hashable, Sendable {
      public var namespace: String
      public var name: String

      public init(namespace: String, name: String) {
        self.namespace = namespace
        self.name = name
      }
    }

    public init(netns: NetnsCookie? = nil, pod: Pod? = nil) {
      self.netns = netns
      self.pod = pod
    }

    public func shows(_ event: Event) -> Bool {
      if let netns, event.label("netns") != netns.description { return false }
      guard let pod else { return true }
      return [
        ("k8s_namespace", "k8s_pod"), ("namespace", "pod"), ("src_namespace", "src_pod"), ("dst_namespace", "dst_pod"),
      ]
      .contains { event.label($0.0) == pod.namespace && event.label($0.1) == pod.name }
    }
  }

  public var probes: [AgentConfiguration.ProbeRequest]
  public var filter: Filter
  /// Nil: until a signal.
  public var duration: Duration?
  public var output: EventPrinter

  public init(
    probes: [AgentConfiguration.ProbeRequest], filter: Filter, duration: Duration?, output: EventPrinter
  ) {
    self.probes = probes
    self.filter = filter
    self.duration = duration
    self.output = output
  }

  /// Runs until the time is over or SIGINT or SIGTERM comes. Returns the summary; throws when no probe runs.
  /// `ready` gets a line for the person as soon as events would be seen.
  public func run(
    _ options: Agent.Options, log: Logger, ready: (String) -> Void
  ) async throws -> String {
    let sink = TraceSink(output: output, filter: filter)
    let agent = try Agent(options, sinks: [sink], log: log)
    try agent.start(probes)
    let failures = agent.runner.statuses.compactMap { probe -> String? in
      if case .failed(let reason) = probe.status { "\(probe.manifest.id): \(reason)" } else { nil }
    }
    if failures.count == probes.count {
      agent.stop()
      throw TraceError(description: failures.joined(separator: "\n"))
    }
    let watched = agent.runner.statuses.compactMap { probe -> String? in
      if case .running(let loaded) = probe.status { "\(probe.manifest.id) (\(loaded.hooksText))" } else { nil }
    }
    ready("watching \(watched.joined(separator: ", "))" + (duration == nil ? "; Ctrl-C ends" : ""))
    for failure in failures { ready("not watching \(failure)") }
    let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
    let duration = self.duration
    await withTaskGroup(of: Void.self) { group in
      group.addTask { for await _ in signals { break } }
      if let duration { group.addTask { try? await Task.sleep(for: duration) } }
      await group.next()
      group.cancelAll()
    }
    agent.stop()
    return sink.summary(of: try agent.accounts().filter { account in probes.contains { $0.id == account.id } })
  }
}

/// No probe could run.
public struct TraceError: Error, Sendable, CustomStringConvertible {
  public let description: String
}

/// Shows what the filter lets through and counts everything.
private final class TraceSink: EventSink {
  private struct Kind: Hashable {
    var place: String
    var type: String
    var reason: String
  }

  let name = "trace"
  private let output: EventPrinter
  private let filter: TraceSession.Filter
  private let counts = Mutex<[Kind: Int]>([:])

  /// Kinds in the summary at most.
  private static let kindLimit = 1000

  init(output: EventPrinter, filter: TraceSession.Filter) {
    self.output = output
    self.filter = filter
  }

  func write(_ batch: EventBatch) throws {
    let shown = batch.events.filter { filter.shows($0) }
    counts.withLock { counts in
      for event in shown {
        let namespace = event.label("k8s_namespace") ?? event.label("namespace") ?? ""
        let pod = event.label("k8s_pod") ?? event.label("pod") ?? ""
        let place = pod.isEmpty ? "host" : namespace.isEmpty ? pod : "\(namespace)/\(pod)"
        let kind = Kind(place: place, type: event.type, reason: event.label("reason") ?? event.label("kind") ?? "")
        if counts[kind] != nil || counts.count < Self.kindLimit { counts[kind, default: 0] += 1 }
      }
    }
    try output.write(shown)
  }

  func summary(of accounts: [(id: String, account: Agent.Account)]) -> String {
    let rows = counts.withLock { $0 }.sorted {
      ($1.value, $0.key.place, $0.key.type) < ($0.value, $1.key.place, $1.key.type)
    }
    var lines = ["", "Summary"]
    if rows.isEmpty { lines.append("  no events") }
    for (kind, count) in rows.prefix(40) {
      lines.append("  " + Columns.line([("\(count)", -8), (kind.type, 18), (kind.place, 32), (kind.reason, 0)]))
    }
    for (id, account) in accounts {
      lines.append(
        "  \(id): seen \(account.seen) = delivered \(account.delivered) + lost \(account.lost) + limited "
          + "\(account.limited); normal and hidden \(account.hidden)")
    }
    return lines.joined(separator: "\n") + "\n"
  }
}

/// Columns of text for terminals.
enum Columns {
  /// Each text with its width; negative: to the right; 0: as it is.
  static func line(_ columns: [(text: String, width: Int)]) -> String {
    columns.map { text, width in
      let blanks = String(repeating: " ", count: max(abs(width) - text.count, 0))
      return width < 0 ? blanks + text : text + blanks
    }.joined(separator: "  ")
  }
}
