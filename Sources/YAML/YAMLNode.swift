/// A place in a YAML document. Nodes refer to each other by number, so an alias costs nothing and may even lead in a circle:
/// whoever walks a document has to know how deep it may be.
public struct YAMLNode: Sendable {
  enum Content: Sendable {
    case scalar(String, isPlain: Bool)
    case sequence([Int])
    case mapping([(key: Int, value: Int)])
  }

  let nodes: [(content: Content, line: Int)]
  let index: Int

  /// From 1.
  public var line: Int { nodes[index].line }

  /// A scalar's text, whatever it looks like; nil for lists and mappings.
  public var text: String? {
    if case .scalar(let text, _) = nodes[index].content { text } else { nil }
  }

  /// Whether it is a scalar without quotes, which may stand for a number or a truth value.
  public var isPlain: Bool {
    if case .scalar(_, let isPlain) = nodes[index].content { isPlain } else { false }
  }

  /// Nothing, as the core schema of YAML 1.2.2 (§10.3.2) writes it.
  public var isNull: Bool { isPlain && ["", "~", "null", "Null", "NULL"].contains(text) }

  /// A list's elements; nil for anything else.
  public var items: [YAMLNode]? {
    guard case .sequence(let indices) = nodes[index].content else { return nil }
    return indices.map { YAMLNode(nodes: nodes, index: $0) }
  }

  /// A mapping's pairs as they are written; nil for anything else. A key may stand there twice.
  public var pairs: [(key: YAMLNode, value: YAMLNode)]? {
    guard case .mapping(let indices) = nodes[index].content else { return nil }
    return indices.map { (YAMLNode(nodes: nodes, index: $0.key), YAMLNode(nodes: nodes, index: $0.value)) }
  }
}

/// Why a text is no YAML.
public struct YAMLError: Error, Hashable, Sendable {
  /// From 1; 0 when it is not known.
  public let line: Int
  public let problem: String
}
