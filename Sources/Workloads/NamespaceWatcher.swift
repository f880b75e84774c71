import CLinux
import Glibc
import LinuxSystem
import Synchronization

/// Keeps a directory up to date: scans when the mount table changes (a named namespace is a mount), again shortly after
/// (addresses come later than the namespace), and every few seconds.
public final class NamespaceWatcher: Sendable {
  /// Milliseconds from a change to the following scans.
  static let followUps: [Int32] = [20, 80, 200, 700, 1000]
  static let period: Int32 = 5000

  private let directory: WorkloadDirectory
  private let stopEvent: Int32
  private let thread = Mutex<DedicatedThread?>(nil)

  public init(_ directory: WorkloadDirectory) throws {
    self.directory = directory
    stopEvent = clinux_eventfd()
    guard stopEvent >= 0 else { throw SystemError(errno: -stopEvent, doing: "creating an eventfd") }
  }

  deinit { close(stopEvent) }

  /// Scans once, then watches on a thread of its own until `stop`.
  public func start() throws {
    directory.scan()
    let path = "/proc/self/mountinfo"
    let mounts = try Descriptor(opening: path)
    let descriptor = dup(mounts.rawValue)
    let stopEvent = self.stopEvent
    let directory = self.directory
    let started = try DedicatedThread("skoop-workloads") {
      Self.watch(mounts: Descriptor(owning: descriptor), stopEvent: stopEvent, directory)
    }
    thread.withLock { $0 = started }
  }

  /// Ends the thread and waits for it.
  public func stop() {
    var one: UInt64 = 1
    _ = unsafe write(stopEvent, &one, 8)
    thread.withLock { $0 }?.join()
  }

  private static func watch(mounts: consuming Descriptor, stopEvent: Int32, _ directory: WorkloadDirectory) {
    var pending: ArraySlice<Int32> = followUps[...]
    while true {
      var descriptors = [
        // A changed mount table shows as POLLPRI and POLLERR (proc_pid_mountinfo(5)).
        pollfd(fd: mounts.rawValue, events: Int16(POLLPRI), revents: 0),
        pollfd(fd: stopEvent, events: Int16(POLLIN), revents: 0),
      ]
      let count = unsafe poll(&descriptors, 2, pending.first ?? period)
      if count < 0, errno != EINTR { return }
      if descriptors[1].revents != 0 { return }
      if descriptors[0].revents != 0 { pending = followUps[...] } else { pending = pending.dropFirst() }
      directory.scan()
    }
  }
}
