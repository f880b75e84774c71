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
}
