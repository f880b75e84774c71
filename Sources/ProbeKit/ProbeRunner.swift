import CProbeEvents
import Glibc
public import LinuxBPF
import LinuxSystem
public import Logging
public import Signals
import Synchronization

/// Loads probes, reads their records and hands on their events; answers for what became of every one.
public final class ProbeRunner: Sendable {
  public struct Options: Sendable {
    /// Of the ring buffer; a power of two.
    public var ringBytes = 1 << 21
    /// Longest time that an event waits in the ring buffer, milliseconds.
    public var latency: Int32 = 50
    /// Attachments to choose from: all but in tests.
    public var attachments = AttachMethod.allCases
    /// Room in the probes' counting maps instead of what their programs say: less, in tests that fill them.
    public var countingEntries: Int?
    /// Whether the kernel shall count run time (for all programs on the machine).
    public var statistics = true

    public init() {}
  }

  /// What became of a probe that was asked for.
  public enum Status: Sendable {
    case running(LoadedProbe)
    case failed(String)
  }

  private struct Slot: Sendable {
    let manifest: ProbeManifest
    let settings: ProbeSettings
    let status: Status
  }

  public let context: ProbeContext
  private let catalog: [any KernelProbe.Type]
  private let shared: SharedMaps
  private let options: Options
  private let log: Logger
  private let statistics: BPFStatistics?
  /// By number.
  private let slots = Mutex<[Int: Slot]>([:])
  /// By number. They stay when a probe stops: its last records are still under way.
  private let decoders = Mutex<[Int: any KernelProbe]>([:])
  /// Grows with each change of `decoders`.
  private let decoderVersion = Atomic(0)
  private let reader = Mutex<DedicatedThread?>(nil)
  private let stopping = Atomic(false)
  /// Why the reader ended before its time.
  private let failure = Mutex<String?>(nil)
  /// Records that no probe could read.
  private let unreadable = Atomic<UInt64>(0)

  public init(
    catalog: [any KernelProbe.Type], context: ProbeContext, options: Options = Options(), log: Logger
  ) throws(BPFError) {
    self.catalog = catalog
    self.context = context
    self.options = options
    self.log = log
    shared = try SharedMaps(ringBytes: options.ringBytes)
    var statistics: BPFStatistics?
    if options.statistics {
      do {
        statistics = try BPFStatistics()
      } catch {
        log.warning("the run time of kernel programs is not counted: \(error)")
      }
    }
    self.statistics = statistics
  }

  // MARK: probes

  /// Loads and attaches a probe of the catalogue. A probe that fails is remembered as such and stops no other.
  @discardableResult
  public func start(_ id: String, _ settings: ProbeSettings) -> Status {
    guard let number = catalog.firstIndex(where: { $0.manifest.id == id }) else {
      return .failed("no probe is called \(id)")
    }
    let type = catalog[number]
    let status: Status
    let probe = type.init(settings, context)
    // Before it is attached: its first record may come at once.
    decoders.withLock { $0[number] = probe }
    decoderVersion.add(1, ordering: .releasing)
    do {
      let loaded = try load(probe, number: number, settings)
      status = .running(loaded)
      log.info("probe \(id) runs: \(loaded.hooksText)")
      for missing in loaded.plan.missing + loaded.failures {
        log.warning("probe \(id) goes without \(missing.hook.tracepoint) (\(missing.hook.gives)): \(missing.reason)")
      }
    } catch {
      status = .failed("\(error)")
      log.error("probe \(id) does not run: \(error)")
    }
    slots.withLock { $0[number] = Slot(manifest: type.manifest, settings: settings, status: status) }
    return status
  }

  /// By the best attachments that the kernel promises; should it refuse them, by raw tracepoints.
  private func load(_ probe: any KernelProbe, number: Int, _ settings: ProbeSettings) throws -> LoadedProbe {
    do {
      return try LoadedProbe(
        probe, number: number, settings, context, shared, allowed: options.attachments,
        entries: options.countingEntries)
    } catch {
      guard options.attachments.contains(.raw), options.attachments.count > 1,
        let loaded = try? LoadedProbe(
          probe, number: number, settings, context, shared, allowed: [.raw], entries: options.countingEntries)
      else { throw error }
      log.warning("probe \(type(of: probe).manifest.id) falls back to raw tracepoints: \(error)")
      return loaded
    }
  }

  /// The probes that were asked for, in the catalogue's order.
  public var statuses: [(manifest: ProbeManifest, settings: ProbeSettings, status: Status)] {
    slots.withLock { slots in
      slots.sorted { $0.key < $1.key }.map { ($0.value.manifest, $0.value.settings, $0.value.status) }
    }
  }

  private var running: [(number: Int, probe: LoadedProbe)] {
    slots.withLock { slots in
      slots.sorted { $0.key < $1.key }.compactMap { number, slot in
        if case .running(let probe) = slot.status { (number, probe) } else { nil }
      }
    }
  }

  // MARK: events

  /// Begins to read records on a thread of its own. `receive` gets what was read on that thread and must not block.
  public func startReading(_ receive: @escaping @Sendable ([EventBatch]) -> Void) throws {
    let thread = try DedicatedThread("skoop-events") { [self] in read(receive) }
    reader.withLock { $0 = thread }
  }

  /// Takes every probe out of the kernel, hands on what it had submitted, and ends the reader.
  public func stop() {
    slots.withLock {
      $0 = $0.mapValues { Slot(manifest: $0.manifest, settings: $0.settings, status: .failed("stopped")) }
    }
    stopping.store(true, ordering: .releasing)
    reader.withLock { $0 }?.join()
  }

