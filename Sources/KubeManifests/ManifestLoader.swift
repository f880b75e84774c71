import Foundation
public import KubeModel
import NetTypes
import Yams

/// What was read from manifests.
public struct Manifests: Sendable {
  public internal(set) var cluster = Cluster()
  /// Objects that were taken into the model.
  public internal(set) var objects = 0
  /// Objects of kinds that are not modelled, by `apiVersion/kind`; documents that are no Kubernetes objects count
  /// under the empty name.
  public internal(set) var skipped: [String: Int] = [:]
  /// Objects that a later one of the same kind and name replaced: which, where it was, and what replaced it.
  public internal(set) var replaced: [(object: String, was: Origin, by: Origin)] = []
}

/// Reads manifests into a cluster model: YAML or JSON, several documents in a file, `List` kinds, folders.
///
/// Objects are completed as the API server would complete them. What is not valid is an error that names file,
/// document, line and field; kinds that do not matter to the network are counted and left out.
public struct ManifestLoader {
  private var result = Manifests()
  private var interned = Interner()
  /// How many objects had each `generateName` and no name.
  private var generated: [String: Int] = [:]

  private init() {}

  /// Reads files and folders (recursively; files ending in `.yaml`, `.yml` or `.json`, in the order of their names;
  /// hidden ones left out). `-` stands for standard input.
  ///
  /// - Parameter progress: called before each file with its number, from 1, and the count of all.
  public static func load(
    _ paths: [String], progress: (_ file: Int, _ count: Int) -> Void = { _, _ in }
  ) throws(ManifestError) -> Manifests {
    var loader = ManifestLoader()
    var files: [String] = []
    for path in paths { files += try Self.files(under: path) }
    for (index, file) in files.enumerated() {
      progress(index + 1, files.count)
      try loader.read(text: try Self.contents(of: file), name: file == "-" ? "standard input" : file)
    }
    return loader.finish()
  }

  /// Reads one text as if it were a file called `name`.
  public static func load(text: String, name: String) throws(ManifestError) -> Manifests {
    try load(text: text, name: name, pieceSize: 4 << 20)
  }

  static func load(text: String, name: String, pieceSize: Int) throws(ManifestError) -> Manifests {
    var loader = ManifestLoader()
    try loader.read(text: text, name: name, pieceSize: pieceSize)
    return loader.finish()
  }

  private consuming func finish() -> Manifests {
    var result = result
    result.cluster.addTemplatePods()
    return result
  }

  /// - Parameter folders: the real paths of the folders above, so that a link to one of them ends the walk.
  private static func files(under path: String, in folders: Set<String> = []) throws(ManifestError) -> [String] {
    if path == "-" { return [path] }
    let manager = FileManager.default
    guard manager.fileExists(atPath: path) else {
      throw ManifestError(file: path, problem: "no such file or folder")
    }
    guard isFolder(path) else { return [path] }
    let real = URL(filePath: path).resolvingSymlinksInPath().path
    if folders.contains(real) { return [] }
    let names: [String]
    do {
      names = try manager.contentsOfDirectory(atPath: path).sorted()
    } catch {
      throw ManifestError(file: path, problem: "cannot be listed: \(error.localizedDescription)")
    }
    var files: [String] = []
    for name in names where !name.hasPrefix(".") {
      let child = path.hasSuffix("/") ? path + name : "\(path)/\(name)"
      if isFolder(child) {
        files += try Self.files(under: child, in: folders.union([real]))
      } else if [".yaml", ".yml", ".json"].contains(where: { name.lowercased().hasSuffix($0) }) {
        files.append(child)
      }
    }
    return files
  }

  /// Whether a path leads to a folder; links are followed.
  private static func isFolder(_ path: String) -> Bool {
    let values = try? URL(filePath: path).resolvingSymlinksInPath().resourceValues(forKeys: [.isDirectoryKey])
    return values?.isDirectory ?? false
  }

