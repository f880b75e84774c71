import CLinux
public import Glibc

/// What this process uses, from /proc/self (proc_pid_stat(5)).
public struct ProcessUsage: Hashable, Sendable {
  /// User and system time, seconds.
  public var cpuSeconds: Double
  /// Resident memory, bytes.
  public var residentBytes: UInt64
  public var virtualBytes: UInt64
  /// Start, seconds since 1970.
  public var startSeconds: Double
  public var openDescriptors: Int

  /// Nil when /proc is not readable.
  public static func current() -> ProcessUsage? {
    guard let stat = try? Files.text("/proc/self/stat"), let system = try? Files.text("/proc/stat"),
      // The command's name may hold spaces and parentheses: count the fields behind its end.
      let end = stat.lastIndex(of: ")")
    else { return nil }
    let fields = stat[stat.index(after: end)...].split(separator: " ")
    guard fields.count > 21, let user = Double(fields[11]), let kernel = Double(fields[12]),
      let start = Double(fields[19]), let size = UInt64(fields[20]), let pages = UInt64(fields[21]),
      let bootLine = system.split(separator: "\n").first(where: { $0.hasPrefix("btime ") }),
      let boot = Double(bootLine.dropFirst(6))
    else { return nil }
    let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
    return ProcessUsage(
      cpuSeconds: (user + kernel) / ticks, residentBytes: pages * UInt64(sysconf(Int32(_SC_PAGESIZE))),
      virtualBytes: size, startSeconds: boot + start / ticks,
      openDescriptors: Files.names(in: "/proc/self/fd").count)
  }
}

/// The machine that this runs on.
public enum Machine {
  /// As `uname -r` prints it.
  public static var kernelRelease: String {
    var name = utsname()
    unsafe uname(&name)
    return unsafe withUnsafeBytes(of: &name.release) {
      unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
  }

  /// As `uname -n` prints it.
  public static var hostName: String {
    var name = utsname()
    unsafe uname(&name)
    return unsafe withUnsafeBytes(of: &name.nodename) {
      unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
  }

  /// Nanoseconds of a clock, e.g. `CLOCK_MONOTONIC`.
  public static func nanoseconds(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    unsafe clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}

extension Machine {
  /// CLOCK_MONOTONIC_COARSE: some milliseconds behind, and cheap enough to be read for every event.
  public static var coarseNanoseconds: Int64 { nanoseconds(CLOCK_MONOTONIC_COARSE) }
}

/// What the C library's allocator keeps.
public enum Memory {
  /// Gives freed memory back to the kernel (malloc_trim(3)). For after a spell of large, short-lived allocations: reading
  /// the kernel's BTF and symbols leaves tens of megabytes that nothing will use again.
  public static func releaseFree() { clinux_release_free_memory() }

  /// From now on buffers of 1 MiB and more go back to the kernel when they are freed. For the start of a process that will
  /// live long and has its large buffers at the beginning.
  public static func keepLittle() { clinux_keep_little_memory() }
}

/// The time of day as people here read it.
public enum LocalTime {
  /// `13:05:59.123` of nanoseconds since 1970, in the machine's time zone.
  public static func timeOfDay(_ nanoseconds: Int64) -> String {
    var seconds = time_t(nanoseconds / 1_000_000_000)
    var parts = unsafe tm()
    unsafe localtime_r(&seconds, &parts)
    func padded(_ value: Int, _ width: Int) -> String {
      let text = String(value)
      return String(repeating: "0", count: max(width - text.count, 0)) + text
    }
    let clock = unsafe [parts.tm_hour, parts.tm_min, parts.tm_sec]
    return clock.map { padded(Int($0), 2) }.joined(separator: ":") + "."
      + padded(Int(nanoseconds / 1_000_000 % 1000), 3)
  }
}
