import BPFPrograms
import LinuxBPF
import NetTypes
import PacketLoss
import ProbeKit
import Signals
import Synchronization

/// The packetloss probe, for the watched namespaces only (bpf/pathloss.bpf.c).
struct PathLoss: KernelProbe {
  static let manifest: ProbeManifest = {
    var manifest = PacketLoss.manifest
    manifest.id = "pathloss"
    manifest.program = .pathloss
    return manifest
  }()

  private let probe: PacketLoss

  init(_ settings: ProbeSettings, _ context: ProbeContext) { probe = PacketLoss(settings, context) }

  func configure(_ object: BPFObject) throws(BPFError) { try probe.configure(object) }
  func update(_ maps: ProbeMaps) throws(BPFError) { try Watched.shared.add(maps) }
  func write(_ record: Record, to batch: inout EventBatch) -> Bool { probe.write(record, to: &batch) }
  func collect(from maps: ProbeMaps) throws -> [MetricFamily] { try probe.collect(from: maps) }
}

/// The namespaces whose packets are told, in the maps of every program.
final class Watched: Sendable {
  /// The runner makes probes from their types alone, so there is one list for the process.
  static let shared = Watched()

  private struct State {
    var cookies: Set<NetnsCookie> = []
    var maps: [BPFMap] = []
  }

  private let state = Mutex(State())

  func add(_ maps: ProbeMaps) throws(BPFError) {
    let map = maps["pathlab_watched"]
    let cookies = state.withLock { state in
      state.maps.append(map)
      return state.cookies
    }
    for cookie in cookies { try map.set(cookie.rawValue, array: [UInt64(1)]) }
  }

  func watch(_ cookies: [NetnsCookie]) throws(BPFError) {
    let maps = state.withLock { state in
      state.cookies.formUnion(cookies)
      return state.maps
    }
    for map in maps { for cookie in cookies { try map.set(cookie.rawValue, array: [UInt64(1)]) } }
  }

  func forget(_ cookies: [NetnsCookie]) {
    let maps = state.withLock { state in
      state.cookies.subtract(cookies)
      return state.maps
    }
    // One that is not in a map any more needs no removing.
    for map in maps { for cookie in cookies { try? map.remove(cookie.rawValue) } }
  }

  /// The programs are out of the kernel.
  func forgetMaps() { state.withLock { $0.maps = [] } }
}
