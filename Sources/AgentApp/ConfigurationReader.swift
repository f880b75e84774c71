public import ProbeKit
import YAML

/// Reads the contract's YAML. Everything unknown is an error with its line: a misspelt key must not switch something off in
/// silence.
public struct ConfigurationReader {
  let file: String
  let manifests: [ProbeManifest]

  /// `file` is for messages; `manifests`: the probes there are.
  public init(file: String, manifests: [ProbeManifest]) {
    self.file = file
    self.manifests = manifests
  }

  public func read(_ text: String) throws(ConfigurationError) -> AgentConfiguration {
    let root: YAMLNode?
    do {
      root = try YAMLReader.read(text)
    } catch {
      throw ConfigurationError(file: file, line: error.line, message: "not YAML: \(error.problem)")
    }
    var configuration = AgentConfiguration()
    guard let root, !root.isNull else { return configuration }
    var probes: [String: (line: Int, settings: ProbeSettings)] = [:]
    var order: [String] = []
    for (key, value) in try mapping(
      root, "the configuration",
      keys: ["debugMode", "port", "address", "enableController", "controllerAddr", "bpfStatistics", "metrics", "event"])
    {
      switch key {
      case "debugMode": configuration.debugMode = try bool(value, key)
      case "port": configuration.address = .tcp(host: "0.0.0.0", port: try integer(value, key, in: 1...65535))
      case "address": configuration.address = try address(value)
      case "bpfStatistics": configuration.bpfStatistics = try bool(value, key)
      case "enableController":
        if try bool(value, key) { configuration.notes.append("enableController: there is no controller yet") }
      case "controllerAddr": _ = try string(value, key)
      default:
        let isMetrics = key == "metrics"
        let keys = isMetrics ? ["additionalLabels", "probes"] : ["probes", "sinks"]
        for (inner, value) in try mapping(value, key, keys: keys) {
          switch inner {
          case "probes":
            for (id, line, arguments) in try probeList(value) {
              if probes[id] == nil {
                order.append(id)
                probes[id] = (line, ProbeSettings(metrics: false, events: false))
              }
              try merge(&probes[id]!.settings, id, line, arguments, isMetrics: isMetrics)
            }
          case "sinks": configuration.sinks = try sinkList(value)
          default:
            if try !list(value, inner).isEmpty {
              configuration.notes.append("metrics.additionalLabels: there are no pod labels to read yet")
            }
          }
        }
      }
    }
    configuration.probes = order.map { AgentConfiguration.ProbeRequest(id: $0, settings: probes[$0]!.settings) }
    if configuration.sinks.isEmpty, configuration.probes.contains(where: \.settings.events) {
      configuration.sinks = [.stderr]
    }
    return configuration
  }

  /// Both sides of a probe share one program: what they say about it must agree.
  private func merge(
    _ settings: inout ProbeSettings, _ id: String, _ line: Int, _ arguments: [String: SettingValue], isMetrics: Bool
  ) throws(ConfigurationError) {
    if isMetrics ? settings.metrics : settings.events { throw error(line, "\(id) is listed twice") }
    if isMetrics { settings.metrics = true } else { settings.events = true }
    for (name, value) in arguments {
      if let other = settings.arguments[name], other != value {
        throw error(line, "\(id): \(name) is \(value) here and \(other) in the other list; the probe is loaded once")
      }
      settings.arguments[name] = value
    }
  }

  private func probeList(
    _ node: YAMLNode
  ) throws(ConfigurationError) -> [(id: String, line: Int, arguments: [String: SettingValue])] {
    var result: [(String, Int, [String: SettingValue])] = []
    for item in try list(node, "probes") {
      var id: String?
      var given: [(String, YAMLNode)] = []
      for (key, value) in try mapping(item, "a probe", keys: ["name", "args"]) {
        if key == "name" {
          id = try string(value, key)
        } else if !value.isNull {
          given = try mapping(value, key, keys: nil)
        }
      }
      guard let id else { throw error(item.line, "a probe needs a name") }
      guard let manifest = manifests.first(where: { $0.id == id }) else {
        throw error(item.line, "there is no probe \(id)" + Suggestion.text(for: id, among: manifests.map(\.id)))
      }
      var arguments: [String: SettingValue] = [:]
      for (name, value) in given {
        guard let setting = manifest.allSettings.first(where: { $0.name == name }) else {
          throw error(
            value.line,
            "\(id) has no argument \(name)" + Suggestion.text(for: name, among: manifest.allSettings.map(\.name)))
        }
        let parsed = scalar(value)
        if let complaint = setting.complaint(about: parsed) {
          throw error(value.line, "\(id): \(name) \(complaint), not \(parsed)")
        }
        arguments[name] = parsed
      }
      result.append((id, item.line, arguments))
    }
    return result
  }

