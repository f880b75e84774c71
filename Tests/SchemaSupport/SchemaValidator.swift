import Foundation

/// A JSON document, read strictly: 1 is no boolean, and true no number.
public indirect enum Document: Decodable, Hashable {
  case null
  case bool(Bool)
  case integer(Int)
  case number(Double)
  case string(String)
  case array([Document])
  case object([String: Document])

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Int.self) {
      self = .integer(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode([Document].self) {
      self = .array(value)
    } else {
      self = .object(try container.decode([String: Document].self))
    }
  }

  public var text: String? { if case .string(let text) = self { text } else { nil } }
  public var items: [Document] { if case .array(let items) = self { items } else { [] } }
  public var members: [String: Document] { if case .object(let members) = self { members } else { [:] } }
  public var whole: Int? { if case .integer(let value) = self { value } else { nil } }

  /// The name that JSON Schema has for this kind of value.
  var type: String {
    switch self {
    case .null: "null"
    case .bool: "boolean"
    case .integer: "integer"
    case .number: "number"
    case .string: "string"
    case .array: "array"
    case .object: "object"
    }
  }
}

/// Checks documents against the part of JSON Schema (draft 2020-12) that our schemas use. A keyword that it does not
/// know is an error, so that no schema says more than is checked.
public struct SchemaValidator {
  private let root: Document

  public init(file: URL) throws {
    root = try JSONDecoder().decode(Document.self, from: try Data(contentsOf: file))
  }

  /// What is wrong with a document; empty when it is valid.
  public func problems(_ data: Data) throws -> [String] {
    check(try JSONDecoder().decode(Document.self, from: data), root.members, "$")
  }

  private func check(_ value: Document, _ schema: [String: Document], _ path: String) -> [String] {
    var problems: [String] = []
    for (keyword, wanted) in schema {
      switch keyword {
      case "$schema", "title", "description", "$defs": break
      case "additionalProperties":
        // A table whose keys are data, or none but those listed.
        if schema["properties"] == nil, !wanted.members.isEmpty {
          for (name, child) in value.members { problems += check(child, wanted.members, "\(path).\(name)") }
        } else if wanted != .bool(false) {
          problems.append("\(path): additionalProperties must be false")
        }
      case "properties": problems += checkMembers(value, wanted.members, path)
      case "$ref":
        let name = (wanted.text ?? "").replacing("#/$defs/", with: "")
        guard let target = root.members["$defs"]?.members[name] else {
          problems.append("\(path): no definition of \(name)")
          continue
        }
        problems += check(value, target.members, path)
      case "type":
        let types = wanted.items.isEmpty ? [wanted] : wanted.items
        if !types.contains(.string(value.type)) { problems.append("\(path): is \(value.type), not \(types)") }
      case "enum":
        if !wanted.items.contains(value) { problems.append("\(path): \(value) is not one of the enum") }
      case "const":
        if value != wanted { problems.append("\(path): is not \(wanted)") }
      case "required":
        for name in wanted.items.compactMap(\.text) where value.members[name] == nil {
          problems.append("\(path): lacks \(name)")
        }
      case "items":
        for (index, item) in value.items.enumerated() {
          problems += check(item, wanted.members, "\(path)[\(index)]")
        }
      case "minimum":
        if let number = value.whole, number < wanted.whole ?? .max { problems.append("\(path): too small") }
      case "maximum":
        if let number = value.whole, number > wanted.whole ?? .min { problems.append("\(path): too large") }
      case "pattern":
        guard let text = value.text, let pattern = wanted.text else { break }
        if text.range(of: pattern, options: .regularExpression) == nil { problems.append("\(path): \(text)") }
      default:
        problems.append("\(path): the keyword \(keyword) is not checked")
      }
    }
    return problems
  }

  private func checkMembers(_ value: Document, _ properties: [String: Document], _ path: String) -> [String] {
    value.members.flatMap { name, child in
      properties[name].map { check(child, $0.members, "\(path).\(name)") } ?? ["\(path): has \(name)"]
    }
  }
}
