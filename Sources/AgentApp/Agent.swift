import LinuxBPF
import LinuxSystem
public import Logging
import ProbeCatalog
public import ProbeKit
public import Signals
public import Sinks
import Synchronization
public import Workloads

/// The agent's parts, put together: workloads, probes and sinks. The HTTP side reads it, `run` and `trace` drive it.
public final class Agent: Sendable {
  public let runner: ProbeRunner
  public let workloads: WorkloadDirectory
  private let watcher: NamespaceWatcher
  private let hub: SinkHub
  private let log: Logger
  private let isReading = Atomic(false)
  private let hasStarted = Atomic(false)

  public struct Options: Sendable {
    public var node: String
    public var runner = ProbeRunner.Options()
    /// Instead of asking the running kernel; tests play an older one.
    public var kernel: KernelFacts?
    public var namespaces = WorkloadDirectory.Sources()

    public init(node: String) { self.node = node }
  }

  /// Nothing is loaded yet; the sinks are ready.
  public init(_ options: Options, sinks: [any EventSink], log: Logger) throws {
    self.log = log
    Memory.keepLittle()
    workloads = WorkloadDirectory(node: options.node, sources: options.namespaces)
    let kernel = options.kernel ?? KernelFacts.current(for: ProbeCatalog.manifests)
    let symbols = Symbolizer()
    if let problem = symbols.status.explanation { log.warning("stacks stay numbers: \(problem)") }
    let context = ProbeContext(kernel: kernel, symbols: symbols, workloads: workloads)
    runner = try ProbeRunner(catalog: ProbeCatalog.all, context: context, options: options.runner, log: log)
    watcher = try NamespaceWatcher(workloads)
    hub = try SinkHub(sinks, log: log)
  }

  /// Starts to watch, to read and to probe. A probe that cannot run is reported and stops no other.
  public func start(_ requests: [AgentConfiguration.ProbeRequest]) throws {
    try watcher.start()
    let hub = self.hub
    try runner.startReading { batches in hub.send(batches) }
    isReading.store(true, ordering: .releasing)
    for request in requests { runner.start(request.id, request.settings) }
    hasStarted.store(true, ordering: .releasing)
    // Each program that was loaded had the kernel's BTF parsed.
    Memory.releaseFree()
  }

  /// Takes the probes out of the kernel, delivers what they had submitted, and ends every thread.
  public func stop() {
    isReading.store(false, ordering: .releasing)
    runner.stop()
    hub.stop()
    watcher.stop()
  }

  /// What became of a probe's events, from the kernel to the sinks. `seen = delivered + lost + limited` once nothing is
  /// under way; `hidden` and `cut` are no part of it.
  public struct Account: Hashable, Sendable {
    public var seen: UInt64
    public var delivered: UInt64
    public var lost: UInt64
    public var limited: UInt64
    public var hidden: UInt64
    public var cut: UInt64
  }

  /// By probe, in the catalogue's order.
  public func accounts() throws -> [(id: String, account: Account)] {
    try runner.outcomes().enumerated().map { number, outcomes in
      let sinks = hub.account(ofProbe: number)
      return (
        runner.id(of: number),
        Account(
          seen: outcomes.seen, delivered: sinks.delivered, lost: outcomes.lost + sinks.lost, limited: outcomes.limited,
          hidden: outcomes.hidden, cut: outcomes.cut)
      )
    }
  }

  public var sinkAccounts: [(name: String, account: SinkHub.Account)] { hub.sinkAccounts }

  /// Whether every probe that was asked for has been tried.
  public var isStarted: Bool { hasStarted.load(ordering: .acquiring) }

  /// Whether events are read.
  public var isHealthy: Bool { isReading.load(ordering: .acquiring) && runner.readerFailure == nil }

  /// Everything for a scrape.
  public func scrape() -> [MetricFamily] {
    let (families, failures) = runner.collect()
    for failure in failures { log.error("metrics of \(failure.id) are missing from this scrape: \(failure.reason)") }
    return families + SelfMetrics.collect(from: self, failed: Set(failures.map(\.id)))
  }
}