  private func sinkList(_ node: YAMLNode) throws(ConfigurationError) -> [AgentConfiguration.SinkRequest] {
    var result: [AgentConfiguration.SinkRequest] = []
    var names: Set<String> = []
    for item in try list(node, "sinks") {
      var name: String?
      var arguments: [(key: String, value: YAMLNode)] = []
      for (key, value) in try mapping(item, "a sink", keys: ["name", "args"]) {
        if key == "name" {
          name = try string(value, key)
        } else if !value.isNull {
          arguments = try mapping(value, key, keys: nil)
        }
      }
      if let name, !names.insert(name).inserted { throw error(item.line, "the sink \(name) is listed twice") }
      switch name {
      case "stderr":
        if let extra = arguments.first { throw error(extra.value.line, "the sink stderr has no arguments") }
        result.append(.stderr)
      case "file":
        var path: String?
        for (key, value) in arguments {
          guard key == "path" else { throw error(value.line, "the sink file has no argument \(key); it has path") }
          path = try string(value, key)
        }
        guard let path else { throw error(item.line, "the sink file needs the argument path") }
        result.append(.file(path: path))
      case "loki": throw error(item.line, "the sink loki does not exist yet; there are stderr and file")
      case .some(let other):
        throw error(item.line, "there is no sink \(other)" + Suggestion.text(for: other, among: ["stderr", "file"]))
      case nil: throw error(item.line, "a sink needs a name")
      }
    }
    return result
  }

  /// `[tcp://]host:port` or `unix:///path`; the host may be empty, or an IPv6 address in brackets.
  private func address(_ node: YAMLNode) throws(ConfigurationError) -> AgentConfiguration.Address {
    let text = try string(node, "address")
    if text.hasPrefix("unix://") {
      let path = String(text.dropFirst("unix://".count))
      guard path.hasPrefix("/") else {
        throw error(node.line, "address: \(text) needs an absolute path, unix:///path")
      }
      return .unix(path: path)
    }
    let rest = text.hasPrefix("tcp://") ? text.dropFirst("tcp://".count) : text[...]
    guard let colon = rest.lastIndex(of: ":"), let port = Int(rest[rest.index(after: colon)...]),
      (1...65535).contains(port)
    else { throw error(node.line, "address: \(text) is neither [tcp://]host:port nor unix:///path") }
    var host = String(rest[..<colon])
    if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
    return .tcp(host: host.isEmpty ? "0.0.0.0" : host, port: port)
  }

  // MARK: nodes

  private func error(_ line: Int, _ message: String) -> ConfigurationError {
    ConfigurationError(file: file, line: line, message: message)
  }

  /// `keys` nil: any.
  private func mapping(
    _ node: YAMLNode, _ what: String, keys: [String]?
  ) throws(ConfigurationError) -> [(key: String, value: YAMLNode)] {
    guard let pairs = node.pairs else { throw error(node.line, "\(what) must be a mapping (key: value)") }
    var result: [(String, YAMLNode)] = []
    for (key, value) in pairs {
      guard let name = key.text else { throw error(key.line, "\(what): a key must be a text") }
      if result.contains(where: { $0.0 == name }) { throw error(key.line, "\(what) has the key \(name) twice") }
      if let keys, !keys.contains(name) {
        throw error(key.line, "\(what) has no key \(name)" + Suggestion.text(for: name, among: keys))
      }
      result.append((name, value))
    }
    return result
  }

  private func list(_ node: YAMLNode, _ what: String) throws(ConfigurationError) -> [YAMLNode] {
    if node.isNull { return [] }
    guard let items = node.items else { throw error(node.line, "\(what) must be a list") }
    return items
  }

  private func string(_ node: YAMLNode, _ what: String) throws(ConfigurationError) -> String {
    guard let text = node.text, !text.isEmpty else { throw error(node.line, "\(what) must be a text") }
    return text
  }

  private func bool(_ node: YAMLNode, _ what: String) throws(ConfigurationError) -> Bool {
    guard case .bool(let value) = scalar(node) else { throw error(node.line, "\(what) must be true or false") }
    return value
  }

  private func integer(_ node: YAMLNode, _ what: String, in range: ClosedRange<Int>) throws(ConfigurationError) -> Int {
    guard case .integer(let value) = scalar(node), range.contains(value) else {
      throw error(node.line, "\(what) must be a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  /// As YAML 1.2's core schema reads it: only true and false are booleans.
  private func scalar(_ node: YAMLNode) -> SettingValue {
    let text = node.text ?? "a list or mapping"
    guard node.isPlain else { return .text(text) }
    switch text {
    case "true", "True", "TRUE": return .bool(true)
    case "false", "False", "FALSE": return .bool(false)
    default: return Int(text).map { .integer($0) } ?? .text(text)
    }
  }
}

/// "did you mean".
enum Suggestion {
  /// `; did you mean X?`, or the whole choice, which is short here.
  static func text(for word: String, among choices: [String]) -> String {
    let nearest = choices.map { ($0, distance(Array(word.lowercased()), Array($0.lowercased()))) }.min { $0.1 < $1.1 }
    if let nearest, nearest.1 <= max(2, word.count / 3) { return "; did you mean \(nearest.0)?" }
    return "; there is " + choices.joined(separator: ", ")
  }

  /// Levenshtein's.
  static func distance(_ a: [Character], _ b: [Character]) -> Int {
    var row = Array(0...b.count)
    for (i, x) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, y) in b.enumerated() {
        (row[j + 1], diagonal) = (min(row[j] + 1, row[j + 1] + 1, diagonal + (x == y ? 0 : 1)), row[j + 1])
      }
    }
    return row[b.count]
  }
}
