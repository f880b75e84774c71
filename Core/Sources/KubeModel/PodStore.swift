public import NetTypes

/// The pods of a cluster with the indexes that questions need: by name, by address, by label, by namespace, by
/// owner. Insertion and removal cost the same however many pods there are, apart from the length of a label's list.
public struct PodStore: Sendable {
  /// A pod's place; given to another pod after removal.
  public typealias Slot = Int32

  private var slots: [Pod?] = []
  private var free: [Slot] = []
  private var byName: [ObjectName: Slot] = [:]
  private var byAddress: [IPAddress: Slot] = [:]
  private var byNamespace: [String: Listing] = [:]
  private var hostPorts: Set<Slot> = []

  /// The pods of one namespace. Lists are sorted, so that two can be intersected and one entry found quickly.
  private struct Listing: Sendable {
    var all: [Slot] = []
    var byLabel: [Labels.Pair: [Slot]] = [:]
    var byOwner: [Owner: [Slot]] = [:]
  }

  public init() {}

  public var count: Int { slots.count - free.count }

  public subscript(slot: Slot) -> Pod {
    guard let pod = slots[Int(slot)] else { preconditionFailure("slot \(slot) holds no pod") }
    return pod
  }

  public subscript(name: ObjectName) -> Pod? { byName[name].map { self[$0] } }

  /// The pod, other than a host-network one, that has this address, or had it last when it has finished.
  public subscript(address: IPAddress) -> Pod? { byAddress[address].map { self[$0] } }

  /// All pods, in the order of their slots.
  public var all: some Sequence<Pod> { slots.lazy.compactMap { $0 } }

  /// The pods that have a port of their node passed on to them, in the order of their slots.
  public var withHostPort: [Pod] { hostPorts.sorted().map { self[$0] } }

  public func pods(in namespace: String) -> [Pod] {
    byNamespace[namespace]?.all.map { self[$0] } ?? []
  }

  /// Adds a pod, or replaces the one of its name.
  public mutating func upsert(_ pod: Pod) {
    remove(pod.name)
    let slot: Slot
    if let reused = free.popLast() {
      slot = reused
      slots[Int(slot)] = pod
    } else {
      slot = Slot(slots.count)
      slots.append(pod)
    }
    byName[pod.name] = slot
    if !pod.hostNetwork {
      for address in pod.addresses where pod.phase != .finished || byAddress[address] == nil {
        byAddress[address] = slot
      }
    }
    if pod.template.ports.contains(where: { $0.hostPort != nil }) { hostPorts.insert(slot) }
    var listing = byNamespace.removeValue(forKey: pod.namespace) ?? Listing()
    listing.all.insertSorted(slot)
    for pair in pod.labels.pairs { listing.byLabel[pair, default: []].insertSorted(slot) }
    if let owner = pod.owner { listing.byOwner[owner, default: []].insertSorted(slot) }
    byNamespace[pod.namespace] = listing
  }

  @discardableResult
  public mutating func remove(_ name: ObjectName) -> Pod? {
    guard let slot = byName.removeValue(forKey: name) else { return nil }
    let pod = self[slot]
    slots[Int(slot)] = nil
    free.append(slot)
    hostPorts.remove(slot)
    for address in pod.addresses where byAddress[address] == slot { byAddress[address] = nil }
    guard var listing = byNamespace.removeValue(forKey: pod.namespace) else { return pod }
    listing.all.removeSorted(slot)
    for pair in pod.labels.pairs { listing.byLabel.removeSlot(slot, from: pair) }
    if let owner = pod.owner { listing.byOwner.removeSlot(slot, from: owner) }
    if !listing.all.isEmpty { byNamespace[pod.namespace] = listing }
    return pod
  }

  /// The pods of `namespace` that `selector` selects, found from its rarest label.
  public func select(_ selector: LabelSelector, in namespace: String) -> [Pod] {
    guard let listing = byNamespace[namespace] else { return [] }
    var candidates = listing.all
    for requirement in selector.requirements
    where requirement.op == .isIn && requirement.values.count == 1 {
      let list =
        listing.byLabel[Labels.Pair(key: requirement.key, value: requirement.values[0])] ?? []
      if list.count < candidates.count { candidates = list }
    }
    return candidates.compactMap { slot in
      let pod = self[slot]
      return selector.matches(pod.labels) ? pod : nil
    }
  }

  public func owned(by owner: Owner, in namespace: String) -> [Pod] {
    byNamespace[namespace]?.byOwner[owner]?.map { self[$0] } ?? []
  }
}

extension [PodStore.Slot] {
  /// The index of the first element that is not below `slot`.
  private func place(of slot: Element) -> Int {
    if let last, last < slot { return count }
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if self[middle] < slot { low = middle + 1 } else { high = middle }
    }
    return low
  }

  fileprivate mutating func insertSorted(_ slot: Element) { insert(slot, at: place(of: slot)) }

  fileprivate mutating func removeSorted(_ slot: Element) {
    let index = place(of: slot)
    if index < count, self[index] == slot { remove(at: index) }
  }
}

extension Dictionary where Value == [PodStore.Slot] {
  fileprivate mutating func removeSlot(_ slot: PodStore.Slot, from key: Key) {
    guard let index = index(forKey: key) else { return }
    values[index].removeSorted(slot)
    if values[index].isEmpty { remove(at: index) }
  }
}
