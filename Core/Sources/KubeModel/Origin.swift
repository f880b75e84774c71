/// Where an object, or a part of one, was read: a place a person can open.
public struct Origin: Hashable, Sendable {
  /// Index into `Cluster.files`.
  public var file: UInt32
  /// The document's number within its file, from 1.
  public var document: UInt32
  /// The line within the file, from 1; 0 when it is not known.
  public var line: UInt32

  public init(file: UInt32, document: UInt32, line: UInt32) {
    self.file = file
    self.document = document
    self.line = line
  }

  /// The same document at another line.
  public func at(line: UInt32) -> Origin { Origin(file: file, document: document, line: line) }
}

/// The name of a namespaced object.
public struct ObjectName: Hashable, Sendable, Comparable, CustomStringConvertible {
  public var namespace: String
  public var name: String

  public init(_ namespace: String, _ name: String) {
    self.namespace = namespace
    self.name = name
  }

  public var description: String { "\(namespace)/\(name)" }

  public static func < (a: ObjectName, b: ObjectName) -> Bool {
    (a.namespace, a.name) < (b.namespace, b.name)
  }
}
