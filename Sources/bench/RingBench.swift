import CBenchReference
import BPFPrograms
import Glibc
import LinuxBPF
import LinuxSystem

/// Ring buffer, decode and count: Swift against C, on the same records of the same ring buffer.
enum RingBench {
  static let pairs = 40
  /// Reads of a full ring buffer that make one sample.
  static let reads = 40
  /// What fits into the ring buffer of 2 MiB: a record of 152 bytes takes 160.
  static let records = 13_000

  static func run() throws -> [Finding] {
    let object = try BPFObject(.benchring, btf: .kernel)
    try object.select(programs: ["benchring_fill"])
    try object.load()
    let map = try object.map("benchring_events")
    return try [1_000, 60_000].flatMap { try run(object, map, keys: $0) }
  }

  private static func run(_ object: BPFObject, _ map: BPFMap, keys: Int) throws -> [Finding] {
    let capacity = 1 << (Int.bitWidth - (2 * keys).leadingZeroBitCount)
    let counter = SwiftCounter(capacity: capacity)
    let swift = try unsafe RingBufferReader(map) { bytes in unsafe counter.count(bytes) }
    guard let c = unsafe cbench_reader_new(map.descriptor, UInt64(capacity)) else {
      throw SystemError(errno: Glibc.errno, doing: "mapping the ring buffer")
    }
    defer { unsafe cbench_reader_free(c) }
    var first: UInt64 = 0
    /// Nanoseconds a record; both readers get the same numbers.
    func sample(_ drain: () throws -> Int) throws -> Double {
      var nanoseconds: Int64 = 0
      for read in 0..<reads {
        try object.run("benchring_fill", arguments: [first + UInt64(read * records), UInt64(records), UInt64(keys)])
        let start = Machine.nanoseconds(CLOCK_MONOTONIC)
        let count = try drain()
        nanoseconds += Machine.nanoseconds(CLOCK_MONOTONIC) - start
        guard count == records else { throw BenchError("\(count) of \(records) records came back") }
      }
      return Double(nanoseconds) / Double(reads * records)
    }
    var results: [(swift: Double, c: Double)] = []
    for pair in -1..<pairs {
      var result = (swift: 0.0, c: 0.0)
      // Neither side always goes first.
      for step in [0, 1] {
        if (pair + step) % 2 == 0 {
          result.swift = try sample { try swift.drain() }
        } else {
          result.c = try sample { Int(unsafe cbench_reader_drain(c)) }
        }
      }
      first += UInt64(reads * records)
      // The first pair fills the tables.
      if pair >= 0 { results.append(result) }
    }
    let slots = unsafe cbench_reader_slots(c)!
    for index in 0..<capacity where unsafe counter.slots[index].count != slots[index].count {
      throw BenchError("Swift and C counted differently")
    }
    let ratios = Statistics.ratios(results.map { (first: $0.c, second: $0.swift) })
    return [
      Finding(
        "ring.\(keys).ratio", "Ring buffer, decode and count, \(keys) keys: speed of Swift as a share of C's",
        Statistics.estimate(ratios), unit: "", aim: .atLeast(0.9)),
      Finding(
        "ring.\(keys).swift", "… Swift, per event", Statistics.estimate(results.map(\.swift)), unit: "ns"),
      Finding("ring.\(keys).c", "… C, per event", Statistics.estimate(results.map(\.c)), unit: "ns"),
    ]
  }
}
