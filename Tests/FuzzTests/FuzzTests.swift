import AgentApp
import Foundation
import LinuxBPF
import PacketLoss
import ProbeCatalog
import ProbeKit
import NetTypes
import Signals
import TCPReset
import TCPRetrans
import Testing
import Workloads

/// Feeds mutated inputs to everything that reads bytes from elsewhere. The inputs in Corpus/ always run; then mutants for a
/// bounded time (SKOOP_FUZZ_SECONDS for each target; 3 otherwise). Before an input runs it is written to a file, which stays
/// when the process dies: add it to the corpus.
@Suite(.serialized) struct FuzzTests {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Corpus")

  static func corpus(_ target: String) throws -> [[UInt8]] {
    let inputs = try FileManager.default.contentsOfDirectory(
      at: folder.appending(path: target), includingPropertiesForKeys: nil
    )
    .sorted { $0.path < $1.path }.map { [UInt8](try Data(contentsOf: $0)) }
    try #require(!inputs.isEmpty)
    return inputs
  }

  static func mutant(of corpus: [[UInt8]], _ generator: inout some RandomNumberGenerator) -> [UInt8] {
    var input = corpus.randomElement(using: &generator)!
    for _ in 0..<Int.random(in: 1...8, using: &generator) {
      let place = Int.random(in: 0...input.count, using: &generator)
      switch Int.random(in: 0..<6, using: &generator) {
      case 0 where place < input.count: input[place] = UInt8.random(in: 0...255, using: &generator)
      case 1 where place < input.count: input[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      case 2: input.removeSubrange(place..<min(place + Int.random(in: 0...16, using: &generator), input.count))
      case 3: input.insert(contentsOf: (0..<4).map { _ in UInt8.random(in: 0...255, using: &generator) }, at: place)
      case 4: input = Array(input.prefix(place))
      default:
        let other = corpus.randomElement(using: &generator)!
        input = Array(input.prefix(place)) + other.suffix(Int.random(in: 0...other.count, using: &generator))
      }
      if input.count > 1 << 16 { input = Array(input.prefix(1 << 16)) }
    }
    return input
  }

  static func fuzz(_ target: String, _ body: ([UInt8]) -> Void) throws {
    let corpus = try corpus(target)
    for input in corpus { body(input) }
    let seconds = ProcessInfo.processInfo.environment["SKOOP_FUZZ_SECONDS"].flatMap(Double.init) ?? 3
    let last = FileManager.default.temporaryDirectory.appending(path: "skoop-fuzz-\(target)-\(getpid())")
    let file = try #require(fopen(last.path, "w+"))
    defer {
      fclose(file)
      try? FileManager.default.removeItem(at: last)
    }
    var generator = SystemRandomNumberGenerator()
    let end = Date().addingTimeInterval(seconds)
    // On a busy machine it takes longer, but not for ever.
    let late = end.addingTimeInterval(10 * seconds)
    var count = 0
    while Date() < end || count <= 100 && Date() < late {
      let input = mutant(of: corpus, &generator)
      rewind(file)
      ftruncate(fileno(file), 0)
      fwrite(input, 1, input.count, file)
      fflush(file)
      body(input)
      count += 1
    }
    #expect(count > 100, "only \(count) inputs of \(target)")
  }

  static let context = ProbeContext(
    kernel: KernelFacts(release: "fuzz", btf: nil, btfProblem: nil, hasNetnsCookies: true),
    symbols: Symbolizer(root: "/nonexistent"),
    workloads: WorkloadDirectory(node: "n", sources: .init(folder: "/nonexistent", host: "/nonexistent")))

  @Test("records of the ring buffer, and the JSON and text made of them")
  func records() throws {
    let probes = ProbeCatalog.all.map { $0.init(ProbeSettings(), Self.context) }
    try Self.fuzz("records") { input in
      input.withUnsafeBytes { bytes in
        guard let record = Record(bytes, clockOffset: 0) else { return }
        for probe in probes {
          var batch = EventBatch()
          guard probe.write(record, to: &batch) else {
            precondition(batch.lines.isEmpty, "a record that was refused left something")
            continue
          }
          precondition(
            (try? JSONSerialization.jsonObject(with: Data(batch.lines))) is [String: Any],
            "not JSON: \(String(decoding: batch.lines, as: UTF8.self))")
          let event = batch.events[0]
          var again = EventBatch()
          again.append(event, probe: 0)
          precondition(again.lines == batch.lines, "a value is not what was written")
          _ = EventText.line(event)
        }
      }
    }
  }

  @Test("events in JSON, as they come back")
  func events() throws {
    try Self.fuzz("events") { input in
      guard let event = EventJSON.event(from: input[...]) else { return }
      var batch = EventBatch()
      batch.append(event, probe: 0)
      precondition(batch.events[0].labels == event.labels && batch.events[0].message == event.message)
      precondition((try? JSONSerialization.jsonObject(with: Data(batch.lines))) is [String: Any])
    }
  }

  @Test("/proc/kallsyms")
  func kallsyms() throws {
    try Self.fuzz("kallsyms") { input in
      let table = KernelSymbolTable(parsing: [input[...]])
      let halves = KernelSymbolTable(parsing: [
        input.prefix(input.count / 2), input.suffix(input.count - input.count / 2),
      ])
      precondition(table.count == halves.count && table.malformedLines == halves.malformedLines)
      for address: UInt64 in [0, 1, 0xffff_ffff_8100_0000, .max] {
        precondition(table.place(ofReturnAddress: address) == halves.place(ofReturnAddress: address))
      }
      _ = table.ranges(of: ["_stext", "a"])
    }
  }

  @Test("the configuration")
  func configuration() throws {
    let reader = ConfigurationReader(file: "fuzz.yaml", manifests: ProbeCatalog.manifests)
    try Self.fuzz("configuration") { input in
      do {
        _ = try reader.read(String(decoding: input, as: UTF8.self))
      } catch {
        precondition("\(error)".hasPrefix("fuzz.yaml"))
      }
    }
  }

  @Test("addresses as text")
  func addresses() throws {
    try Self.fuzz("addresses") { input in
      let text = String(decoding: input, as: UTF8.self)
      if let address = IPAddress(text) { precondition(IPAddress(address.description) == address) }
    }
  }
}
