import CBenchReference
import CProbeEvents
import LinuxBPF
import ProbeKit

/// The event reader's work in Swift: ring buffer, decode, count, by the product's reader and decoder. The table is the one
/// of Sources/CBenchReference/reader.c.
@safe
final class SwiftCounter {
  let slots: UnsafeMutablePointer<cbench_slot>
  private let mask: Int

  /// `capacity` is a power of two.
  init(capacity: Int) {
    unsafe slots = .allocate(capacity: capacity)
    unsafe slots.initialize(repeating: cbench_slot(), count: capacity)
    mask = capacity - 1
  }

  deinit { unsafe slots.deallocate() }

  @inline(__always)
  func count(_ bytes: UnsafeRawBufferPointer) {
    guard let record = unsafe Record(bytes, clockOffset: 0), let event = record.fixed(as: packetloss_event.self) else {
      return
    }
    let key = Self.key(event)
    var index = Int(truncatingIfNeeded: Self.hash(key)) & mask
    while true {
      let slot = unsafe slots + index
      if unsafe slot.pointee.count == 0 {
        unsafe slot.pointee = cbench_slot(key: key, count: 1)
        return
      }
      if unsafe Self.areEqual(slot.pointee.key, key) {
        unsafe slot.pointee.count &+= 1
        return
      }
      index = (index &+ 1) & mask
    }
  }

  @inline(__always)
  private static func key(_ event: packetloss_event) -> cbench_key {
    typealias Words = (UInt64, UInt64, UInt64, UInt64, UInt64)
    // A copy of 40 bytes whatever they mean, as memcpy(3) in the C side.
    let tuple = unsafe unsafeBitCast(event.packet.tuple, to: Words.self)
    return cbench_key(words: (event.header.netns, tuple.0, tuple.1, tuple.2, tuple.3, tuple.4))
  }

  @inline(__always)
  private static func hash(_ key: cbench_key) -> UInt64 {
    var value: UInt64 = 0xcbf2_9ce4_8422_2325
    func mix(_ word: UInt64) {
      value = (value ^ word) &* 0x9e37_79b9_7f4a_7c15
      value ^= value >> 32
    }
    let words = key.words
    mix(words.0)
    mix(words.1)
    mix(words.2)
    mix(words.3)
    mix(words.4)
    mix(words.5)
    return value
  }

  @inline(__always)
  private static func areEqual(_ a: cbench_key, _ b: cbench_key) -> Bool { a.words == b.words }
}
