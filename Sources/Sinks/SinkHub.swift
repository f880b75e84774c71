import Glibc
import LinuxSystem
public import Logging
public import Signals
import Synchronization

/// Hands every event to every sink. Each sink has its own queue and thread, so that a slow or dead one holds up neither the
/// reader nor another sink; what does not fit in a queue is lost to that sink, and counted.
public final class SinkHub: Sendable {
  /// Bytes of events that wait for one sink at most: 3,000 events with stacks.
  public static let queueLimit = 4 << 20

  /// Counts of one probe's events at one sink.
  public struct Account: Hashable, Sendable {
    public var delivered: UInt64
    public var lost: UInt64

    public init(delivered: UInt64 = 0, lost: UInt64 = 0) {
      self.delivered = delivered
      self.lost = lost
    }
  }

  private let queues: [SinkQueue]
  /// Of each probe's events: delivered to every sink, or lost to at least one.
  private let accounts = Mutex<[Int: Account]>([:])

  public init(_ sinks: [any EventSink], log: Logger) throws {
    queues = sinks.map { SinkQueue($0, log: log) }
    for queue in queues { try queue.start() }
  }

  /// Never blocks.
  public func send(_ batches: [EventBatch]) {
    let waiting = queues.count
    let letters = batches.map { batch in
      Letter(
        batch: batch,
        receipt: Receipt(waiting: waiting) { [self, counts = batch.counts] isComplete in
          accounts.withLock { accounts in
            for (probe, count) in counts.enumerated() where count > 0 {
              if isComplete {
                accounts[probe, default: Account()].delivered += count
              } else {
                accounts[probe, default: Account()].lost += count
              }
            }
          }
        })
    }
    for queue in queues { queue.add(letters) }
  }

  /// By the probe's number. Events still in a queue are in neither count.
  public func account(ofProbe number: Int) -> Account { accounts.withLock { $0[number] ?? Account() } }

  /// By sink, over all probes.
  public var sinkAccounts: [(name: String, account: Account)] { queues.map { ($0.name, $0.account) } }

  /// Writes what is queued and ends the threads. A sink that takes longer than `seconds` is left alone, with what it has not
  /// written counted as lost: a reader that went away must not hold up the end.
  public func stop(within seconds: Double = 2) {
    for queue in queues { queue.close() }
    let deadline = Machine.nanoseconds(CLOCK_MONOTONIC) + Int64(seconds * 1e9)
    for queue in queues { queue.end(by: deadline) }
  }
}

/// What became of a batch at all sinks.
private final class Receipt: Sendable {
  private let state: Mutex<(waiting: Int, complete: Bool)>
  private let done: @Sendable (Bool) -> Void

  init(waiting: Int, done: @escaping @Sendable (_ complete: Bool) -> Void) {
    state = Mutex((waiting, true))
    self.done = done
    if waiting == 0 { done(true) }
  }

  func sign(delivered: Bool) {
    let finished = state.withLock { state -> Bool? in
      state.waiting -= 1
      state.complete = state.complete && delivered
      return state.waiting == 0 ? state.complete : nil
    }
    if let finished { done(finished) }
  }
}

/// A batch, and who wants to know what became of it.
private struct Letter: Sendable {
  let batch: EventBatch
  let receipt: Receipt
}

private final class SinkQueue: Sendable {
  private struct State {
    var letters: [Letter] = []
    var bytes = 0
    var isClosed = false
    var isDone = false
    var account = SinkHub.Account()
    var isFailing = false
  }

  private let sink: any EventSink
  private let log: Logger
  private let state = Mutex(State())
  private let wakeup = ThreadSignal()
  private let thread = Mutex<DedicatedThread?>(nil)

  init(_ sink: any EventSink, log: Logger) {
    self.sink = sink
    self.log = log
  }

  var name: String { sink.name }
  var account: SinkHub.Account { state.withLock { $0.account } }

  func start() throws {
    let started = try DedicatedThread("skoop-\(sink.name)") { [self] in run() }
    thread.withLock { $0 = started }
  }

  func add(_ letters: [Letter]) {
    let refused = state.withLock { state in
      var refused: [Letter] = []
      for letter in letters {
        if state.isClosed || state.bytes + letter.batch.lines.count > SinkHub.queueLimit {
          state.account.lost += UInt64(letter.batch.count)
          refused.append(letter)
        } else {
          state.letters.append(letter)
          state.bytes += letter.batch.lines.count
        }
      }
      return refused
    }
    if refused.count < letters.count { wakeup.signal() }
    for letter in refused { letter.receipt.sign(delivered: false) }
  }

  func close() {
    state.withLock { $0.isClosed = true }
    wakeup.signal()
  }

  func end(by deadline: Int64) {
    while !state.withLock({ $0.isDone }) {
      if Machine.nanoseconds(CLOCK_MONOTONIC) > deadline {
        let rest = state.withLock { state in
          let rest = state.letters
          state.letters = []
          state.account.lost += UInt64(rest.reduce(0) { $0 + $1.batch.count })
          return rest
        }
        for letter in rest { letter.receipt.sign(delivered: false) }
        log.error("sink \(sink.name) does not take its events: they are lost")
        return
      }
      usleep(2000)
    }
    thread.withLock { $0 }?.join()
  }

  private func run() {
    while true {
      wakeup.wait()
      let (letters, isClosed) = state.withLock { state in
        let letters = state.letters
        state.letters = []
        return (letters, state.isClosed)
      }
      for letter in letters { write(letter.batch, letter.receipt) }
      let isDone = state.withLock { state in
        state.isDone = isClosed && state.letters.isEmpty
        return state.isDone
      }
      if isDone { return }
    }
  }

  private func write(_ batch: EventBatch, _ receipt: Receipt) {
    defer { state.withLock { $0.bytes -= batch.lines.count } }
    do {
      try sink.write(batch)
      let recovered = state.withLock { state in
        state.account.delivered += UInt64(batch.count)
        defer { state.isFailing = false }
        return state.isFailing
      }
      if recovered { log.notice("sink \(sink.name) works again") }
      receipt.sign(delivered: true)
    } catch {
      let isNew = state.withLock { state in
        state.account.lost += UInt64(batch.count)
        defer { state.isFailing = true }
        return !state.isFailing
      }
      if isNew { log.error("sink \(sink.name) loses events: \(error)") }
      receipt.sign(delivered: false)
    }
  }
}
