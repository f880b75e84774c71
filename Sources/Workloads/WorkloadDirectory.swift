public import LinuxSystem
public import NetTypes
import Synchronization

/// Which workload a network namespace and an address belong to. Named namespaces (`ip netns`) stand for pods.
///
/// A name follows the namespace's cookie, which is never given twice, and stays known for a while after the namespace
/// is gone, so that late events are named. Bounds: `Limits`.
public final class WorkloadDirectory: Sendable {
  public struct Limits: Sendable {
    /// Names kept, those of past namespaces included; the longest gone leave first.
    public var entries = 8192
    /// How long a name outlives its namespace, nanoseconds: longer than its idle series do.
    public var afterlife: Int64 = 30 * 60 * 1_000_000_000
    /// How long an address still leads to a namespace that is gone, nanoseconds.
    public var addressAfterlife: Int64 = 30 * 1_000_000_000
    /// Addresses of one namespace that are known at most.
    public var addresses = 256
    /// Cookies and addresses remembered as unknown, and for how long, nanoseconds.
    public var unknowns = 4096
    public var unknownFor: Int64 = 2_000_000_000
    /// Least time between two scans asked for by look-ups, nanoseconds: of everything, and of one namespace.
    public var onDemand: Int64 = 50_000_000
    public var onDemandSingle: Int64 = 5_000_000

    public init() {}
  }

  /// Where namespaces are found. A parameter, so that tests bring their own folder.
  public struct Sources: Sendable {
    /// Files of named namespaces.
    public var folder: String
    /// The machine's own namespace.
    public var host: String

    /// `host` nil: that of process 1, or our own where that one may not be looked at.
    public init(folder: String = "/run/netns", host: String? = nil) {
      self.folder = folder
      self.host = host ?? (NetworkNamespace.isReadable("/proc/1/ns/net") ? "/proc/1/ns/net" : "/proc/self/ns/net")
    }
  }

  private struct Entry {
    var workload: Workload
    var addresses: [IPAddress] = []
    var path = ""
    var scannedAt: Int64 = 0
    /// When a scan first missed it; nil while it lives.
    var goneSince: Int64?
  }

  private struct State {
    var entries: [NetnsCookie: Entry] = [:]
    /// Addresses that lead to one namespace: not loopback's, not link-local.
    var owners: [IPAddress: NetnsCookie] = [:]
    var unknownCookies: [NetnsCookie: Int64] = [:]
    var unknownAddresses: [IPAddress: Int64] = [:]
    var scannedAt: Int64 = .min / 2
  }

  public let node: String
  private let sources: Sources
  private let limits: Limits
  private let now: @Sendable () -> Int64
  private let state = Mutex(State())
  private let scanning = Mutex(())
  private let scans = Atomic<Int>(0)

  /// `node` is the value of `k8s_node`; `now` a clock in nanoseconds.
  public init(
    node: String, sources: Sources = Sources(), limits: Limits = Limits(),
    now: @escaping @Sendable () -> Int64 = { Machine.nanoseconds(1) }
  ) {
    self.node = node
    self.sources = sources
    self.limits = limits
    self.now = now
  }

  /// The number of living named namespaces.
  public var podCount: Int {
    state.withLock { state in
      state.entries.values.count { $0.goneSince == nil && $0.workload != .host }
    }
  }

  /// Grows with every scan: what was answered before may be answered otherwise now.
  public var generation: Int { scans.load(ordering: .acquiring) }

  /// Whose namespace `cookie` is. A cookie never seen leads to one scan.
  public func workload(of cookie: NetnsCookie) -> Workload {
    let known = state.withLock { $0.entries[cookie]?.workload }
    if let known { return known }
    if rescanIsDue(cookie, in: \.unknownCookies) {
      scan()
      if let found = state.withLock({ $0.entries[cookie]?.workload }) { return found }
      state.withLock { Self.remember(cookie, in: &$0.unknownCookies, until: now() + limits.unknownFor, limits) }
    }
    return .unnamed(cookie)
  }

  /// Whether a namespace that had a name has ended. One that nobody has named may live on.
  public func isGone(_ cookie: NetnsCookie) -> Bool {
    state.withLock { $0.entries[cookie].map { $0.goneSince != nil } ?? false }
  }

  /// Who has `address`, as seen from the namespace `cookie`: there, a loopback or link-local address is its own.
  public func endpoint(of address: IPAddress, seenFrom cookie: NetnsCookie) -> Endpoint {
    if address.isLoopback { return endpoint(workload(of: cookie)) }
    if let found = lookUp(address, seenFrom: cookie) { return found }
    if address.isMulticast || address.isUnspecified { return .unknown }
    let time = now()
    if state.withLock({ $0.unknownAddresses[address].map { time < $0 } ?? false }) { return .unknown }
    // A new pod gets its addresses after its namespace; where the packet was is the likeliest place.
    if rescan(cookie), let found = lookUp(address, seenFrom: cookie) { return found }
    if address.isLinkLocal { return .unknown }
    if rescanIsDue(address, in: \.unknownAddresses) {
      scan()
      if let found = lookUp(address, seenFrom: cookie) { return found }
      state.withLock { Self.remember(address, in: &$0.unknownAddresses, until: now() + limits.unknownFor, limits) }
    }
    return .unknown
  }

