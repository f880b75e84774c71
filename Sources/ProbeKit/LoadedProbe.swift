import CProbeEvents
import LinuxBPF

/// A probe in the kernel. Letting go of it takes it out again.
public final class LoadedProbe: Sendable {
  public let manifest: ProbeManifest
  public let settings: ProbeSettings
  public let plan: HookPlan
  /// Hooks that could not be attached although the plan had them, and why. Never a required one.
  public let failures: [HookPlan.Missing]
  let probe: any KernelProbe
  let programs: [BPFProgram]
  let maps: ProbeMaps
  let ownMaps: [(name: String, map: BPFMap)]

  /// Loads and attaches. `number` is the probe's place in the shared maps; `entries`: room in its counting maps, if not their own.
  init(
    _ probe: any KernelProbe, number: Int, _ settings: ProbeSettings, _ context: ProbeContext, _ shared: SharedMaps,
    allowed: [AttachMethod], entries: Int?
  ) throws {
    let manifest = type(of: probe).manifest
    let plan = HookPlan(manifest, on: context.kernel, allowed: allowed)
    if let impossibility = plan.impossibility { throw BPFError(.absent, impossibility) }
    let object = try BPFObject(manifest.program, btf: context.kernel.btf!.source)
    try object.select(programs: Set(plan.chosen.map { $0.attachment.program(for: $0.hook) }))
    for choice in plan.chosen where choice.hook.isVariadic {
      try object.setConstant(choice.hook.argumentsConstant, UInt32(choice.arguments))
    }
    try object.setConstant("skoop_probe", UInt32(number))
    try object.setConstant("skoop_events_on", settings.events)
    try object.setConstant("skoop_stack_on", settings.bool(.enableStack))
    try object.setConstant("skoop_events_per_second", UInt64(settings.integer(.eventsPerSecond)))
    try object.setConstant("skoop_netns_by_inode", !context.kernel.hasNetnsCookies)
    try object.setConstant("skoop_wakeup_bytes", UInt64(shared.events.maxEntries / 4))
    try object.setConstant("metrics_on", settings.metrics)
    try probe.configure(object)
    try object.share(shared.events, as: "skoop_events")
    try object.share(shared.outcomes, as: "skoop_outcomes")
    try object.share(shared.limits, as: "skoop_limits")
    if let entries { try object.setMaximumEntriesOfHashes(entries) }
    try object.load()
    var maps: [(name: String, map: BPFMap)] = []
    for name in object.ownMapNames(except: SharedMaps.names) { maps.append((name, try object.map(name))) }
    self.ownMaps = maps
    self.maps = ProbeMaps(Dictionary(uniqueKeysWithValues: maps.map { ($0.name, $0.map) }))
    try probe.update(self.maps)
    var programs: [BPFProgram] = []
    var failures: [HookPlan.Missing] = []
    for choice in plan.chosen {
      do {
        programs.append(try object.attach(choice.attachment.program(for: choice.hook)))
      } catch {
        if choice.hook.isRequired { throw error }
        failures.append(HookPlan.Missing(hook: choice.hook, reason: error.message))
      }
    }
    self.manifest = manifest
    self.settings = settings
    self.plan = plan
    self.failures = failures
    self.probe = probe
    self.programs = programs
  }

  /// `kfree_skb by tp_btf, …`.
  public var hooksText: String {
    plan.chosen.map { "\($0.hook.tracepoint) by \($0.attachment.rawValue)" }.joined(separator: ", ")
  }
}

/// The maps that all probes share. The runner owns them.
public struct SharedMaps: Sendable {
  static let names: Set<String> = ["skoop_events", "skoop_outcomes", "skoop_limits"]

  let events: BPFMap
  let outcomes: BPFMap
  let limits: BPFMap

  /// `ringBytes` must be a power of two and a multiple of the page size.
  init(ringBytes: Int) throws(BPFError) {
    events = try BPFMap(creating: .ringBuffer, name: "skoop_events", keySize: 0, valueSize: 0, maxEntries: ringBytes)
    outcomes = try BPFMap(
      creating: .perCPUArray, name: "skoop_outcomes", keySize: 4, valueSize: 8,
      maxEntries: Int(SKOOP_MAX_PROBES) * Int(SKOOP_OUTCOMES.rawValue))
    limits = try BPFMap(
      creating: .lruHash, name: "skoop_limits", keySize: MemoryLayout<skoop_limit_key>.size,
      valueSize: MemoryLayout<skoop_limit>.size, maxEntries: Int(SKOOP_MAX_LIMITED_NETNS))
  }
}
