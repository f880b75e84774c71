import BPFPrograms
import CProbeEvents
public import LinuxBPF
import NetTypes
public import ProbeKit
public import Signals
import Workloads

/// Dropped packets, with the kernel's reason and stack. See README.md.
public struct PacketLoss: KernelProbe {
  static let showNormal = SettingDescription(
    "showNormal", default: false, help: "Events also for frees that are no loss, such as a queue purged at close.")

  static let total = MetricDescription(
    "kubeskoop_packetloss_total", .counter, labels: LabelSet.tuple + ["k8s_node"],
    help: "Packets dropped by the kernel, by source and destination; normal frees are not counted here.")
  static let netfilter = MetricDescription(
    "kubeskoop_packetloss_netfilter", .counter, labels: LabelSet.tuple + ["k8s_node"],
    help: "Packets dropped by a netfilter verdict, by source and destination.")
  static let byReason = MetricDescription(
    "kubeskoop_packetloss_by_reason_total", .counter, labels: LabelSet.standard + ["reason", "location"],
    help: "Packets dropped by the kernel, by the place of the drop, its reason and the kernel function.")
  static let normal = MetricDescription(
    "kubeskoop_packetloss_normal_total", .counter, labels: LabelSet.standard + ["reason", "location"],
    help: "Packets freed without being consumed although nothing was lost, such as a queue purged at close.")

  public static let manifest = ProbeManifest(
    id: "packetloss", help: "Dropped packets, with the kernel's reason and stack",
    metrics: [total, netfilter, byReason, normal],
    events: [EventDescription("PacketLoss", help: "The kernel dropped a packet.")],
    hooks: [Hook("kfree_skb", gives: "every freed packet that was not consumed", isVariadic: true)],
    settings: [showNormal], program: .packetloss, enumerations: DropReasons.enumerations, modules: DropReasons.modules)

  private let settings: ProbeSettings
  private let context: ProbeContext
  private let reasons: DropReasons

  public init(_ settings: ProbeSettings, _ context: ProbeContext) {
    self.settings = settings
    self.context = context
    self.reasons = DropReasons(context.kernel)
  }

  public func configure(_ object: BPFObject) throws(BPFError) {
    try object.setConstant("show_normal", settings.bool(Self.showNormal))
    try object.setConstant("reason_netfilter", reasons.areGiven ? reasons.number(of: "NETFILTER_DROP") ?? 0 : 0)
    if !reasons.areGiven, let range = context.symbols.ranges(of: ["nf_hook_slow"]).values.first?.first {
      try object.setConstant("netfilter_start", range.lowerBound)
      try object.setConstant("netfilter_end", range.upperBound)
    }
    let rules = Array(kernelRules().prefix(Int(PACKETLOSS_MAX_RULES)))
    try object.setConstant("rules", array: rules)
    try object.setConstant("rule_count", UInt32(rules.count))
  }

  /// The table of normal drops in the running kernel's numbers and addresses. A row about a reason or a function that this
  /// kernel does not have cannot match and is left out.
  func kernelRules() -> [packetloss_rule] {
    let ranges = context.symbols.ranges(of: Set(NormalDrops.table.compactMap(\.function)))
    return NormalDrops.table.flatMap { row -> [packetloss_rule] in
      let reason: UInt32
      switch row.reason {
      case nil: reason = PACKETLOSS_ANY_REASON
      case "":
        if reasons.areGiven { return [] }
        reason = 0
      case .some(let name):
        guard reasons.areGiven, let number = reasons.number(of: name) else { return [] }
        reason = number
      }
      guard let function = row.function else {
        return [packetloss_rule(reason: reason, condition: row.condition.rawValue, start: 0, end: 0)]
      }
      return (ranges[function] ?? []).map {
        packetloss_rule(reason: reason, condition: row.condition.rawValue, start: $0.lowerBound, end: $0.upperBound)
      }
    }
  }

  // MARK: events

  private static let eventType = EventType("PacketLoss")

  public func write(_ record: Record, to batch: inout EventBatch) -> Bool {
    guard let raw = record.fixed(as: packetloss_event.self) else { return false }
    let stack = context.stacks.render(record.frames(after: MemoryLayout<packetloss_event>.size))
    let packet = raw.packet
    let netns = record.netns
    let place: LabelGroup
    if reasons.areGiven {
      let interface = packet.interfaceWords
      let key = LabelCache.Key(
        probe: record.header.probe, netns.rawValue, interface.0, interface.1, raw.location, UInt64(raw.reason),
        UInt64(raw.normal))
      place = context.labels.group(key) { self.place(raw, netns, stack) }
    } else {
      // The reason hangs on the whole stack.
      place = self.place(raw, netns, stack)
    }
    batch.begin(Self.eventType, probe: Int(record.header.probe), timestamp: record.timestamp)
    batch.append(tuple: packet.tuple, seenFrom: netns, context)
    batch.append(place)
    batch.append(detailsOf: packet, record, stack, context)
    batch.end(stack: stack.text, explanation: place.explanation)
    return true
  }

