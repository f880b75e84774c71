/// Why manifests could not be read, and where a person should look.
public struct ManifestError: Error, Hashable, CustomStringConvertible {
  public var file: String
  /// From 1; nil when the file as a whole is meant.
  public var document: Int?
  /// From 1, counted from the file's start.
  public var line: Int?
  /// `KIND NAMESPACE/NAME`, as far as it was known.
  public var object: String?
  /// The field's path, e.g. `spec.ingress[0].ports[1].endPort`.
  public var field: String?
  public var problem: String

  public init(
    file: String, document: Int? = nil, line: Int? = nil, object: String? = nil, field: String? = nil,
    problem: String
  ) {
    self.file = file
    self.document = document
    self.line = line
    self.object = object
    self.field = field
    self.problem = problem
  }

  /// `FILE:LINE: document N: KIND NAMESPACE/NAME: FIELD: PROBLEM`, each part as far as it is known.
  public var description: String {
    var parts = [line.map { "\(file):\($0)" } ?? file]
    if let document { parts.append("document \(document)") }
    if let object { parts.append(object) }
    if let field, !field.isEmpty { parts.append(field) }
    return (parts + [problem]).joined(separator: ": ")
  }
}

/// A problem at one place of a document. The path of the place is found afterwards, so that reading costs nothing
/// for it.
struct FieldError: Error {
  /// The node that is wrong, or that has a wrong child.
  let line: Int
  let column: Int
  /// Set when the problem is with a field of the mapping at that place.
  let child: String?
  /// The child's line, when the child is there.
  let childLine: Int?
  let problem: String
}