  private static func contents(of file: String) throws(ManifestError) -> String {
    let data: Data
    do {
      data =
        file == "-" ? try FileHandle.standardInput.readToEnd() ?? Data() : try Data(contentsOf: URL(filePath: file))
    } catch {
      throw ManifestError(file: file, problem: "cannot be read: \(error.localizedDescription)")
    }
    guard var text = String(validating: data, as: UTF8.self) else {
      // The part before the first wrong byte decodes to itself.
      let good = zip(String(decoding: data, as: UTF8.self).utf8, data).prefix { $0 == $1 }
      let line = 1 + good.count { $0.0 == UInt8(ascii: "\n") }
      throw ManifestError(
        file: file == "-" ? "standard input" : file, line: line, problem: "is not UTF-8 text")
    }
    if text.unicodeScalars.first == "\u{feff}" { text.unicodeScalars.removeFirst() }
    text.makeContiguousUTF8()
    return text
  }

  /// - Parameter pieceSize: bytes from which on a list is read in pieces.
  mutating func read(text: String, name: String, pieceSize: Int = 4 << 20) throws(ManifestError) {
    let file = UInt32(result.cluster.files.count)
    result.cluster.files.append(name)
    if let splitter = ListSplitter(text, pieceSize: pieceSize) {
      let before = result
      // What cannot be read in pieces, e.g. since an alias names an anchor in another, is read as a whole.
      if try read(splitter, file: name, number: file) { return }
      result = before
    }
    var document = 0
    do {
      // The basic resolver leaves scalars alone; NodeReading.swift decides what they are.
      let parser = try Parser(yaml: JSONText.forYAML(text), resolver: .basic, encoding: .utf8)
      while let root = try parser.nextRoot() {
        document += 1
        let origin = Origin(file: file, document: UInt32(document), line: root.line)
        try read(document: root, file: name, origin: origin)
      }
    } catch let error as ManifestError {
      throw error
    } catch {
      throw Self.describe(error, file: name, document: document + 1)
    }
  }

  /// Reads a list in pieces. False when a piece is no YAML by itself, or the whole is no list.
  private mutating func read(_ splitter: ListSplitter, file: String, number: UInt32) throws(ManifestError) -> Bool {
    func parse(_ text: String) -> YAMLNode? {
      try? Parser(yaml: text, resolver: .basic, encoding: .utf8).singleRoot()
    }
    guard let header = parse(splitter.header), let kind = try? header.text("kind"), kind.hasSuffix("List") else {
      return false
    }
    let version = (try? header.text("apiVersion")) ?? ""
    for piece in splitter.pieces {
      guard let root = parse(piece.document), let items = try? root.list("items") else { return false }
      for (index, item) in items.enumerated() {
        let origin = Origin(file: number, document: 1, line: item.line)
        try read(
          document: item, file: file, origin: origin, at: "items[\(piece.itemsBefore + index)]",
          inList: (version, kind))
      }
    }
    return true
  }

  private static func describe(_ error: any Error, file: String, document: Int) -> ManifestError {
    var line: Int?
    var problem = "\(error)"
    switch error as? YamlError {
    case .scanner(_, let text, let mark, _), .parser(_, let text, let mark, _), .composer(_, let text, let mark, _):
      line = mark.line
      problem = text
    case .reader(let text, let offset, _, let yaml):
      line = offset.map { 1 + yaml.utf8.prefix($0).count { $0 == UInt8(ascii: "\n") } }
      problem = text
    case .duplicatedKeysInMapping(let keys, let context):
      line = context.mark.line
      problem = "a field is given twice: \(keys.map { "\($0)" }.sorted().joined(separator: ", "))"
    default: break
    }
    return ManifestError(file: file, document: document, line: line, problem: "is not valid YAML: \(problem)")
  }

