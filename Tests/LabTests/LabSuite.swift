import LabSupport
import ProbeCatalog
import ProbeKit
import Testing

/// Everything that needs the running kernel, one test after another: the probes see the whole machine, and accounts are
/// compared to the last packet.
@Suite(
  .serialized, .enabled(if: LabRequirement.isMet, "needs root: makes network namespaces and loads kernel programs"))
struct Lab {}

/// What the running kernel tells. Tests expect what is documented for it, and skip only what it cannot show.
enum LabKernel {
  static let facts = KernelFacts.current(for: ProbeCatalog.manifests)

  static func arguments(_ tracepoint: String) -> Int { facts.btf?.arguments(ofTracepoint: tracepoint) ?? 0 }

  static let tellsResetReasons = arguments("tcp_send_reset") >= 3
  static let tellsFailedRetransmissions = arguments("tcp_retransmit_skb") >= 3
}