  /// Where and why.
  private func place(_ raw: packetloss_event, _ netns: NetnsCookie, _ stack: RenderedStack) -> LabelGroup {
    let reason = reasonText(raw.reason, stack: stack)
    let function = functionName(raw.location)
    var labels = context.placeLabels(netns) + [Label("reason", reason.name)]
    if reason.isDerived { labels.append(Label("reason_source", "derived")) }
    labels.append(Label("location", function))
    if raw.normal != 0 { labels.append(Label("normal", "true")) }
    return LabelGroup(
      labels + context.netnsLabels(netns, raw.packet),
      explanation: explanation(of: reason.name, in: function))
  }

  /// Newer kernels, too, leave places without a reason; there the function may say what is meant.
  private func explanation(of reason: String, in function: String) -> String {
    if reason == DropReasons.notSpecified, let derived = DerivedReasons.reason(forFrames: [function[...]]),
      let text = DropReasonTexts.explanation(of: derived)
    {
      return "The kernel gives no reason. Its function \(function) stands for \(derived): \(text)"
    }
    return DropReasonTexts.explanation(of: reason) ?? ""
  }

  /// The kernel's name, or what the stack says where the kernel says nothing.
  func reasonText(_ number: UInt32, stack: RenderedStack) -> (name: String, isDerived: Bool) {
    if reasons.areGiven { return (reasons.name(of: number), false) }
    if let derived = DerivedReasons.reason(forFrames: stack.functions) { return (derived, true) }
    return (DropReasons.notSpecified, false)
  }

  /// The function around an address, as a label: never an address, of which there are too many.
  func functionName(_ address: UInt64) -> String {
    context.symbols.place(ofReturnAddress: address).map { String($0.function.prefix { $0 != "." }) } ?? "unknown"
  }

  // MARK: metrics

  public func collect(from maps: ProbeMaps) throws -> [MetricFamily] {
    let tuples = try maps["packetloss_tuples"].entries(packetloss_tuple_key.self, packetloss_tuple_count.self)
    let counts = try maps["packetloss_reasons"].entries(packetloss_reason_key.self, packetloss_reason_count.self)
    let cut = try maps["packetloss_cut"].perCPUSums()
    let node = context.workloads.node
    var total = MetricFamily(Self.total, [])
    var netfilter = MetricFamily(Self.netfilter, [])
    for (key, count) in tuples {
      let values = tupleValues(key)
      total.samples.append(Sample(values, Double(count.total)))
      netfilter.samples.append(Sample(values, Double(count.netfilter)))
    }
    var byReason = MetricFamily(Self.byReason, [])
    var normal = MetricFamily(Self.normal, [])
    for (key, count) in counts {
      let sample = Sample(reasonValues(key), Double(count.total))
      if key.normal == 0 { byReason.samples.append(sample) } else { normal.samples.append(sample) }
    }
    // In the order of enum packetloss_cut.
    let families = zip([total, netfilter, byReason, normal], cut).map { family, cut in
      family.merged().adding(other: cut, node: node)
    }
    try maps.prune(
      "packetloss_tuples", tuples, last: { $0.last_ns }, netns: { $0.netns }, series: tupleValues, context.workloads)
    try maps.prune(
      "packetloss_reasons", counts, last: { $0.last_ns }, netns: { $0.netns },
      series: { [String($0.normal)] + reasonValues($0) }, context.workloads)
    return families
  }

  private func tupleValues(_ key: packetloss_tuple_key) -> [String] {
    var tuple = skoop_tuple()
    (tuple.source, tuple.destination, tuple.family) = (key.source, key.destination, key.family)
    // The program counts IP packets only.
    let addresses = tuple.addresses ?? (IPAddress(v4: 0), IPAddress(v4: 0))
    return context.workloads.tupleValues(
      protocol: IPProtocol(rawValue: key.protocol), source: addresses.source, destination: addresses.destination,
      ports: nil, seenFrom: NetnsCookie(rawValue: key.netns)) + [context.workloads.node]
  }

  private func reasonValues(_ key: packetloss_reason_key) -> [String] {
    let function = functionName(key.location)
    return context.workloads.standardValues(NetnsCookie(rawValue: key.netns)) + [
      reasonLabel(key.reason, function), function,
    ]
  }

  /// The reason of a counted drop. Without reasons from the kernel the function is all there is, and the label says so.
  func reasonLabel(_ number: UInt32, _ function: String) -> String {
    if reasons.areGiven { return reasons.name(of: number) }
    return DerivedReasons.reason(forFrames: [function[...]]).map { "derived:\($0)" } ?? DropReasons.notSpecified
  }
}