  /// - Parameter path: where `root` is in its document.
  private mutating func read(
    document root: YAMLNode, file: String, origin: Origin, at path: String = "",
    inList list: (version: String, kind: String)? = nil
  ) throws(ManifestError) {
    var header = Header()
    do throws(FieldError) {
      if root.isNull { return }
      guard case .mapping = root else { throw root.fail("expected an object") }
      try read(object: root, origin: origin, inList: list, &header)
    } catch {
      let steps = [path, root.path(line: error.line, column: error.column) ?? "", error.child ?? ""]
      throw ManifestError(
        file: file, document: Int(origin.document), line: error.line == 0 ? nil : error.childLine ?? error.line,
        object: header.title, field: steps.filter { !$0.isEmpty }.joined(separator: "."), problem: error.problem)
    }
  }

  /// What is known of an object before it is read, for messages.
  private struct Header {
    var kind = ""
    var namespace = ""
    var name = ""

    var title: String? {
      if kind.isEmpty { return nil }
      return namespace.isEmpty ? "\(kind) \(name)" : "\(kind) \(namespace)/\(name)"
    }
  }

  /// - Parameter list: the version and kind of the list that holds the object. In a list of one kind, as the API itself
  ///   gives it (`PodList`), the objects do not repeat them.
  private mutating func read(
    object root: YAMLNode, origin: Origin, inList list: (version: String, kind: String)?, _ header: inout Header
  ) throws(FieldError) {
    var version = try root.text("apiVersion") ?? ""
    var kind = try root.text("kind") ?? ""
    if kind.isEmpty, version.isEmpty, let list, list.kind != "List" {
      version = list.version
      kind = String(list.kind.dropLast("List".count))
    }
    if kind.isEmpty {
      if !version.isEmpty { throw root.fail("is required", child: "kind") }
      result.skipped["", default: 0] += 1
      return
    }
    header.kind = kind
    if kind.hasSuffix("List"), let items = try root.get("items") {
      for item in try items.items() {
        header = Header()
        try read(object: item, origin: origin.at(line: item.line), inList: (version, kind), &header)
      }
      return
    }
    guard let form = ObjectForm(kind: kind, version: version) else {
      result.skipped[version.isEmpty ? kind : "\(version)/\(kind)", default: 0] += 1
      return
    }
    let metadata = try root.require("metadata")
    header.namespace = try metadata.text("namespace") ?? ""
    if let name = try metadata.text("name") {
      header.name = name
    } else if let prefix = try metadata.text("generateName"), !prefix.isEmpty {
      header.name = generatedName(kind, header.namespace, prefix)
    }
    if header.name.isEmpty { throw metadata.fail("is required", child: "name") }
    let reader = ObjectReader(
      root: root, kind: kind, name: header.name, namespace: interned.text(header.namespace), origin: origin)
    try store(reader, form, title: header.title ?? kind)
    result.objects += 1
  }

  /// The API server appends something random; here the second object of a prefix gets `#2`, and so on.
  private mutating func generatedName(_ kind: String, _ namespace: String, _ prefix: String) -> String {
    let count = generated["\(kind) \(namespace)/\(prefix)", default: 0] + 1
    generated["\(kind) \(namespace)/\(prefix)"] = count
    return count == 1 ? prefix : "\(prefix)#\(count)"
  }

  private mutating func store(_ reader: ObjectReader, _ form: ObjectForm, title: String) throws(FieldError) {
    let was: Origin?
    switch form {
    case .namespace: was = result.cluster.upsert(try reader.readNamespace())?.origin
    case .node: was = result.cluster.upsert(try reader.node())?.origin
    case .pod: was = result.cluster.upsert(try reader.pod(sharing: &interned))?.origin
    case .workload(let kind): was = result.cluster.upsert(try reader.workload(kind))?.origin
    case .service: was = result.cluster.upsert(try reader.service())?.origin
    case .endpointSlice:
      let slice = try reader.endpointSlice()
      was = slice.flatMap { result.cluster.upsert($0) }?.origin
    case .endpoints:
      was = result.cluster.upsertEndpoints(try reader.namespacedName(), try reader.endpoints())?.origin
    case .networkPolicy: was = result.cluster.upsert(try reader.networkPolicy())?.origin
    case .adminNetworkPolicy: was = result.cluster.upsert(try reader.adminNetworkPolicy())?.origin
    case .baselineAdminNetworkPolicy: was = result.cluster.upsert(try reader.baselineAdminNetworkPolicy())?.origin
    case .clusterNetworkPolicy: was = result.cluster.upsert(try reader.clusterNetworkPolicy())?.origin
    case .ingress: was = result.cluster.upsert(try reader.ingress())?.origin
    case .gatewayRoute: was = result.cluster.upsert(try reader.gatewayRoute())?.origin
    case .referenceGrant:
      was = result.cluster.upsert(try reader.referenceGrant())?.origin
    case .unmodelledPolicy:
      let policy = UnmodelledPolicy(
        kind: reader.kind, namespace: reader.namespace, name: reader.name, origin: reader.origin)
      was = result.cluster.upsert(policy)?.origin
    }
    if let was { result.replaced.append((title, was, reader.origin)) }
  }
}

