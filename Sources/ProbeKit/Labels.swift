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

/// Labels of an event that others share.
extension ProbeContext {
  /// POD: `pod, namespace, node` of the place where it happened.
  public func podLabels(_ cookie: NetnsCookie) -> [Label] {
    let labels = workloads.workload(of: cookie).labels
    return [Label("pod", labels.pod), Label("namespace", labels.namespace), Label("node", workloads.node)]
  }

  /// Where something happened, behind the contract's labels of an event that says only whose packet it was.
  public func placeLabels(_ cookie: NetnsCookie) -> [Label] {
    zip(LabelSet.standard, workloads.standardValues(cookie)).map { Label($0, $1) }
  }

  /// Ours, on every event: namespace and interface, where there is one.
  public func netnsLabels(_ cookie: NetnsCookie, _ packet: skoop_packet) -> [Label] {
    let interface = packet.interface
    return [Label("netns", cookie.description)] + (interface.isEmpty ? [] : [Label("interface", interface)])
  }

  fileprivate func endLabels(_ names: [String], _ address: IPAddress, seenFrom cookie: NetnsCookie) -> [Label] {
    zip(names, workloads.endpointValues(address, seenFrom: cookie)).map { Label($0, $1) }
  }
}

/// The labels of an event. What recurs comes from the cache; ports, sizes and sequence numbers are the event's own.
extension EventBatch {
  /// TUPLE, from a packet's tuple. A packet without IP header has `protocol` IP and no addresses.
  public mutating func append(tuple: skoop_tuple, seenFrom cookie: NetnsCookie, _ context: ProbeContext) {
    guard let (source, destination) = tuple.addresses else {
      append(Self.noTuple)
      return
    }
    let number = tuple.protocol
    append(
      context.labels.group(LabelCache.Key(protocol: number, source, destination, seenFrom: cookie)) {
        LabelGroup(
          [Label("protocol", IPProtocol(rawValue: number).contractName)]
            + context.endLabels(LabelSet.source, source, seenFrom: cookie)
            + context.endLabels(LabelSet.destination, destination, seenFrom: cookie))
      })
    append(Self.sourcePort, UInt32(tuple.source_port))
    append(Self.destinationPort, UInt32(tuple.destination_port))
  }

  private static let noTuple = LabelGroup(
    zip(LabelSet.tuple, ["IP", "", "unknown", "", "", "", "", "unknown", "", "", "", "0", "0"]).map { Label($0, $1) })
  private static let sourcePort = NumberLabel("sport")
  private static let destinationPort = NumberLabel("dport")
  private static let length = NumberLabel("length")
  private static let sequence = NumberLabel("seq")
  private static let acknowledgement = NumberLabel("ack_seq")
  private static let icmpType = NumberLabel("icmp_type")
  private static let icmpCode = NumberLabel("icmp_code")
  private static let process = NumberLabel("pid")

  /// Ours, on every event, behind namespace and interface: what TCP says, and the process where it truly is the owner.
  /// What is not known is left out.
  public mutating func append(
    detailsOf packet: skoop_packet, _ record: Record, _ stack: RenderedStack, _ context: ProbeContext
  ) {
    if packet.tuple.family == 0, packet.tuple.ethertype != 0 {
      append(Label("ethertype", "0x" + String(packet.tuple.ethertype, radix: 16)))
    }
    if packet.length != 0 { append(Self.length, packet.length) }
    switch IPProtocol(rawValue: packet.tuple.protocol) {
    case .tcp:
      append(
        context.labels.group(LabelCache.Key(state: packet.tcp_state, flags: packet.tcp_flags)) {
          LabelGroup(
            (packet.state.map { [Label("tcp_state", $0.name)] } ?? [])
              + (packet.tcp_flags == 0 ? [] : [Label("tcp_flags", packet.flags.description)]))
        })
      append(Self.sequence, packet.seq)
      append(Self.acknowledgement, packet.ack_seq)
    case .icmp, .icmp6:
      append(Self.icmpType, UInt32(packet.icmp_type))
      append(Self.icmpCode, UInt32(packet.icmp_code))
    default: break
    }
    if stack.isOwnersContext {
      append(Label("process", record.command))
      append(Self.process, record.header.pid)
    }
  }
}
