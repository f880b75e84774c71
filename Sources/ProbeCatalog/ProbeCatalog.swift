import PacketLoss
public import ProbeKit
import TCPReset
import TCPRetrans

/// Every probe, in the order that people see them.
public enum ProbeCatalog {
  public static let all: [any KernelProbe.Type] = [PacketLoss.self, TCPRetrans.self, TCPReset.self]

  public static let manifests: [ProbeManifest] = all.map { $0.manifest }
}