/// How an object is read, by its kind and API group.
private enum ObjectForm {
  case namespace, node, pod, service, endpointSlice, endpoints, networkPolicy, adminNetworkPolicy
  case baselineAdminNetworkPolicy, clusterNetworkPolicy, ingress, gatewayRoute, referenceGrant
  /// A policy of a kind or version that is not modelled, but would change answers.
  case unmodelledPolicy
  case workload(WorkloadKind)

  init?(kind: String, version: String) {
    let group = version.contains("/") ? String(version.prefix { $0 != "/" }) : ""
    switch (group, kind) {
    case ("", "Namespace"): self = .namespace
    case ("", "Node"): self = .node
    case ("", "Pod"): self = .pod
    case ("", "Service"): self = .service
    case ("", "Endpoints"): self = .endpoints
    case ("discovery.k8s.io", "EndpointSlice"): self = .endpointSlice
    case ("networking.k8s.io", "NetworkPolicy") where version.hasSuffix("/v1"): self = .networkPolicy
    case ("networking.k8s.io", "Ingress") where version.hasSuffix("/v1"): self = .ingress
    case ("policy.networking.k8s.io", "AdminNetworkPolicy") where version.hasSuffix("/v1alpha1"):
      self = .adminNetworkPolicy
    case ("policy.networking.k8s.io", "BaselineAdminNetworkPolicy") where version.hasSuffix("/v1alpha1"):
      self = .baselineAdminNetworkPolicy
    case ("policy.networking.k8s.io", "ClusterNetworkPolicy") where version.hasSuffix("/v1alpha2"):
      self = .clusterNetworkPolicy
    case ("gateway.networking.k8s.io", "HTTPRoute"), ("gateway.networking.k8s.io", "GRPCRoute"),
      ("gateway.networking.k8s.io", "TCPRoute"), ("gateway.networking.k8s.io", "TLSRoute"),
      ("gateway.networking.k8s.io", "UDPRoute"):
      self = .gatewayRoute
    case ("gateway.networking.k8s.io", "ReferenceGrant"): self = .referenceGrant
    case ("apps", _), ("batch", _), ("", "ReplicationController"):
      guard let workload = WorkloadKind(rawValue: kind) else { return nil }
      self = .workload(workload)
    default:
      guard kind.hasSuffix("NetworkPolicy") || kind.hasSuffix("ClusterwideNetworkPolicy") else { return nil }
      self = .unmodelledPolicy
    }
  }
}

/// Lets equal values share their storage: the pods of a workload differ in little.
struct Interner {
  private var texts: Set<String> = []
  private var labels: Set<Labels> = []
  private var ports: Set<[ContainerPort]> = []
  private var images: Set<[String]> = []

  mutating func text(_ value: String) -> String { texts.insert(value).memberAfterInsert }

  mutating func template(_ value: PodTemplate) -> PodTemplate {
    var value = value
    value.labels = labels.insert(value.labels).memberAfterInsert
    value.ports = ports.insert(value.ports).memberAfterInsert
    value.images = images.insert(value.images).memberAfterInsert
    value.nodeName = value.nodeName.map { text($0) }
    return value
  }
}
