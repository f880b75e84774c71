import KubeModel
import NetTypes

/// A JSON document (RFC 8259) in the making. Members keep the order they were given in.
public indirect enum JSONValue: Sendable {
  case null
  case bool(Bool)
  case number(Int)
  case string(String)
  case array([JSONValue])
  case object([(String, JSONValue)])

  /// The document on one line, without a newline at its end.
  public func append(to out: inout [UInt8]) {
    switch self {
    case .null: out.append(contentsOf: "null".utf8)
    case .bool(let value): out.append(contentsOf: (value ? "true" : "false").utf8)
    case .number(let value): out.append(contentsOf: String(value).utf8)
    case .string(let value): out.appendJSONString(value)
    case .array(let values):
      out.append(UInt8(ascii: "["))
      for (index, value) in values.enumerated() {
        if index > 0 { out.append(UInt8(ascii: ",")) }
        value.append(to: &out)
      }
      out.append(UInt8(ascii: "]"))
    case .object(let members):
      out.append(UInt8(ascii: "{"))
      for (index, member) in members.enumerated() {
        if index > 0 { out.append(UInt8(ascii: ",")) }
        out.appendJSONString(member.0)
        out.append(UInt8(ascii: ":"))
        member.1.append(to: &out)
      }
      out.append(UInt8(ascii: "}"))
    }
  }

  static func optional(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }
}

extension Finding {
  public var json: JSONValue {
    .object([
      ("code", .string(code.rawValue)), ("severity", .string(severity.rawValue)), ("title", .string(title)),
      ("detail", .string(detail)), ("evidence", .array(evidence.map(\.json))), ("remedy", .string(remedy)),
    ])
  }
}

extension Evidence {
  var json: JSONValue {
    var members: [(String, JSONValue)] = [("text", .string(text))]
    if let file { members.append(("file", .string(file))) }
    if let line { members.append(("line", .number(line))) }
    return .object(members)
  }
}

extension Step {
  var json: JSONValue {
    var members: [(String, JSONValue)] = [("mark", .string(mark.rawValue)), ("text", .string(text))]
    if let place { members.append(("place", .string(place))) }
    if !children.isEmpty { members.append(("children", .array(children.map(\.json)))) }
    return .object(members)
  }
}

extension Diagnosis {
  /// The document of docs/reference/diagnosis.schema.json.
  public var json: JSONValue {
    .object([
      ("version", .number(1)),
      (
        "question",
        .object([
          ("src", .string(question.source.description)), ("dst", .string(question.destination.description)),
          ("port", question.port.map { .number(Int($0)) } ?? .null),
          ("protocol", .optional(question.proto?.description.lowercased())),
        ])
      ), ("verdict", .string(verdict.rawValue)), ("checked", .array(checked.map { .string($0) })),
      ("assumptions", .array(assumptions.map { .string($0) })), ("findings", .array(findings.map(\.json))),
      ("steps", .array(steps.map(\.json))),
    ])
  }

  /// One line of a batch: the document of docs/reference/answer.schema.json.
  public func answer(id: JSONValue) -> JSONValue {
    .object([
      ("id", id), ("verdict", .string(verdict.rawValue)), ("findings", .array(findings.map(\.json))),
    ])
  }
}
