import LabSupport
import Testing

/// Everything that needs the running kernel, one test after another: the probes see the whole machine, and accounts are
/// compared to the last packet.
@Suite(
  .serialized, .enabled(if: LabRequirement.isMet, "needs root: makes network namespaces and loads kernel programs"))
struct Lab {}
