public import NetTypes

/// Who owns a network namespace.
public enum Workload: Hashable, Sendable {
  /// The machine's own namespace.
  case host
  case pod(namespace: String, name: String)
  /// A namespace that nobody has named to us.
  case unnamed(NetnsCookie)

  /// The values of the contract's labels `k8s_namespace` and `k8s_pod`: both empty for the host, and honest about a
  /// namespace without a name.
  public var labels: (namespace: String, pod: String) {
    switch self {
    case .host: ("", "")
    case .pod(let namespace, let name): (namespace, name)
    case .unnamed(let cookie): ("", Self.text(of: cookie))
    }
  }

  /// For people: `NAMESPACE/NAME`, `host`, or `netns 4711`.
  public var text: String {
    switch self {
    case .host: "host"
    case .pod(let namespace, let name): "\(namespace)/\(name)"
    case .unnamed(let cookie): Self.text(of: cookie)
    }
  }

  private static func text(of cookie: NetnsCookie) -> String {
    // Bit 63 marks an inode that stands in for a cookie (ProbeKit/bpf/skoop.bpf.h).
    if cookie.rawValue == 0 { return "netns unknown" }
    return cookie.rawValue >> 63 == 0 ? "netns \(cookie)" : "netns inode \(cookie.rawValue & ~(1 << 63))"
  }

  /// From the name that `ip netns` gave: `namespace--name`, else a pod of the namespace `default`.
  public init(netnsName: String) {
    if let separator = netnsName.firstRange(of: "--"), separator.lowerBound > netnsName.startIndex,
      separator.upperBound < netnsName.endIndex
    {
      self = .pod(
        namespace: String(netnsName[..<separator.lowerBound]), name: String(netnsName[separator.upperBound...]))
    } else {
      self = .pod(namespace: "default", name: netnsName)
    }
  }
}

/// One end of a packet, in the contract's words.
public enum Endpoint: Hashable, Sendable {
  case pod(namespace: String, name: String)
  case node(String)
  case unknown
}
