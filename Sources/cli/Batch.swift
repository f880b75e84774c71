import Foundation
import KubeModel
import NetDiagnosis

/// Questions from a file: one JSON object a line, `{"id", "src", "dst", "port", "protocol"}`, the last two optional.
enum Batch {
  private struct Line: Decodable {
    let id: Identifier
    let src: String
    let dst: String
    let port: Int?
    let `protocol`: String?
  }

  /// Given back as it came: a string or a whole number.
  private enum Identifier: Decodable {
    case text(String)
    case number(Int)

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let number = try? container.decode(Int.self) {
        self = .number(number)
      } else {
        self = .text(try container.decode(String.self))
      }
    }

    var json: JSONValue {
      switch self {
      case .text(let text): .string(text)
      case .number(let number): .number(number)
      }
    }
  }

  static func read(_ file: String) throws -> [(id: JSONValue, question: Question)] {
    try Terminal.checkExists(file)
    let data: Data
    do {
      data =
        file == "-" ? try FileHandle.standardInput.readToEnd() ?? Data() : try Data(contentsOf: URL(filePath: file))
    } catch {
      throw Failure(status: .badInput, message: "\(file): cannot be read: \(error.localizedDescription)")
    }
    let decoder = JSONDecoder()
    var result: [(id: JSONValue, question: Question)] = []
    for (index, bytes) in data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
      if bytes.allSatisfy({ $0 == 0x20 || $0 == 0x0d || $0 == 0x09 }) { continue }
      do {
        let line = try decoder.decode(Line.self, from: bytes)
        result.append((line.id.json, try question(line)))
      } catch {
        throw Failure(status: .badInput, message: "\(file):\(index + 1): \(describe(error))")
      }
    }
    return result
  }

  private struct Problem: Error {
    let text: String
  }

  private static func question(_ line: Line) throws -> Question {
    func end(_ field: String, _ text: String) throws -> EndReference {
      guard let end = EndReference(text) else {
        throw Problem(text: "\(field): \"\(text)\" names no pod, Service, node or address")
      }
      return end
    }
    let proto = try line.protocol.map { name in
      guard let proto = TrafficProtocol(name: name) else {
        throw Problem(text: "protocol: must be tcp, udp, sctp or icmp, found \"\(name)\"")
      }
      return proto
    }
    // ICMP has no ports.
    let port =
      try proto == .icmp
      ? nil
      : line.port.map { number in
        guard let port = UInt16(exactly: number), port > 0 else {
          throw Problem(text: "port: must be between 1 and 65535, found \(number)")
        }
        return port
      }
    let source = try end("src", line.src)
    if !source.canBeSource { throw Problem(text: "src: \(source) can only be a destination") }
    return Question(
      source: source, destination: try end("dst", line.dst), port: port, proto: proto)
  }

  private static func describe(_ error: any Error) -> String {
    switch error {
    case let problem as Problem: problem.text
    case DecodingError.keyNotFound(let key, _): "\(key.stringValue): is required"
    case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
      "\(context.codingPath.map(\.stringValue).joined(separator: ".")): \(context.debugDescription)"
    default: "is not a JSON object of the form {\"id\", \"src\", \"dst\", \"port\", \"protocol\"}"
    }
  }
}
