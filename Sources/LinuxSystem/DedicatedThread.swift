import CLinux
import Glibc
import Synchronization

/// A thread of our own, for what must not run on Swift's pool: switching network namespaces and blocking in the kernel.
public final class DedicatedThread: Sendable {
  private let thread: Mutex<pthread_t?>

  /// Starts `body` on a new thread called `name` (15 bytes are shown). Somebody must `join` it.
  public init(_ name: String, _ body: @escaping @Sendable () -> Void) throws {
    var thread = pthread_t()
    let context = unsafe Unmanaged.passRetained(ThreadStart(name: name, body: body)).toOpaque()
    let error = unsafe pthread_create(
      &thread, nil,
      { context in
        let start = unsafe Unmanaged<ThreadStart>.fromOpaque(context!).takeRetainedValue()
        unsafe clinux_set_thread_name(start.name)
        start.body()
        return nil
      }, context)
    guard error == 0 else {
      unsafe Unmanaged<ThreadStart>.fromOpaque(context).release()
      throw SystemError(errno: error, doing: "starting the thread \(name)")
    }
    self.thread = Mutex(thread)
  }

  /// Waits for the thread's end; does nothing when somebody else has.
  public func join() {
    let thread = thread.withLock { thread in
      defer { thread = nil }
      return thread
    }
    if let thread { _ = pthread_join(thread, nil) }
  }

  /// Runs `body` on a new thread and waits for its end.
  public static func run<Result: Sendable>(
    _ name: String, _ body: @escaping @Sendable () throws -> Result
  ) throws -> Result {
    let outcome = Outcome<Result>()
    try DedicatedThread(name) { outcome.store(Swift.Result { try body() }) }.join()
    return try outcome.take().get()
  }
}

private final class ThreadStart: Sendable {
  let name: String
  let body: @Sendable () -> Void

  init(name: String, body: @escaping @Sendable () -> Void) {
    self.name = name
    self.body = body
  }
}

private final class Outcome<Value: Sendable>: Sendable {
  private let value = Mutex<Result<Value, any Error>?>(nil)

  func store(_ result: Result<Value, any Error>) { value.withLock { $0 = result } }
  func take() -> Result<Value, any Error> { value.withLock { $0! } }
}
