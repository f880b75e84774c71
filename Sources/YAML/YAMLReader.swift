import CLibyaml

/// Reads YAML by libyaml.
public enum YAMLReader {
  /// The root of the only document; nil when there is none.
  public static func read(_ text: String) throws(YAMLError) -> YAMLNode? {
    let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
    defer { unsafe parser.deallocate() }
    guard unsafe yaml_parser_initialize(parser) == 1 else { throw YAMLError(line: 0, problem: "out of memory") }
    defer { unsafe yaml_parser_delete(parser) }
    // The newline keeps the buffer from being empty, which libyaml does not take.
    let bytes = Array(text.utf8) + [0x0a]
    // The parser reads from the buffer until it is deleted.
    let result = unsafe bytes.withUnsafeBufferPointer { bytes -> Result<YAMLNode?, YAMLError> in
      unsafe yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
      return Result { () throws(YAMLError) in
        guard let root = unsafe try document(parser) else { return nil }
        if let second = unsafe try document(parser) {
          throw YAMLError(line: second.line, problem: "there is more than one document")
        }
        return root
      }
    }
    return try result.get()
  }

  /// The next document's root; nil at the end.
  private static func document(_ parser: UnsafeMutablePointer<yaml_parser_t>) throws(YAMLError) -> YAMLNode? {
    var document = unsafe yaml_document_t()
    guard unsafe yaml_parser_load(parser, &document) == 1 else {
      let problem = unsafe parser.pointee.problem.map { unsafe String(cString: $0) } ?? "unreadable"
      // What is no UTF-8 has no line yet.
      let isReaders = unsafe parser.pointee.error == YAML_READER_ERROR
      throw YAMLError(line: isReaders ? 0 : Int(unsafe parser.pointee.problem_mark.line) + 1, problem: problem)
    }
    defer { unsafe yaml_document_delete(&document) }
    guard unsafe yaml_document_get_root_node(&document) != nil else { return nil }
    let count = unsafe document.nodes.top - document.nodes.start
    let nodes = (0..<count).map { index in
      let node = unsafe document.nodes.start + index
      return (content: unsafe content(node), line: Int(unsafe node.pointee.start_mark.line) + 1)
    }
    // libyaml numbers nodes from 1, and the root is the first.
    return YAMLNode(nodes: nodes, index: 0)
  }

  private static func content(_ node: UnsafeMutablePointer<yaml_node_t>) -> YAMLNode.Content {
    switch unsafe node.pointee.type {
    case YAML_SEQUENCE_NODE:
      let items = unsafe node.pointee.data.sequence.items
      return .sequence(
        unsafe UnsafeBufferPointer(start: items.start, count: items.top - items.start).map { Int($0) - 1 })
    case YAML_MAPPING_NODE:
      let pairs = unsafe node.pointee.data.mapping.pairs
      return .mapping(
        unsafe UnsafeBufferPointer(start: pairs.start, count: pairs.top - pairs.start).map {
          (key: Int($0.key) - 1, value: Int($0.value) - 1)
        })
    default:
      let scalar = unsafe node.pointee.data.scalar
      let text = unsafe String(
        decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
      return .scalar(text, isPlain: unsafe scalar.style == YAML_PLAIN_SCALAR_STYLE)
    }
  }
}
