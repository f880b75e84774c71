/// An event as one readable line, for terminals. Reads only the labels, so it works on stored events too.
public enum EventText {
  /// `TYPE  where  who → whom  what`. A label that is not there leaves its part out.
  public static func line(_ event: Event) -> String {
    var labels: [String: String] = [:]
    for label in event.labels where labels[label.name] == nil { labels[label.name] = label.value }
    func value(_ name: String) -> String? {
      guard let value = labels[name], !value.isEmpty else { return nil }
      return value
    }
    var parts = [event.type, "in " + place(labels)]
    parts.append(value("protocol") ?? value("ethertype") ?? "")
    if let source = value("src"), let destination = value("dst") {
      parts.append(
        "\(end(source, value("sport"), name(labels, "src"))) → \(end(destination, value("dport"), name(labels, "dst")))"
      )
    } else if let ethertype = value("ethertype") {
      parts.append("ethertype \(ethertype)")
    }
    if let flags = value("tcp_flags") { parts.append("[\(flags)]") }
    if let reason = value("reason") {
      parts.append(reason + (value("reason_source").map { " (\($0))" } ?? ""))
    }
    if let kind = value("kind") { parts.append(kind) }
    if let error = value("error") { parts.append("failed: \(error)") }
    if let location = value("location") { parts.append("at \(location)") }
    if let state = value("tcp_state") { parts.append(state) }
    if let interface = value("interface") { parts.append("dev \(interface)") }
    if let process = value("process") { parts.append("by \(process)[\(value("pid") ?? "?")]") }
    if value("normal") != nil { parts.append("(normal)") }
    return parts.filter { !$0.isEmpty }.joined(separator: "  ")
  }

  private static func place(_ labels: [String: String]) -> String {
    let namespace = labels["k8s_namespace"] ?? labels["namespace"] ?? ""
    let pod = labels["k8s_pod"] ?? labels["pod"] ?? ""
    let node = labels["k8s_node"] ?? labels["node"] ?? ""
    if pod.isEmpty { return "host \(node)" }
    return namespace.isEmpty ? pod : "\(namespace)/\(pod)"
  }

  private static func name(_ labels: [String: String], _ end: String) -> String? {
    switch labels["\(end)_type"] {
    case "pod": "\(labels["\(end)_namespace"] ?? "")/\(labels["\(end)_pod"] ?? "")"
    case "node": "node \(labels["\(end)_node"] ?? "")"
    default: nil
    }
  }

  private static func end(_ address: String, _ port: String?, _ name: String?) -> String {
    let bracketed = address.contains(":") ? "[\(address)]" : address
    return bracketed + (port.flatMap { $0 == "0" ? nil : ":\($0)" } ?? "") + (name.map { " (\($0))" } ?? "")
  }
}
