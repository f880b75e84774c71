import Glibc

/// A counting semaphore for threads of our own (sem_overview(7)); never wait on one from Swift's pool.
@safe
public final class ThreadSignal: @unchecked Sendable {
  // Sendable: sem_post and sem_wait are made for several threads.
  private let semaphore: UnsafeMutablePointer<sem_t>

  public init() {
    unsafe semaphore = .allocate(capacity: 1)
    unsafe sem_init(semaphore, 0, 0)
  }

  deinit {
    unsafe sem_destroy(semaphore)
    unsafe semaphore.deallocate()
  }

  public func signal() { unsafe sem_post(semaphore) }

  public func wait() {
    while unsafe sem_wait(semaphore) != 0, errno == EINTR {}
  }
}
