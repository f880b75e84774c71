import CLibbpf
import Glibc

/// Reads records from a ring buffer map. One thread owns it.
@safe
public final class RingBufferReader {
  private let map: BPFMap
  private let ring: OpaquePointer
  private let receiver: Receiver

  @safe
  private final class Receiver {
    let body: (UnsafeRawBufferPointer) -> Void
    init(_ body: @escaping (UnsafeRawBufferPointer) -> Void) { unsafe self.body = body }
  }

  /// `body` gets each record's bytes; they are gone when it returns.
  public init(_ map: BPFMap, _ body: @escaping (UnsafeRawBufferPointer) -> Void) throws(BPFError) {
    let receiver = unsafe Receiver(body)
    let context = unsafe Unmanaged.passUnretained(receiver).toOpaque()
    let ring = unsafe ring_buffer__new(
      map.descriptor,
      { context, data, size in
        let receiver = unsafe Unmanaged<Receiver>.fromOpaque(context!)
        unsafe receiver._withUnsafeGuaranteedRef {
          unsafe $0.body(UnsafeRawBufferPointer(start: data.unsafelyUnwrapped, count: size))
        }
        return 0
      }, context, nil)
    guard let ring = unsafe ring else { throw BPFError(errno: Glibc.errno, "mapping the ring buffer") }
    self.map = map
    unsafe self.ring = ring
    self.receiver = receiver
  }

  deinit { unsafe ring_buffer__free(ring) }

  /// Waits until the kernel wakes us or `milliseconds` have passed, then reads what is there. Returns the number of records.
  /// The kernel is told to wake us only when much is waiting, so the time is also the longest delay of an event.
  @discardableResult
  public func wait(milliseconds: Int32) throws(BPFError) -> Int {
    let woken = unsafe ring_buffer__poll(ring, milliseconds)
    guard woken >= 0 || woken == -EINTR else { throw BPFError(errno: -woken, "waiting for the ring buffer") }
    return max(Int(woken), 0) + (try drain())
  }

  /// Reads what is there now. Returns the number of records.
  @discardableResult
  public func drain() throws(BPFError) -> Int {
    let count = unsafe ring_buffer__consume(ring)
    guard count >= 0 else { throw BPFError(errno: -count, "reading the ring buffer") }
    return Int(count)
  }
}
