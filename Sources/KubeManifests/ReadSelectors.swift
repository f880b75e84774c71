import KubeModel
import Yams

// Labels and label selectors, with the API's validation (apimachinery pkg/apis/meta/v1/validation, Kubernetes 1.34).

extension YAMLNode {
  /// A map of strings, e.g. labels.
  func strings() throws(FieldError) -> [String: String] {
    var result: [String: String] = [:]
    for (name, value) in try fields() {
      result[name] = value.isNull ? "" : try value.text()
    }
    return result
  }

  func labels(_ name: String) throws(FieldError) -> Labels {
    guard let node = try get(name) else { return Labels() }
    return Labels(try node.labelValues())
  }

  /// A map of label keys and values, each validated.
  func labelValues() throws(FieldError) -> [String: String] {
    var result: [String: String] = [:]
    for (key, value) in try fields() {
      guard isLabelKey(key) else { throw fail("is not a valid label key", child: key) }
      let text = value.isNull ? "" : try value.text()
      guard isLabelValue(text) else { throw value.fail("is not a valid label value: \"\(text)\"") }
      result[key] = text
    }
    return result
  }

  func selector() throws(FieldError) -> LabelSelector {
    try allow(only: "matchLabels", "matchExpressions")
    let expressions = try list("matchExpressions").map { node throws(FieldError) in try node.requirement() }
    return LabelSelector(matchLabels: try get("matchLabels")?.labelValues() ?? [:], expressions: expressions)
  }

  private func requirement() throws(FieldError) -> LabelSelector.Requirement {
    try allow(only: "key", "operator", "values")
    let keyNode = try require("key")
    let key = try keyNode.text()
    guard isLabelKey(key) else { throw keyNode.fail("is not a valid label key: \"\(key)\"") }
    _ = try require("operator")
    let op: LabelSelector.Operator? = try choice("operator")
    let values = try list("values").map { node throws(FieldError) in
      let text = try node.text()
      guard isLabelValue(text) else { throw node.fail("is not a valid label value: \"\(text)\"") }
      return text
    }
    switch op {
    case .isIn, .notIn:
      if values.isEmpty { throw fail("must be given when the operator is In or NotIn", child: "values") }
    default:
      if !values.isEmpty { throw fail("may not be given when the operator is Exists or DoesNotExist", child: "values") }
    }
    return LabelSelector.Requirement(key: key, op: op ?? .isIn, values: values)
  }
}

/// `[PREFIX/]NAME`: a name as a label value but not empty, a prefix as a DNS subdomain.
private func isLabelKey(_ text: String) -> Bool {
  let parts = text.split(separator: "/", omittingEmptySubsequences: false)
  guard parts.count <= 2, let name = parts.last, !name.isEmpty, isLabelValue(name) else { return false }
  guard parts.count == 2 else { return true }
  return !parts[0].isEmpty && parts[0].utf8.count <= 253
    && parts[0].split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
      guard let first = label.utf8.first, let last = label.utf8.last else { return false }
      let isPlain = { (byte: UInt8) in (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte) }
      return isPlain(first) && isPlain(last) && label.utf8.allSatisfy { isPlain($0) || $0 == 0x2d }
    }
}

/// At most 63 of A-Z, a-z, 0-9, `-`, `_` and `.`, with a letter or digit at both ends; or empty.
private func isLabelValue(_ text: some StringProtocol) -> Bool {
  let bytes = text.utf8
  guard let first = bytes.first, bytes.count <= 63 else { return text.isEmpty }
  let isAlphanumeric = { (byte: UInt8) in
    (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
  }
  guard isAlphanumeric(first) else { return false }
  var last = first
  for byte in bytes {
    guard isAlphanumeric(byte) || byte == 0x2d || byte == 0x2e || byte == 0x5f else { return false }
    last = byte
  }
  return isAlphanumeric(last)
}
