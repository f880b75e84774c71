import CLibbpf
import Glibc

/// A map in the kernel, by its descriptor. Sendable because every operation is one system call on a number that never
/// changes while the map lives.
public final class BPFMap: Sendable {
  public let descriptor: Int32
  public let keySize: Int
  public let valueSize: Int
  public let maxEntries: Int
  private let isHash: Bool

  /// Takes over `descriptor`.
  init(owning descriptor: Int32) throws(BPFError) {
    var info = clibbpf_map_info()
    let result = unsafe clibbpf_map_info(descriptor, &info)
    guard result == 0 else {
      close(descriptor)
      throw BPFError(errno: -result, "asking for a map's properties")
    }
    self.descriptor = descriptor
    self.keySize = Int(info.key_size)
    self.valueSize = Int(info.value_size)
    self.maxEntries = Int(info.max_entries)
    self.isHash = info.type == BPF_MAP_TYPE_HASH.rawValue
  }

  /// Creates a map that several objects will share.
  public convenience init(
    creating kind: Kind, name: String, keySize: Int, valueSize: Int, maxEntries: Int
  ) throws(BPFError) {
    let descriptor = unsafe bpf_map_create(
      kind.type, name, UInt32(keySize), UInt32(valueSize), UInt32(maxEntries), nil)
    guard descriptor >= 0 else { throw BPFError(errno: -descriptor, "creating the map \(name)") }
    try self.init(owning: descriptor)
  }

  deinit { close(descriptor) }

  public enum Kind: Sendable {
    case ringBuffer, perCPUArray, lruHash, hash

    var type: bpf_map_type {
      switch self {
      case .ringBuffer: BPF_MAP_TYPE_RINGBUF
      case .perCPUArray: BPF_MAP_TYPE_PERCPU_ARRAY
      case .lruHash: BPF_MAP_TYPE_LRU_HASH
      case .hash: BPF_MAP_TYPE_HASH
      }
    }
  }

  /// The entries of a hash map, read in batches (BPF_MAP_LOOKUP_BATCH, 5.6), so that a map of thousands costs a few system
  /// calls. Entries that change meanwhile may be missing or come twice in rare cases; the last reading wins.
  public func entries<Key: BitwiseCopyable, Value: BitwiseCopyable>(
    _ key: Key.Type = Key.self, _ value: Value.Type = Value.self
  ) throws(BPFError) -> [(key: Key, value: Value)] {
    guard MemoryLayout<Key>.stride == keySize, MemoryLayout<Value>.stride == valueSize else {
      throw BPFError(.mismatch, "map with keys of \(keySize) and values of \(valueSize) bytes read as other types")
    }
    var result: [(key: Key, value: Value)] = []
    try forEachBatch { keys, values, count in
      for index in 0..<count {
        let key = unsafe keys.withUnsafeBytes {
          unsafe $0.loadUnaligned(fromByteOffset: index * keySize, as: Key.self)
        }
        let value = unsafe values.withUnsafeBytes {
          unsafe $0.loadUnaligned(fromByteOffset: index * valueSize, as: Value.self)
        }
        result.append((key, value))
      }
    }
    return result
  }

  /// How many entries a hash map has; nil for other kinds.
  public func count() throws(BPFError) -> Int? {
    guard isHash else { return nil }
    var total = 0
    try forEachBatch { _, _, count in total += count }
    return total
  }

  private func forEachBatch(_ body: ([UInt8], [UInt8], Int) -> Void) throws(BPFError) {
    // A batch must hold at least one bucket of the kernel's table, whatever its length: the whole map always does.
    let room = min(max(maxEntries, 1), 1024)
    var keys = [UInt8](repeating: 0, count: room * keySize)
    var values = [UInt8](repeating: 0, count: room * valueSize)
    var position: UInt64 = 0
    var first = true
    while true {
      var count = UInt32(room)
      let status = unsafe clibbpf_lookup_batch(descriptor, first, &position, &keys, &values, &count)
      guard status >= 0 else { throw BPFError(errno: -status, "reading a map") }
      body(keys, values, Int(count))
      if status == 1 { return }
      first = false
    }
  }

  /// Sets an entry whose value is an array; what is left of its room becomes zero.
  public func set<Key: BitwiseCopyable, Element: BitwiseCopyable>(_ key: Key, array: [Element]) throws(BPFError) {
    guard MemoryLayout<Key>.size == keySize, array.count * MemoryLayout<Element>.stride <= valueSize else {
      throw BPFError(.mismatch, "map with keys of \(keySize) and values of \(valueSize) bytes written as other types")
    }
    var key = key
    var bytes = unsafe array.withUnsafeBytes { unsafe Array($0) }
    bytes += Array(repeating: 0, count: valueSize - bytes.count)
    let status = unsafe bpf_map_update_elem(descriptor, &key, &bytes, 0)
    guard status == 0 else { throw BPFError(errno: -status, "writing to a map") }
  }

  /// Removes an entry; one that is gone already is no error.
  public func remove<Key: BitwiseCopyable>(_ key: Key) throws(BPFError) {
    var key = key
    let status = unsafe bpf_map_delete_elem(descriptor, &key)
    guard status == 0 || status == -ENOENT else { throw BPFError(errno: -status, "deleting from a map") }
  }

  /// The sum over all CPUs of each counter of a per-CPU array of 64-bit counters.
  public func perCPUSums() throws(BPFError) -> [UInt64] {
    let cpus = libbpf_num_possible_cpus()
    guard cpus > 0, valueSize == 8 else { throw BPFError(.mismatch, "no per-CPU counters") }
    var values = [UInt64](repeating: 0, count: Int(cpus))
    var sums: [UInt64] = []
    for index in 0..<UInt32(maxEntries) {
      var key = index
      let status = unsafe bpf_map_lookup_elem(descriptor, &key, &values)
      guard status == 0 else { throw BPFError(errno: -status, "reading per-CPU counters") }
      sums.append(values.reduce(0, &+))
    }
    return sums
  }
}
