import Glibc
import LinuxSystem

/// The clock of the kernel programs.
public enum Clock {
  /// Nanoseconds of CLOCK_MONOTONIC, which bpf_ktime_get_ns() reads.
  public static var monotonic: UInt64 { UInt64(Machine.nanoseconds(CLOCK_MONOTONIC)) }
}
