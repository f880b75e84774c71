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
  private func endpointValues(_ address: IPAddress, seenFrom cookie: NetnsCookie) -> [String] {
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

/// The labels of an event.
public enum EventLabels {
  /// TUPLE, from a packet's tuple. A packet without IP header has `protocol` IP and no addresses.
  public static func tuple(
    _ tuple: skoop_tuple, ports: Bool = true, seenFrom cookie: NetnsCookie, _ workloads: WorkloadDirectory
  ) -> [Label] {
    let values: [String]
    if let addresses = tuple.addresses {
      values = workloads.tupleValues(
        protocol: IPProtocol(rawValue: tuple.protocol), source: addresses.source, destination: addresses.destination,
        ports: ports ? (tuple.source_port, tuple.destination_port) : nil, seenFrom: cookie)
    } else {
      values = ["IP", "", "unknown", "", "", "", "", "unknown", "", "", "", "0", "0"]
    }
    return zip(LabelSet.tuple, values).map { Label($0, $1) }
  }

  /// POD: `pod, namespace, node` of the place where it happened.
  public static func pod(_ cookie: NetnsCookie, _ workloads: WorkloadDirectory) -> [Label] {
    let labels = workloads.workload(of: cookie).labels
    return [Label("pod", labels.pod), Label("namespace", labels.namespace), Label("node", workloads.node)]
  }

  /// Where something happened, behind the contract's labels of an event that says only whose packet it was.
  public static func place(_ cookie: NetnsCookie, _ workloads: WorkloadDirectory) -> [Label] {
    zip(LabelSet.standard, workloads.standardValues(cookie)).map { Label($0, $1) }
  }

  /// Ours, on every event: namespace, interface, what TCP says, and the process where it truly is the owner. What is not
  /// known is left out.
  public static func details(of packet: skoop_packet, _ record: Record, _ stack: StackRenderer.Rendered) -> [Label] {
    var labels = [Label("netns", record.netns.description)]
    let interface = packet.interface
    if !interface.isEmpty { labels.append(Label("interface", interface)) }
    if packet.tuple.family == 0, packet.tuple.ethertype != 0 {
      labels.append(Label("ethertype", "0x" + String(packet.tuple.ethertype, radix: 16)))
    }
    if packet.length != 0 { labels.append(Label("length", String(packet.length))) }
    switch IPProtocol(rawValue: packet.tuple.protocol) {
    case .tcp:
      if let state = packet.state { labels.append(Label("tcp_state", state.name)) }
      if packet.tcp_flags != 0 { labels.append(Label("tcp_flags", packet.flags.description)) }
      labels.append(Label("seq", String(packet.seq)))
      labels.append(Label("ack_seq", String(packet.ack_seq)))
    case .icmp, .icmp6:
      labels.append(Label("icmp_type", String(packet.icmp_type)))
      labels.append(Label("icmp_code", String(packet.icmp_code)))
    default: break
    }
    if stack.isOwnersContext {
      labels.append(Label("process", record.command))
      labels.append(Label("pid", String(record.header.pid)))
    }
    return labels
  }
}
