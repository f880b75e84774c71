import Foundation

/// The files of this repository, for tests that hold code, catalogues and documents together.
enum Repository {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appending(path: path), encoding: .utf8)
  }

  static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: root.appending(path: path).path) }

  /// Paths below `folder`, from the root, that end with `suffix`; build folders are left out.
  static func files(_ folder: String, suffix: String) -> [String] {
    let base = root.appending(path: folder)
    let walker = FileManager.default.enumerator(atPath: base.path)
    return (walker?.compactMap { $0 as? String } ?? [])
      .filter { $0.hasSuffix(suffix) && !$0.contains(".build") && !$0.contains("/checkouts/") }
      .map { folder == "." ? $0 : "\(folder)/\($0)" }.sorted()
  }

  static func folders(_ folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: root.appending(path: folder).path)) ?? []).filter {
      var isFolder: ObjCBool = false
      return FileManager.default.fileExists(
        atPath: root.appending(path: "\(folder)/\($0)").path, isDirectory: &isFolder)
        && isFolder.boolValue
    }.sorted()
  }

  /// The modules that a Swift file imports.
  static func imports(_ path: String) throws -> [String] {
    try text(path).split(separator: "\n").compactMap { line -> String? in
      var words = line.split(separator: " ")[...]
      while let first = words.first,
        first.hasPrefix("@") || ["public", "internal", "package", "private"].contains(first)
      {
        words = words.dropFirst()
      }
      guard words.first == "import", words.count >= 2 else { return nil }
      let name = words.dropFirst().first.map { ["struct", "enum", "class", "func"].contains($0) ? words.last! : $0 }
      return name.map { String($0.split(separator: ".")[0]) }
    }
  }
}
