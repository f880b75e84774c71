public import Foundation
import NetSim
public import PathCases
import Synchronization

/// A run's log: a line of JSON for each world.
public final class RunLog: Sendable {
  /// The worlds of the same seed that the file had before.
  public let former: [WorldRecord]
  private let file: Mutex<FileHandle>

  public init(path: String, seed: UInt64) throws {
    let decoder = JSONDecoder()
    let old = FileManager.default.contents(atPath: path) ?? Data()
    // A line that was cut short by an interruption is no world.
    former = old.split(separator: UInt8(ascii: "\n")).compactMap {
      try? decoder.decode(WorldRecord.self, from: Data($0))
    }.filter { $0.seed == seed }
    if old.isEmpty { _ = FileManager.default.createFile(atPath: path, contents: nil) }
    guard let handle = FileHandle(forWritingAtPath: path) else { throw LabError("cannot write \(path)") }
    try handle.seekToEnd()
    if let last = old.last, last != UInt8(ascii: "\n") { try handle.write(contentsOf: Data("\n".utf8)) }
    file = Mutex(handle)
  }

  public func append(_ record: WorldRecord) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    guard let line = try? encoder.encode(record) else { return }
    file.withLock { try? $0.write(contentsOf: line + Data("\n".utf8)) }
  }
}

/// A folder of recorded worlds.
public struct CaseFolder: Sendable {
  private let folder: URL

  public init(_ path: String) throws {
    folder = URL(fileURLWithPath: path)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  public static var readable: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    return encoder
  }

  public static var compact: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return encoder
  }

  /// Writes the recorded world of a run, by its seed and number.
  public func keep(_ run: WorldRun, _ record: WorldRecord) {
    var recorded = run.recorded
    recorded.note = record.disagreements.map { "question \($0.question): \($0.disagreement.kind)" }.joined(
      separator: "; ")
    try? write(recorded, "\(record.seed)-\(record.number)", Self.compact)
  }

  /// Writes a cut-down world under the folder's next number, with a text for people beside it.
  public func writeNext(_ run: WorldRun, kind: String, count: Int) throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    let next = (names.compactMap { Int($0.prefix { $0.isNumber }) }.max() ?? 0) + 1
    let name = String(repeating: "0", count: max(3 - String(next).count, 0)) + String(next)
    var recorded = run.recorded
    recorded.note = kind
    try write(recorded, name, Self.readable)
    var text = "\(kind) (\(count) times)\n"
    for detail in run.verdicts[0].disagreement?.details ?? [] { text += "  \(detail)\n" }
    text += CaseText.question(0, of: recorded, World([recorded.snapshot])) + "\n"
    try Data(text.utf8).write(to: folder.appending(path: "\(name).txt"))
  }

  public func write(_ recorded: PathCase, _ name: String, _ encoder: JSONEncoder) throws {
    try encoder.encode(recorded).write(to: folder.appending(path: "\(name).json"))
  }
}
