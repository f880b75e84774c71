public import CProbeEvents
public import NetTypes
public import Signals
public import Workloads

/// The contract's label sets (reference: docs/reference/metrics.md).
public enum LabelSet {
  /// `k8s_node, k8s_namespace, k8s_pod`: where something was counted.
  public static let standard = ["k8s_node", "k8s_namespace", "k8s_pod"]
  /// Both ends of a connection.
  public static let tuple = [
    "protocol", "src", "src_type", "src_node", "src_namespace", "src_pod", "dst", "dst_type", "dst_node",
    "dst_namespace", "dst_pod", "sport", "dport",
  ]
  static let source = ["src", "src_type", "src_node", "src_namespace", "src_pod"]
  static let destination = ["dst", "dst_type", "dst_node", "dst_namespace", "dst_pod"]
  /// The value of every label of a series that stands for what a full map could not take.
  public static let other = "other"
}

extension WorkloadDirectory {
  /// The values of `LabelSet.standard`.
  public func standardValues(_ cookie: NetnsCookie) -> [String] {
    let labels = workload(of: cookie).labels
    return [node, labels.namespace, labels.pod]
  }

  /// The values of `LabelSet.tuple`. `ports` false writes "0".
  public func tupleValues(
    protocol number: IPProtocol, source: IPAddress, destination: IPAddress, ports: (UInt16, UInt16)?,
    seenFrom cookie: NetnsCookie
  ) -> [String] {
    [number.contractName] + endpointValues(source, seenFrom: cookie) + endpointValues(destination, seenFrom: cookie)
      + [String(ports?.0 ?? 0), String(ports?.1 ?? 0)]
  }

  /// `src, src_type, src_node, src_namespace, src_pod`, or the same of the destination.
  func endpointValues(_ address: IPAddress, seenFrom cookie: NetnsCookie) -> [String] {
    switch endpoint(of: address, seenFrom: cookie) {
    case .pod(let namespace, let name): [address.description, "pod", "", namespace, name]
    case .node(let name): [address.description, "node", name, "", ""]
    case .unknown: [address.description, "unknown", "", "", ""]
    }
  }
}

extension MetricFamily {
  /// With the series `other` for what a full map could not take, once there is any.
  public func adding(other count: UInt64, node: String) -> MetricFamily {
    if count == 0 { return self }
    let values = description.labels.map { $0 == "k8s_node" ? node : LabelSet.other }
    return MetricFamily(description, samples + [Sample(values, Double(count))])
  }
}

/// The labels of an event. What recurs comes from the cache; ports, sizes and sequence numbers are the event's own.
extension EventLabelList {
  /// TUPLE, from a packet's tuple. A packet without IP header has `protocol` IP and no addresses.
  public mutating func append(tuple: skoop_tuple, seenFrom cookie: NetnsCookie, _ context: ProbeContext) {
    guard let addresses = tuple.addresses else {
      append(Self.noTuple)
      return
    }
    let number = tuple.protocol
    append(
      context.labels.group(LabelCache.Key(.protocol, UInt64(number))) {
        [Label("protocol", IPProtocol(rawValue: number).contractName)]
      })
    append(end: addresses.source, LabelSet.source, seenFrom: cookie, context)
    append(end: addresses.destination, LabelSet.destination, seenFrom: cookie, context)
    append(Label("sport", String(tuple.source_port)))
    append(Label("dport", String(tuple.destination_port)))
  }

  private mutating func append(
    end address: IPAddress, _ names: [String], seenFrom cookie: NetnsCookie, _ context: ProbeContext
  ) {
    let isSource = names[0] == "src"
    let kind: LabelCache.Kind =
      address.family == .v4
      ? (isSource ? .sourceV4 : .destinationV4) : (isSource ? .sourceV6 : .destinationV6)
    append(
      context.labels.group(LabelCache.Key(kind, address.high, address.low, cookie.rawValue)) {
        zip(names, context.workloads.endpointValues(address, seenFrom: cookie)).map { Label($0, $1) }
      })
  }

  private static let noTuple = LabelGroup(
    zip(LabelSet.tuple, ["IP", "", "unknown", "", "", "", "", "unknown", "", "", "", "0", "0"]).map { Label($0, $1) })

  /// POD: `pod, namespace, node` of the place where it happened.
  public mutating func append(pod cookie: NetnsCookie, _ context: ProbeContext) {
    append(
      context.labels.group(LabelCache.Key(.pod, cookie.rawValue)) {
        let labels = context.workloads.workload(of: cookie).labels
        return [
          Label("pod", labels.pod), Label("namespace", labels.namespace), Label("node", context.workloads.node),
        ]
      })
  }

  /// Where something happened, behind the contract's labels of an event that says only whose packet it was.
  public mutating func append(place cookie: NetnsCookie, _ context: ProbeContext) {
    append(
      context.labels.group(LabelCache.Key(.place, cookie.rawValue)) {
        zip(LabelSet.standard, context.workloads.standardValues(cookie)).map { Label($0, $1) }
      })
  }

  /// Ours, on every event: namespace, interface, what TCP says, and the process where it truly is the owner. What is not
  /// known is left out.
  public mutating func append(
    detailsOf packet: skoop_packet, _ record: Record, _ stack: StackRenderer.Rendered, _ context: ProbeContext
  ) {
    let netns = record.netns
    let name = unsafe unsafeBitCast(packet.ifname, to: (UInt64, UInt64).self)
    // An interface without a name is told by its number.
    let words = name.0 == 0 ? (UInt64(packet.ifindex) << 8, 0) : name
    append(
      context.labels.group(LabelCache.Key(.interface, netns.rawValue, words.0, words.1)) {
        let interface = packet.interface
        return [Label("netns", netns.description)] + (interface.isEmpty ? [] : [Label("interface", interface)])
      })
    if packet.tuple.family == 0, packet.tuple.ethertype != 0 {
      append(Label("ethertype", "0x" + String(packet.tuple.ethertype, radix: 16)))
    }
    if packet.length != 0 { append(Label("length", String(packet.length))) }
    switch IPProtocol(rawValue: packet.tuple.protocol) {
    case .tcp:
      if let state = packet.state { append(Label("tcp_state", state.name)) }
      if packet.tcp_flags != 0 { append(Label("tcp_flags", packet.flags.description)) }
      append(Label("seq", String(packet.seq)))
      append(Label("ack_seq", String(packet.ack_seq)))
    case .icmp, .icmp6:
      append(Label("icmp_type", String(packet.icmp_type)))
      append(Label("icmp_code", String(packet.icmp_code)))
    default: break
    }
    if stack.isOwnersContext {
      append(Label("process", record.command))
      append(Label("pid", String(record.header.pid)))
    }
  }
}
