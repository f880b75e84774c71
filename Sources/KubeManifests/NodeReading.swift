import KubeModel
import NetTypes
import Yams

// Reading of typed fields out of a YAML tree, with the types that the API server would demand. Scalars follow the
// core schema of YAML 1.2 (§10.3.2): only true and false are booleans.

/// A node of the YAML tree; the cluster has nodes of its own.
typealias YAMLNode = Yams.Node

extension YAMLNode {
  func fail(_ problem: String, child: String? = nil) -> FieldError {
    var childLine: Int?
    if let child, case .mapping(let mapping) = self {
      childLine = mapping.first { $0.key.keyText == child }?.key.mark?.line
    }
    return FieldError(
      line: mark?.line ?? 0, column: mark?.column ?? 0, child: child, childLine: childLine, problem: problem)
  }

  var line: UInt32 { UInt32(clamping: mark?.line ?? 0) }

  /// Whether this is `null` in one of its spellings, or nothing at all.
  var isNull: Bool {
    guard case .scalar(let scalar) = self, scalar.style == .plain, !scalar.hasTag("str") else { return false }
    return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
  }

  /// The key's text; the kinds of node that a key cannot be give nil.
  private var keyText: String? {
    guard case .scalar(let scalar) = self else { return nil }
    return scalar.string
  }

  /// The field's value; nil when it is absent or null, which the API does not tell apart.
  func get(_ name: String) throws(FieldError) -> YAMLNode? {
    guard case .mapping(let mapping) = self else { throw fail("expected an object") }
    var merged: YAMLNode?
    for (key, value) in mapping {
      guard case .scalar(let scalar) = key else { continue }
      if scalar.string == name { return value.isNull ? nil : value }
      if scalar.string == "<<" { merged = value }
    }
    guard let merged else { return nil }
    if case .sequence(let list) = merged {
      for item in list {
        if let value = try item.get(name) { return value }
      }
      return nil
    }
    return try merged.get(name)
  }

  func require(_ name: String) throws(FieldError) -> YAMLNode {
    guard let node = try get(name) else { throw fail("is required", child: name) }
    return node
  }

  /// The fields of an object in their order, merge keys resolved.
  func fields() throws(FieldError) -> [(name: String, value: YAMLNode)] {
    guard case .mapping(let mapping) = self else { throw fail("expected an object") }
    var result: [(name: String, value: YAMLNode)] = []
    var merges: [YAMLNode] = []
    for (key, value) in mapping {
      guard let name = key.keyText else { throw key.fail("a key must be a string") }
      if name == "<<" {
        if case .sequence(let list) = value { merges += list } else { merges.append(value) }
      } else {
        result.append((name, value))
      }
    }
    for merge in merges {
      for field in try merge.fields() where !result.contains(where: { $0.name == field.name }) {
        result.append(field)
      }
    }
    return result
  }

  /// Refuses fields that are not in the list. A misspelt field of a policy would otherwise change its meaning.
  func allow(only names: String...) throws(FieldError) {
    for (name, _) in try fields() where !names.contains(name) {
      throw fail("is not a known field", child: name)
    }
  }

  func items() throws(FieldError) -> [YAMLNode] {
    guard case .sequence(let sequence) = self else { throw fail("expected a list") }
    return Array(sequence)
  }

  /// The elements of a list that must have some.
  func someItems(atMost limit: Int) throws(FieldError) -> [YAMLNode] {
    let items = try items()
    if items.isEmpty { throw fail("may not be empty") }
    if items.count > limit { throw fail("may not have more than \(limit) entries") }
    return items
  }

  /// The elements of a list field; empty when it is absent.
  func list(_ name: String) throws(FieldError) -> [YAMLNode] {
    try get(name)?.items() ?? []
  }

  func list(_ name: String, atMost limit: Int) throws(FieldError) -> [YAMLNode] {
    let items = try list(name)
    if items.count > limit { throw fail("may not have more than \(limit) entries", child: name) }
    return items
  }

  func text() throws(FieldError) -> String {
    guard case .scalar(let scalar) = self else { throw fail("expected a string") }
    if scalar.style == .plain, isBoolean(scalar.string) || isNumber(scalar.string), !scalar.hasTag("str") {
      throw fail("expected a string, found \(scalar.string): put it in quotes")
    }
    return scalar.string
  }

  func text(_ name: String) throws(FieldError) -> String? { try get(name)?.text() }

  func bool(_ name: String) throws(FieldError) -> Bool? {
    guard let node = try get(name) else { return nil }
    guard case .scalar(let scalar) = node, scalar.style == .plain, isBoolean(scalar.string) else {
      throw node.fail("expected true or false")
    }
    return scalar.string.lowercased() == "true"
  }

  /// A whole number; nil for any other scalar.
  private var whole: Int? {
    guard case .scalar(let scalar) = self, scalar.style == .plain ? !scalar.hasTag("str") : scalar.hasTag("int")
    else { return nil }
    return wholeNumber(scalar.string)
  }

  func int(_ name: String, in range: ClosedRange<Int>) throws(FieldError) -> Int? {
    guard let node = try get(name) else { return nil }
    guard let value = node.whole else { throw node.fail("expected a whole number") }
    guard range.contains(value) else {
      throw node.fail("must be between \(range.lowerBound) and \(range.upperBound), found \(value)")
    }
    return value
  }