  private func read(_ receive: @escaping ([EventBatch]) -> Void) {
    var batch = EventBatch()
    var full: [EventBatch] = []
    var offset = Self.clockOffset()
    // The reader's own, by number, so that a record costs no lock. The version first: a probe that is registered after it was
    // read makes another one.
    var version = decoderVersion.load(ordering: .acquiring)
    var writers = recordWriters()
    do {
      let ring = try unsafe RingBufferReader(shared.events) { bytes in
        guard let record = unsafe Record(bytes, clockOffset: offset) else {
          self.unreadable.add(1, ordering: .relaxed)
          return
        }
        // A probe that has just been started is registered before its first record comes.
        let newest = self.decoderVersion.load(ordering: .acquiring)
        if newest != version { (writers, version) = (self.recordWriters(), newest) }
        let number = Int(record.header.probe)
        guard writers.indices.contains(number), writers[number](record, &batch) else {
          self.unreadable.add(1, ordering: .relaxed)
          return
        }
        guard batch.isFull else { return }
        full.append(batch)
        batch = EventBatch()
        // Under a flood reading never comes to an end by itself.
        if full.count == Self.batchLimit {
          receive(full)
          full = []
        }
      }
      var last = false
      var generation = context.stacks.expire()
      while !last {
        last = stopping.load(ordering: .acquiring)
        offset = Self.clockOffset()
        context.labels.expire()
        let now = context.stacks.expire()
        if now != generation {
          generation = now
          for (_, loaded) in running { try loaded.probe.update(loaded.maps) }
        }
        if last { try ring.drain() } else { try ring.wait(milliseconds: options.latency) }
        if batch.count > 0 { full.append(batch) }
        if !full.isEmpty { receive(full) }
        full = []
        batch = EventBatch()
      }
    } catch {
      failure.withLock { $0 = "\(error)" }
      log.critical("events are no longer read: \(error)")
    }
  }

  /// What writes a probe's records, by number. A closure each: calling one costs less than copying a probe.
  private func recordWriters() -> [(Record, inout EventBatch) -> Bool] {
    let decoders = decoders.withLock { $0 }
    return catalog.indices.map { number in
      guard let probe = decoders[number] else { return { _, _ in false } }
      return { probe.write($0, to: &$1) }
    }
  }

  /// Full batches that are handed on at once at most.
  static let batchLimit = 32

  /// What to add to the kernel's monotonic time. This thread may lose the CPU between two readings of clocks, for
  /// milliseconds on a busy machine: the readings that lie nearest to each other count.
  static func clockOffset() -> Int64 {
    var best = (gap: Int64.max, offset: Int64(0))
    for _ in 0..<8 {
      let before = Machine.nanoseconds(CLOCK_MONOTONIC)
      let real = Machine.nanoseconds(CLOCK_REALTIME)
      let gap = Machine.nanoseconds(CLOCK_MONOTONIC) - before
      if gap < best.gap { best = (gap, real - before - gap / 2) }
      if gap < 1000 { break }
    }
    return best.offset
  }

  // MARK: accounts

  /// What the kernel counted for a probe. `seen = submitted + lost + limited`.
  public struct Outcomes: Hashable, Sendable {
    public var seen: UInt64
    public var submitted: UInt64
    public var lost: UInt64
    public var limited: UInt64
    public var hidden: UInt64
    public var cut: UInt64
  }

  /// By the probe's number; probes that never ran have zeros.
  public func outcomes() throws(BPFError) -> [Outcomes] {
    let sums = try shared.outcomes.perCPUSums()
    let width = Int(SKOOP_OUTCOMES.rawValue)
    return catalog.indices.map { number in
      let row = sums[(number * width)..<((number + 1) * width)]
      func value(_ outcome: skoop_outcome) -> UInt64 { row[row.startIndex + Int(outcome.rawValue)] }
      return Outcomes(
        seen: value(SKOOP_SEEN), submitted: value(SKOOP_SUBMITTED), lost: value(SKOOP_LOST),
        limited: value(SKOOP_LIMITED), hidden: value(SKOOP_HIDDEN), cut: value(SKOOP_CUT))
    }
  }

  /// Why events are not read any more; nil as long as they are.
  public var readerFailure: String? { failure.withLock { $0 } }

  /// Records that were read but belonged to no probe.
  public var unreadableRecords: UInt64 { unreadable.load(ordering: .relaxed) }

  /// The number of a probe in batches and outcomes.
  public func number(of id: String) -> Int? { catalog.firstIndex { $0.manifest.id == id } }

  /// The id of a probe by its number.
  public func id(of number: Int) -> String { catalog[number].manifest.id }

  /// The metrics of every running probe whose metrics side is on. One that fails is reported beside the others.
  public func collect() -> (families: [MetricFamily], failures: [(id: String, reason: String)]) {
    var families: [MetricFamily] = []
    var failures: [(String, String)] = []
    for (_, loaded) in running where loaded.settings.metrics {
      do {
        families += try loaded.probe.collect(from: loaded.maps)
      } catch {
        failures.append((loaded.manifest.id, "\(error)"))
      }
    }
    return (families, failures)
  }

  /// What the kernel says about the attached programs.
  public func programStatistics() -> [(probe: String, program: String, statistics: BPFProgram.Statistics)] {
    running.flatMap { _, loaded in
      loaded.programs.compactMap { program in
        (try? program.statistics()).map { (loaded.manifest.id, program.name, $0) }
      }
    }
  }

  /// How full the probes' own hash maps are.
  public func mapFill() -> [(probe: String, map: String, entries: Int, maximum: Int)] {
    running.flatMap { _, loaded in
      loaded.ownMaps.compactMap { name, map in
        (try? map.count()).flatMap { $0 }.map { (loaded.manifest.id, name, $0, map.maxEntries) }
      }
    }
  }
}
