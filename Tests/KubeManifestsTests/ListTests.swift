import Foundation
import KubeModel
import NetTypes
import Testing

@testable import KubeManifests

struct ListTests {
  private static func dump(_ count: Int, _ change: (Int) -> String = { _ in "{hostNetwork: false}" }) -> String {
    var text = "# a dump\napiVersion: v1\nitems:\n"
    for index in 0..<count {
      text += "- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: p\(index)\n    annotations: {a: \"x\"}\n"
      text += "  # a comment\n\n  spec: \(change(index))\n"
    }
    return text + "kind: List\nmetadata:\n  resourceVersion: \"\"\n"
  }

  @Test("a list read in pieces is the list", arguments: [1, 100, 1_000, 100_000])
  func pieces(size: Int) throws {
    let text = Self.dump(100)
    let whole = try ManifestLoader.load(text: text, name: "f", pieceSize: .max).cluster
    let parts = try ManifestLoader.load(text: text, name: "f", pieceSize: size).cluster
    #expect(parts.pods.count == 100)
    #expect(Set(parts.pods.all) == Set(whole.pods.all))
    if size < 10_000 { #expect((ListSplitter(text, pieceSize: size)?.pieces.count ?? 0) > 5) }
  }

  @Test("errors in pieces name the line and field of the whole")
  func errors() throws {
    let text = Self.dump(50) { $0 == 37 ? "{hostNetwork: on}" : "{}" }
    func error(_ size: Int) -> ManifestError? {
      do {
        _ = try ManifestLoader.load(text: text, name: "f", pieceSize: size)
        return nil
      } catch {
        return error
      }
    }
    let whole = try #require(error(.max))
    #expect(whole.field == "items[37].spec.hostNetwork")
    for size in [1, 150, 1_000] { #expect(error(size) == whole) }
  }

  @Test("what hangs together is read as a whole")
  func anchors() throws {
    let text = Self.dump(20) { $0 == 0 ? "&s {hostNetwork: true}" : "*s" }
    let cluster = try ManifestLoader.load(text: text, name: "f", pieceSize: 200).cluster
    #expect(cluster.pods.all.filter(\.hostNetwork).count == 20)
  }

  @Test(
    "other forms are not cut",
    arguments: [
      "apiVersion: v1\nkind: List\nitems:\n  - a: 1\n  - b: 2\n", "a: 1\n---\nitems:\n- a\n- b\n- c\n",
      "items: [1,\n2]\n", "{\"items\":\n[]}", "items:\n- a\n- b\nitems:\n- c\n- d\n",
    ])
  func otherForms(text: String) {
    #expect(ListSplitter(text, pieceSize: 1) == nil)
  }

  @Test("objects of a list of one kind need not repeat it")
  func typedLists() throws {
    let text = """
      {"kind": "PodList", "apiVersion": "v1", "items": [{"metadata": {"name": "a"}, "spec": {}}]}
      """
    #expect(try ManifestLoader.load(text: text, name: "f").cluster.pods.count == 1)
  }

  @Test("folders are read recursively and in order, links followed but not in circles")
  func folders() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "manifests-\(UInt64.random(in: 0 ... .max))")
    defer { try? FileManager.default.removeItem(at: folder) }
    let inner = folder.appending(path: "b/c")
    try FileManager.default.createDirectory(at: inner, withIntermediateDirectories: true)
    func write(_ path: String, _ pod: String) throws {
      let text = "{apiVersion: v1, kind: Pod, metadata: {name: \(pod)}, spec: {}}\n"
      try Data(text.utf8).write(to: folder.appending(path: path))
    }
    try write("a.yaml", "one")
    // A byte order mark, as some editors put it.
    let marked = "\u{feff}kind: Pod\napiVersion: v1\nmetadata: {name: marked}\nspec: {}\n"
    try Data(marked.utf8).write(to: folder.appending(path: "c.yaml"))
    try write("b/two.yml", "two")
    try write("b/c/three.JSON", "three")
    try write("b/.hidden.yaml", "four")
    try write("b/notes.txt", "five")
    try FileManager.default.createSymbolicLink(at: inner.appending(path: "up"), withDestinationURL: folder)
    try FileManager.default.createSymbolicLink(
      at: folder.appending(path: "z.yaml"), withDestinationURL: folder.appending(path: "a.yaml"))
    let loaded = try ManifestLoader.load([folder.path])
    #expect(Set(loaded.cluster.pods.all.map(\.name.name)) == ["one", "two", "three", "marked"])
    #expect(
      loaded.cluster.files.map { $0.split(separator: "/").last.map(String.init) } == [
        "a.yaml", "three.JSON", "two.yml", "c.yaml", "z.yaml",
      ])
    #expect(throws: ManifestError.self) { try ManifestLoader.load([folder.path + "/none"]) }
  }
}
