#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif
public import NetModel

/// Why a text is no snapshot.
public struct SnapshotFileError: Error, Hashable, Sendable, CustomStringConvertible {
  public let file: String
  /// Where in the document, e.g. `namespaces[2].links[0].mac`; empty for the whole.
  public let path: String
  public let message: String

  public var description: String { "\(file): \(path.isEmpty ? "" : "\(path): ")\(message)" }
}

/// Snapshots as JSON documents (docs/reference/snapshot.schema.json).
public enum SnapshotFile {
  /// One document with its keys sorted, so that equal snapshots are equal texts; `pretty` puts every value on a line.
  public static func encode(_ snapshot: NodeSnapshot, pretty: Bool = false) -> [UInt8] {
    encode(any: snapshot, pretty: pretty)
  }

  /// The document of any value of ours.
  public static func encode(any value: some Encodable, pretty: Bool) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if pretty { encoder.outputFormatting.insert(.prettyPrinted) }
    // Our models hold no floating-point numbers, the only values that JSON cannot write.
    guard let data = try? encoder.encode(value) else { preconditionFailure("a value that JSON cannot write") }
    return Array(data) + [0x0a]
  }

  private struct Header: Decodable { var version: Int }

  /// `file` names the document in errors.
  public static func decode(_ bytes: [UInt8], file: String) throws(SnapshotFileError) -> NodeSnapshot {
    let data = Data(bytes)
    let header: Header = try decode(data, file)
    guard header.version >= 1, header.version <= NodeSnapshot.currentVersion else {
      throw SnapshotFileError(
        file: file, path: "version",
        message: "this is version \(header.version); versions 1 to \(NodeSnapshot.currentVersion) can be read")
    }
    return try decode(data, file)
  }

  private static func decode<Value: Decodable>(
    _ data: Data, _ file: String
  ) throws(SnapshotFileError) -> Value {
    do {
      return try JSONDecoder().decode(Value.self, from: data)
    } catch let error as DecodingError {
      throw SnapshotFileError(file: file, error)
    } catch {
      throw SnapshotFileError(file: file, path: "", message: "\(error)")
    }
  }
}

extension SnapshotFileError {
  init(file: String, _ error: DecodingError) {
    switch error {
    case .keyNotFound(let key, let context):
      self.init(file: file, path: Self.path(context.codingPath), message: "\(key.stringValue) is missing")
    case .valueNotFound(_, let context):
      self.init(file: file, path: Self.path(context.codingPath), message: "a value is missing")
    case .typeMismatch(_, let context):
      self.init(file: file, path: Self.path(context.codingPath), message: context.debugDescription)
    case .dataCorrupted(let context):
      let message = context.codingPath.isEmpty ? "this is no JSON document" : context.debugDescription
      let detail = context.underlyingError.map { ": \($0)" } ?? ""
      self.init(file: file, path: Self.path(context.codingPath), message: message + detail)
    @unknown default:
      self.init(file: file, path: "", message: "\(error)")
    }
  }

  private static func path(_ keys: [any CodingKey]) -> String {
    var text = ""
    for key in keys {
      if let index = key.intValue {
        text += "[\(index)]"
      } else {
        text += (text.isEmpty ? "" : ".") + key.stringValue
      }
    }
    return text
  }
}