  private func lookUp(_ address: IPAddress, seenFrom cookie: NetnsCookie) -> Endpoint? {
    state.withLock { state in
      // Its own addresses first: two namespaces may carry the same one.
      if let entry = state.entries[cookie], entry.addresses.contains(address) { return endpoint(entry.workload) }
      guard let owner = state.owners[address].flatMap({ state.entries[$0] }) else { return nil }
      // An address is given to the next pod long before a name is forgotten.
      if let gone = owner.goneSince, now() - gone > limits.addressAfterlife { return nil }
      return endpoint(owner.workload)
    }
  }

  private func endpoint(_ workload: Workload) -> Endpoint {
    switch workload {
    case .host: .node(node)
    case .pod(let namespace, let name): .pod(namespace: namespace, name: name)
    case .unnamed: .unknown
    }
  }

  // MARK: scanning

  /// Looks at every named namespace and the host's.
  public func scan() {
    scanning.withLock { _ in
      // A child of `ip netns` mounts the file after creating it: what is no namespace yet is looked at again later.
      let names = Files.names(in: sources.folder)
      let paths = [sources.host] + names.map { "\(sources.folder)/\($0)" }
      guard let views = try? NetworkNamespace.look(into: paths) else { return }
      let time = now()
      state.withLock { state in
        var seen: Set<NetnsCookie> = []
        for (index, view) in views.enumerated() {
          guard let view else { continue }
          let key = view.identity.key
          // The first name of a namespace is its name; the host stays the host.
          guard seen.insert(key).inserted else { continue }
          let workload: Workload = index == 0 ? .host : Workload(netnsName: names[index - 1])
          let addresses = state.entries[key]?.addresses ?? []
          state.entries[key] = Entry(workload: workload, addresses: addresses, path: paths[index], scannedAt: time)
          state.unknownCookies[key] = nil
          note(view, in: &state)
        }
        for key in Array(state.entries.keys) where !seen.contains(key) {
          if let since = state.entries[key]!.goneSince {
            if time - since > limits.afterlife { forget(key, &state) }
          } else {
            state.entries[key]!.goneSince = time
          }
        }
        let excess = state.entries.count - limits.entries
        if excess > 0 {
          let gone = state.entries.filter { $0.value.goneSince != nil }
            .sorted { $0.value.goneSince! < $1.value.goneSince! }
          for (key, _) in gone.prefix(excess) { forget(key, &state) }
        }
        state.scannedAt = time
      }
      scans.add(1, ordering: .releasing)
    }
  }

  private func forget(_ key: NetnsCookie, _ state: inout State) {
    disown(key, except: [], &state)
    state.entries[key] = nil
  }

  /// Looks at one living namespace's addresses again; false when that was done just now or there is none.
  private func rescan(_ cookie: NetnsCookie) -> Bool {
    let time = now()
    let path = state.withLock { state -> String? in
      guard let entry = state.entries[cookie], entry.goneSince == nil, time - entry.scannedAt >= limits.onDemandSingle
      else { return nil }
      state.entries[cookie]!.scannedAt = time
      return entry.path
    }
    guard let path, let view = try? NetworkNamespace.look(into: [path])[0], view.identity.key == cookie else {
      return false
    }
    state.withLock { note(view, in: &$0) }
    return true
  }

  /// Takes over the addresses of a namespace that has an entry.
  private func note(_ view: NetworkNamespace.View, in state: inout State) {
    let key = view.identity.key
    let addresses = Array(view.addresses.prefix(limits.addresses))
    disown(key, except: Set(addresses), &state)
    state.entries[key]?.addresses = addresses
    for address in addresses where !address.isLoopback && !address.isLinkLocal {
      state.owners[address] = key
      state.unknownAddresses[address] = nil
    }
  }

  private func disown(_ key: NetnsCookie, except kept: Set<IPAddress>, _ state: inout State) {
    for address in state.entries[key]?.addresses ?? [] where state.owners[address] == key && !kept.contains(address) {
      state.owners[address] = nil
    }
  }

  private func rescanIsDue<Key: Hashable>(_ key: Key, in unknowns: KeyPath<State, [Key: Int64]>) -> Bool {
    let time = now()
    return state.withLock { state in
      if let until = state[keyPath: unknowns][key], time < until { return false }
      return time - state.scannedAt >= limits.onDemand
    }
  }

  private static func remember<Key: Hashable>(
    _ key: Key, in unknowns: inout [Key: Int64], until: Int64, _ limits: Limits
  ) {
    if unknowns.count >= limits.unknowns { unknowns.removeAll(keepingCapacity: true) }
    unknowns[key] = until
  }
}
