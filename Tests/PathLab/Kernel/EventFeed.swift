import CLinux
import Glibc
import LinuxBPF
import LinuxSystem
import Logging
import NetTypes
import PathCases
import ProbeKit
import Signals
import Synchronization
import Workloads

/// Watches all of the machine's packets with the packetloss probe and the laboratory's own tap, and sorts them by namespace.
public final class EventFeed: Sendable {
  /// The events of one world's namespaces, until somebody takes them.
  final class Inbox: Sendable {
    /// Readable when something came.
    let signal: Descriptor
    private let events = Mutex<[PacketEvent]>([])

    fileprivate init() throws {
      let descriptor = clinux_eventfd()
      guard descriptor >= 0 else { throw SystemError(errno: -descriptor, doing: "making an eventfd") }
      _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
      signal = Descriptor(owning: descriptor)
    }

    fileprivate func add(_ event: PacketEvent) {
      events.withLock { $0.append(event) }
      var one: UInt64 = 1
      _ = write(signal.rawValue, &one, 8)
    }

    func take() -> [PacketEvent] {
      var count: UInt64 = 0
      _ = read(signal.rawValue, &count, 8)
      return events.withLock { events in
        defer { events = [] }
        return events
      }
    }
  }

  /// Shared with the reader's thread.
  private final class Sorter: Sendable {
    let inboxes = Mutex<[NetnsCookie: Inbox]>([:])
    let marker: Marker

    init() throws { marker = try Marker() }

    func sort(_ events: [Event]) {
      for event in events {
        guard let packet = PacketEvent(event) else { continue }
        if marker.note(packet) { continue }
        inboxes.withLock { $0[packet.netns] }?.add(packet)
      }
    }
  }

  private let runner: ProbeRunner
  private let sorter: Sorter
  private let catalog: [any KernelProbe.Type] = [PathLoss.self, PathTap.self]

  public init() throws {
    sorter = try Sorter()
    var log = Logger(label: "path-lab") { StreamLogHandler.standardError(label: $0) }
    log.logLevel = .error
    // Names of namespaces are of no interest, and looking for them costs time.
    let nowhere = WorkloadDirectory.Sources(folder: "/proc/self/nowhere", host: "/proc/self/ns/net")
    let context = ProbeContext(
      kernel: KernelFacts.current(for: catalog.map { $0.manifest }), symbols: Symbolizer(),
      workloads: WorkloadDirectory(node: "path-lab", sources: nowhere))
    var options = ProbeRunner.Options()
    options.ringBytes = 1 << 23
    options.latency = 5
    options.statistics = false
    runner = try ProbeRunner(catalog: catalog, context: context, options: options, log: log)
    try runner.startReading { [sorter] batches in sorter.sort(batches.flatMap(\.events)) }
    let settings: [String: SettingValue] = [
      "enableStack": .bool(false), "eventsPerSecond": .integer(0),
    ]
    for probe in catalog {
      let own: [String: SettingValue] = probe.manifest.settings.isEmpty ? [:] : ["showNormal": .bool(true)]
      let all = ProbeSettings(metrics: false, events: true, arguments: settings.merging(own) { $1 })
      if case .failed(let reason) = runner.start(probe.manifest.id, all) {
        runner.stop()
        throw LabError("the probe \(probe.manifest.id) does not run: \(reason)")
      }
    }
  }

  public func stop() {
    runner.stop()
    Watched.shared.forgetMaps()
  }

  /// Records that found the ring buffer full: with any, nothing of the time can be judged.
  public func lost() throws -> UInt64 { try runner.outcomes().reduce(0) { $0 + $1.lost } }

  /// Events, of whichever namespace, that a program did not see because it was at work on the same CPU when they happened:
  /// the kernel does not nest it (bpf_trace_run, kernel/trace/bpf_trace.c).
  public func missed() -> UInt64 { runner.programStatistics().reduce(0) { $0 + $1.statistics.recursionMisses } }

  /// Returns when all that has happened until now is in the inboxes, however busy the machine is.
  func drain() throws {
    let number = sorter.marker.send()
    for _ in 0..<10_000 {
      if sorter.marker.isRead(number) { return }
      usleep(1000)
    }
    throw LabError("the event reader is more than 10 s behind, or its buffer is full: \(try lost()) records lost")
  }

  func open(_ cookies: [NetnsCookie]) throws -> Inbox {
    let inbox = try Inbox()
    sorter.inboxes.withLock { all in for cookie in cookies { all[cookie] = inbox } }
    try Watched.shared.watch(cookies)
    return inbox
  }

  func close(_ cookies: [NetnsCookie]) {
    Watched.shared.forget(cookies)
    sorter.inboxes.withLock { all in for cookie in cookies { all[cookie] = nil } }
  }
}
