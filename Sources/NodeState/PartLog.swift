import Glibc
import LinuxSystem
import NetModel

/// Notes how each part was read: when, how long, and what is missing of it.
struct PartLog {
  private(set) var reports: [PartReport] = []

  /// Runs `body`, which adds what it could not read to the gaps it is given; an error is a gap too, and gives `empty`.
  mutating func read<Value>(
    _ part: SnapshotPart, _ empty: Value, _ body: (inout Gaps) throws -> Value
  ) -> Value {
    let started = Machine.nanoseconds(CLOCK_REALTIME)
    let begin = Machine.nanoseconds(CLOCK_MONOTONIC)
    var gaps = Gaps()
    var value = empty
    do { value = try body(&gaps) } catch { gaps.add("\(error)") }
    reports.append(
      PartReport(
        part: part, gap: gaps.text, started: started, took: Machine.nanoseconds(CLOCK_MONOTONIC) - begin))
    return value
  }
}

/// What is missing of one part.
struct Gaps {
  private var sentences: [String] = []

  mutating func add(_ sentence: String) {
    if !sentences.contains(sentence) { sentences.append(sentence) }
  }

  var text: String? { sentences.isEmpty ? nil : sentences.joined(separator: "; ") }
}