  func port(_ name: String) throws(FieldError) -> UInt16? {
    try int(name, in: 1...65535).map { UInt16($0) }
  }

  /// A port number or name (`intstr.IntOrString`).
  func portReference() throws(FieldError) -> PortReference {
    if let value = whole {
      guard let port = UInt16(exactly: value), port > 0 else {
        throw fail("must be between 1 and 65535, found \(value)")
      }
      return .number(port)
    }
    let name = try text()
    guard isPortName(name) else {
      throw fail("is not a port name (1 to 15 of a-z, 0-9 and -, with a letter): \"\(name)\"")
    }
    return .name(name)
  }

  func proto(_ name: String) throws(FieldError) -> TrafficProtocol? {
    guard let node = try get(name) else { return nil }
    let text = try node.text()
    guard let proto = TrafficProtocol(name: text), proto.description == text, proto != .icmp else {
      throw node.fail("must be TCP, UDP or SCTP, found \(text)")
    }
    return proto
  }

  func address() throws(FieldError) -> IPAddress {
    let value = try text()
    guard let address = IPAddress(value) else { throw fail("is not an IP address: \"\(value)\"") }
    return address
  }

  func prefix() throws(FieldError) -> IPPrefix {
    let value = try text()
    guard let prefix = IPPrefix(value) else { throw fail("is not an address block in CIDR notation: \"\(value)\"") }
    return prefix
  }

  /// A string that must be one of an enumeration's raw values.
  func choice<Choice: RawRepresentable & CaseIterable>(_ name: String) throws(FieldError) -> Choice?
  where Choice.RawValue == String {
    guard let node = try get(name) else { return nil }
    let text = try node.text()
    guard let value = Choice(rawValue: text) else {
      throw node.fail("must be one of \(Choice.allCases.map(\.rawValue).joined(separator: ", ")), found \(text)")
    }
    return value
  }
}

extension YAMLNode.Scalar {
  /// Whether a type is written before it, such as `!!str`.
  fileprivate func hasTag(_ name: String) -> Bool { tag.description == "tag:yaml.org,2002:" + name }
}

private func isBoolean(_ text: String) -> Bool {
  ["true", "True", "TRUE", "false", "False", "FALSE"].contains(text)
}

/// A number of the core schema. The first character rules out nearly everything else.
private func isNumber(_ text: String) -> Bool {
  guard let first = text.utf8.first, (0x30...0x39).contains(first) || "+-.".utf8.contains(first) else { return false }
  if wholeNumber(text) != nil { return true }
  let unsigned = "+-".utf8.contains(first) ? text.dropFirst() : text[...]
  if [".inf", ".Inf", ".INF"].contains(unsigned) || [".nan", ".NaN", ".NAN"].contains(text) { return true }
  return text.utf8.allSatisfy { (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0) } && Double(text) != nil
}

/// A whole number of the core schema: decimal, `0o17` or `0x1f`.
private func wholeNumber(_ text: String) -> Int? {
  func digits(_ radix: Int) -> Int? {
    let digits = text.dropFirst(2)
    return digits.first.map { "+-".contains($0) } ?? true ? nil : Int(digits, radix: radix)
  }
  if text.hasPrefix("0x") { return digits(16) }
  if text.hasPrefix("0o") { return digits(8) }
  return Int(text)
}

/// A port's name as the API accepts it (validation.IsValidPortName, apimachinery).
private func isPortName(_ text: String) -> Bool {
  let bytes = text.utf8
  let isLetter = { (byte: UInt8) in (0x61...0x7a).contains(byte) }
  guard (1...15).contains(bytes.count), bytes.contains(where: isLetter), !text.hasPrefix("-"), !text.hasSuffix("-"),
    !text.contains("--")
  else { return false }
  return bytes.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) || $0 == 0x2d }
}

extension YAMLNode {
  /// The path of the value at a place of this tree, such as `spec.ports[0]`, and nil when there is none. Aliases are not
  /// followed: what they stand for is found where its anchor is.
  func path(line: Int, column: Int) -> String? {
    if mark?.line == line, mark?.column == column { return "" }
    func isAlias(_ child: YAMLNode) -> Bool {
      guard let mine = mark, let other = child.mark else { return false }
      return (other.line, other.column) < (mine.line, mine.column)
    }
    switch self {
    case .mapping(let mapping):
      for (key, value) in mapping {
        guard let name = key.keyText else { continue }
        if key.mark?.line == line, key.mark?.column == column { return name }
        guard !isAlias(value), let rest = value.path(line: line, column: column) else { continue }
        return rest.isEmpty || rest.hasPrefix("[") ? name + rest : "\(name).\(rest)"
      }
    case .sequence(let sequence):
      for (index, value) in sequence.enumerated() {
        guard !isAlias(value), let rest = value.path(line: line, column: column) else { continue }
        return rest.isEmpty || rest.hasPrefix("[") ? "[\(index)]\(rest)" : "[\(index)].\(rest)"
      }
    case .scalar, .alias:
      break
    }
    return nil
  }
}
