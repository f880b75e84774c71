import Foundation
import KubeManifests
import Testing

/// Whatever is in a file, reading ends with a model or an error.
struct DamagedInputTests {
  @Test("damaged manifests are read or refused, never fatal")
  func damaged() throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "examples/shop")
    var samples: [[UInt8]] = []
    for file in try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil) {
      samples.append([UInt8](try Data(contentsOf: file)))
    }
    try #require(!samples.isEmpty)
    var random = SystemRandomNumberGenerator()
    let pieces = [
      "null", "{}", "[]", "- ", ": ", "&a ", "*a", "<<: ", "\"", "'", "\n", "  ", "80", "-1", "99999999999999999999",
      "!!x ", "|\n", "\u{0}", "é",
    ]
    .map { Array($0.utf8) }
    var refused = 0
    for _ in 0..<1_500 {
      var bytes = samples.randomElement(using: &random) ?? []
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes.insert(contentsOf: pieces.randomElement(using: &random) ?? [], at: place)
        case 1: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...20, using: &random)))
        default: bytes[place] = UInt8.random(in: 0x20...0x7e, using: &random)
        }
      }
      do {
        _ = try ManifestLoader.load(text: String(decoding: bytes, as: UTF8.self), name: "damaged.yaml")
      } catch {
        refused += 1
        #expect(error.file == "damaged.yaml" && !error.problem.isEmpty)
        #expect(!error.description.contains("\n"), "\(error)")
      }
    }
    #expect(refused > 300)
  }

  @Test("aliases that multiply, and deep nesting, cost nothing")
  func bombs() throws {
    var text = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nx0: &x0 [a, a, a, a]\n"
    for index in 1..<30 {
      let alias = "*x\(index - 1)"
      text += "x\(index): &x\(index) [\(alias), \(alias), \(alias), \(alias)]\n"
    }
    #expect(throws: ManifestError.self) {
      try ManifestLoader.load(text: text + "spec: {hostNetwork: on}\n", name: "f")
    }
    #expect(throws: ManifestError.self) {
      try ManifestLoader.load(text: String(repeating: "[", count: 100_000), name: "f")
    }
  }
}
