import Foundation
import Logging
import Signals
import Sinks
import Synchronization
import Testing

struct SinkHubTests {
  static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  /// Events of the probes `probes`, one each.
  static func batch(_ probes: [Int]) -> EventBatch {
    var batch = EventBatch()
    for (index, probe) in probes.enumerated() {
      batch.append(Event(timestamp: Int64(index), type: "T", labels: [], message: "\(index)"), probe: probe)
    }
    return batch
  }

  final class TestSink: EventSink {
    let name: String
    private let behave: @Sendable (Int) throws -> Void
    private let count = Mutex(0)

    init(_ name: String, _ behave: @escaping @Sendable (Int) throws -> Void = { _ in }) {
      self.name = name
      self.behave = behave
    }

    struct Refused: Error {}

    func write(_ batch: EventBatch) throws {
      try behave(batch.count)
      count.withLock { $0 += batch.count }
    }

    var written: Int { count.withLock { $0 } }
  }

  @Test("what every sink wrote is delivered, in the accounts of its probe")
  func delivered() throws {
    let sinks = [TestSink("a"), TestSink("b")]
    let hub = try SinkHub(sinks, log: Self.quiet)
    for _ in 0..<10 { hub.send([Self.batch([0, 1]), Self.batch([0])]) }
    hub.stop()
    #expect(hub.account(ofProbe: 0) == .init(delivered: 20, lost: 0))
    #expect(hub.account(ofProbe: 1) == .init(delivered: 10, lost: 0))
    #expect(sinks.map(\.written) == [30, 30])
  }

  @Test("what one sink refuses is lost, and the other sink has it all the same")
  func refused() throws {
    let bad = TestSink("bad") { _ in throw TestSink.Refused() }
    let good = TestSink("good")
    let hub = try SinkHub([bad, good], log: Self.quiet)
    hub.send([Self.batch([0, 0, 0, 0, 0])])
    hub.stop()
    #expect(hub.account(ofProbe: 0) == .init(delivered: 0, lost: 5))
    #expect(good.written == 5)
    #expect(hub.sinkAccounts.map(\.account) == [.init(delivered: 0, lost: 5), .init(delivered: 5, lost: 0)])
  }

  @Test("a sink that hangs holds up nobody; its queue is bounded and what does not fit is counted")
  func hanging() throws {
    let gate = DispatchSemaphore(value: 0)
    let slow = TestSink("slow") { _ in gate.wait() }
    let fast = TestSink("fast")
    let hub = try SinkHub([slow, fast], log: Self.quiet)
    let batch = Self.batch(Array(repeating: 0, count: 1000))
    let total = 2 * SinkHub.queueLimit / batch.lines.count
    let start = Date()
    for _ in 0..<total { hub.send([batch]) }
    #expect(Date().timeIntervalSince(start) < 5, "send never blocks")
    func finished() -> Bool {
      let account = hub.sinkAccounts[1].account
      return account.delivered + account.lost == UInt64(total * 1000)
    }
    while !finished(), Date().timeIntervalSince(start) < 20 { usleep(1000) }
    #expect(finished(), "the fast sink has its events while the slow one hangs")
    #expect(hub.sinkAccounts[1].account.delivered == UInt64(fast.written))
    for _ in 0..<(total + 1) { gate.signal() }
    hub.stop()
    let slowAccount = hub.sinkAccounts[0].account
    #expect(slowAccount.delivered + slowAccount.lost == UInt64(total * 1000))
    #expect(slowAccount.lost > 0)
    // What was queued, and the batch that was being written.
    #expect(slowAccount.delivered <= UInt64((SinkHub.queueLimit / batch.lines.count + 1) * 1000))
    let account = hub.account(ofProbe: 0)
    #expect(account.delivered + account.lost == UInt64(total * 1000))
  }

  @Test("the file sink appends one JSON object a line, also to a file that is there")
  func file() throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "skoop-\(UUID().uuidString).jsonl").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    for _ in 0..<2 { try FileSink(path: path).write(Self.batch([0, 0, 0])) }
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    #expect(lines.count == 6)
    for line in lines {
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      #expect(object?["type"] as? String == "T")
    }
    #expect {
      _ = try FileSink(path: "/nonexistent/events.jsonl")
    } throws: {
      "\($0)".contains("/nonexistent/events.jsonl")
    }
  }

  @Test("a full disk is an error, not a crash")
  func fullDisk() throws {
    #expect {
      try FileSink(path: "/dev/full").write(Self.batch([0]))
    } throws: {
      "\($0)".contains("No space left")
    }
  }
}
