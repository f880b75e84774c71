public import LinuxSystem
import Synchronization

/// Names kernel addresses. Reads /proc/kallsyms when first asked and again when modules came or went; keeps the text of
/// every address it has named, since the same few places drop packets again and again.
public final class Symbolizer: Sendable {
  /// Whether stacks can be named.
  public enum Status: Hashable, Sendable {
    case ready(symbols: Int)
    /// The addresses are hidden from this process.
    case hidden
    case unreadable(String)

    public var explanation: String? {
      switch self {
      case .ready: nil
      case .hidden:
        "the kernel hides its addresses from this process: grant CAP_SYSLOG and set kernel.kptr_restrict to 0 or 1"
      case .unreadable(let reason): reason
      }
    }
  }

  private struct State {
    /// Grows with each reading of the table.
    var generation = 0
    var table = KernelSymbolTable()
    var status: Status?
    var modules: [UInt8] = []
    var checkedAt: Int64 = 0
    var places: [UInt64: KernelSymbolTable.Place?] = [:]
  }

  /// Texts kept at most; the table of places starts anew beyond.
  static let maximumPlaces = 8192
  /// /proc/modules is compared at most this often, nanoseconds.
  static let checkInterval: Int64 = 2_000_000_000

  private let state = Mutex(State())
  private let root: String
  private let now: @Sendable () -> Int64

  /// `root` stands before /proc; `now` is a clock in nanoseconds, a coarse one: it is read for every event.
  public init(root: String = "", now: @escaping @Sendable () -> Int64 = { Machine.coarseNanoseconds }) {
    self.root = root
    self.now = now
  }

  public var status: Status {
    state.withLock { state in
      refresh(&state)
      return state.status!
    }
  }

  /// Grows when modules came or went: what was named before may be named otherwise now.
  public var generation: Int {
    state.withLock { state in
      refresh(&state)
      return state.generation
    }
  }

  /// See `KernelSymbolTable.place(ofReturnAddress:)`; nil when unknown or hidden.
  public func place(ofReturnAddress address: UInt64) -> KernelSymbolTable.Place? {
    state.withLock { state in
      if let known = state.places[address] { return known }
      refresh(&state)
      let place = state.table.place(ofReturnAddress: address)
      if state.places.count >= Self.maximumPlaces { state.places.removeAll(keepingCapacity: true) }
      state.places[address] = .some(place)
      return place
    }
  }

  /// See `KernelSymbolTable.ranges`.
  public func ranges(of functions: Set<String>) -> [String: [Range<UInt64>]] {
    state.withLock { state in
      refresh(&state)
      return state.table.ranges(of: functions)
    }
  }

  private func refresh(_ state: inout State) {
    let time = now()
    if state.status != nil, time - state.checkedAt < Self.checkInterval { return }
    state.checkedAt = time
    // No modules at all, or none readable, is an answer like any other.
    let modules = (try? Files.bytes(root + "/proc/modules")) ?? []
    if state.status != nil, modules == state.modules { return }
    state.modules = modules
    state.generation += 1
    state.places.removeAll(keepingCapacity: true)
    let path = root + "/proc/kallsyms"
    do {
      let file = try Descriptor(opening: path)
      var builder = KernelSymbolTable.Builder()
      try file.forEachChunk(of: path) { builder.consume($0) }
      state.table = builder.finish()
      state.status = state.table.isHidden ? .hidden : .ready(symbols: state.table.count)
      builder = KernelSymbolTable.Builder()
      Memory.releaseFree()
    } catch {
      state.table = KernelSymbolTable()
      state.status = .unreadable("\(error)")
    }
  }
}
