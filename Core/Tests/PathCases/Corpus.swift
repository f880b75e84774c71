public import Foundation
import NetModel
import NetTypes

/// Many recorded worlds in one file. Worlds are alike in most of what they hold, so every value that comes again is
/// written once: `{"shared": […], "cases": […]}`, where `{"$": 7}` stands for the shared value number 7.
public enum Corpus {
  private static let reference = "$"

  // MARK: reading

  public static func decode(_ data: Data) throws -> [PathCase] {
    guard let root = try JSONSerialization.jsonObject(with: data) as? [String: Any],
      let shared = root["shared"] as? [Any], let cases = root["cases"] as? [Any]
    else { throw CorpusError(description: "no corpus of recorded worlds") }
    var expanded: [Any] = []
    // A shared value refers only to those before it.
    for value in shared { expanded.append(try expand(value, expanded)) }
    let decoder = JSONDecoder()
    return try cases.map {
      try decoder.decode(PathCase.self, from: JSONSerialization.data(withJSONObject: expand($0, expanded)))
    }
  }

  private static func expand(_ value: Any, _ shared: [Any]) throws -> Any {
    if let object = value as? [String: Any] {
      if object.count == 1, let number = object[reference] as? Int {
        guard shared.indices.contains(number) else { throw CorpusError(description: "no shared value \(number)") }
        return shared[number]
      }
      return try object.mapValues { try expand($0, shared) }
    }
    if let array = value as? [Any] { return try array.map { try expand($0, shared) } }
    return value
  }

  // MARK: writing

  public static func encode(_ cases: [PathCase]) throws -> Data {
    let encoder = JSONEncoder()
    let values = try cases.map { try JSONSerialization.jsonObject(with: encoder.encode($0.essence)) }
    var writer = Writer()
    for value in values { _ = try writer.count(value) }
    let compact = try values.map { try writer.compact($0).value }
    return try JSONSerialization.data(
      withJSONObject: ["shared": writer.shared, "cases": compact], options: .sortedKeys)
  }

  private struct Writer {
    private var counts: [String: Int] = [:]
    private var numbers: [String: Int] = [:]
    private(set) var shared: [Any] = []

    /// A reference costs about ten bytes.
    private static let least = 24

    /// Counts every object and array by its text, which is returned.
    mutating func count(_ value: Any) throws -> String {
      let text: String
      if let object = value as? [String: Any] {
        text = Self.text(try object.sorted { $0.key < $1.key }.map { ($0.key, try count($0.value)) })
      } else if let array = value as? [Any] {
        text = Self.text(try array.map { try count($0) })
      } else {
        return try Self.text(ofScalar: value)
      }
      counts[text, default: 0] += 1
      return text
    }

    mutating func compact(_ value: Any) throws -> (value: Any, text: String) {
      let result: Any
      let text: String
      if let object = value as? [String: Any] {
        let parts = try object.sorted { $0.key < $1.key }.map { ($0.key, try compact($0.value)) }
        result = Dictionary(uniqueKeysWithValues: parts.map { ($0, $1.value) })
        text = Self.text(parts.map { ($0, $1.text) })
      } else if let array = value as? [Any] {
        let parts = try array.map { try compact($0) }
        result = parts.map(\.value)
        text = Self.text(parts.map(\.text))
      } else {
        return (value, try Self.text(ofScalar: value))
      }
      if let number = numbers[text] { return ([reference: number], text) }
      guard counts[text]! > 1, text.utf8.count >= Self.least else { return (result, text) }
      numbers[text] = shared.count
      shared.append(result)
      return ([reference: shared.count - 1], text)
    }

    private static func text(_ members: [(String, String)]) -> String {
      "{" + members.map { "\($0):\($1)" }.joined(separator: ",") + "}"
    }

    private static func text(_ elements: [String]) -> String { "[" + elements.joined(separator: ",") + "]" }

    private static func text(ofScalar value: Any) throws -> String {
      if let text = value as? String { return "\"\(text)\"" }
      return String(
        decoding: try JSONSerialization.data(withJSONObject: value, options: .fragmentsAllowed), as: UTF8.self)
    }
  }
}

public struct CorpusError: Error, CustomStringConvertible {
  public let description: String
}

extension PathCase {
  /// Without what no judgement looks at: commands that the snapshot shows the result of, and times.
  fileprivate var essence: PathCase {
    var result = self
    result.plan.commands.removeAll { !$0.isChange }
    result.snapshot.started = 0
    result.snapshot.finished = 0
    result.snapshot.bootID = ""
    result.snapshot.kernel = String(snapshot.kernel.prefix { $0 != "-" })
    result.snapshot.parts.removeAll { $0.gap == nil }
    for index in result.snapshot.namespaces.indices {
      result.snapshot.namespaces[index].inode = 0
      result.snapshot.namespaces[index].processes = []
      result.snapshot.namespaces[index].parts.removeAll { $0.gap == nil }
    }
    // Cookies and sockets' numbers grow from world to world; small ones make worlds alike.
    let numbers = Dictionary(uniqueKeysWithValues: cookies.enumerated().map { ($1, UInt64($0 + 1)) })
    return result.renumbered(numbers)
  }
}

extension PathCase {
  fileprivate func renumbered(_ numbers: [NetnsCookie: UInt64]) -> PathCase {
    func new(_ cookie: NetnsCookie) -> NetnsCookie { numbers[cookie].map { NetnsCookie(rawValue: $0) } ?? cookie }
    var result = self
    result.cookies = cookies.map(new)
    for netns in result.snapshot.namespaces.indices {
      result.snapshot.namespaces[netns].id = new(result.snapshot.namespaces[netns].id)
      for link in result.snapshot.namespaces[netns].links.indices {
        if let other = result.snapshot.namespaces[netns].links[link].linkNetns {
          result.snapshot.namespaces[netns].links[link].linkNetns = new(other)
        }
      }
      for socket in result.snapshot.namespaces[netns].sockets.indices {
        result.snapshot.namespaces[netns].sockets[socket].inode = 0
        result.snapshot.namespaces[netns].sockets[socket].cookie = nil
      }
    }
    for observation in result.observations.indices {
      for event in result.observations[observation].events.indices {
        let old = result.observations[observation].events[event].event
        // Whose packet it is was settled by its role.
        let nobody = IPAddress(v4: 0)
        result.observations[observation].events[event].event = PacketEvent(
          kind: old.kind, time: 0, netns: new(old.netns), device: old.device, ipProtocol: old.ipProtocol,
          source: nobody, destination: nobody, icmpType: old.icmpType, hopsLeft: old.hopsLeft,
          fragment: old.fragment == 0 ? nil : old.fragment, reason: old.reason, location: old.location,
          isNormal: old.isNormal)
      }
    }
    return result
  }
}
