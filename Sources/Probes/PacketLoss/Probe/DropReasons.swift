import LinuxBPF
import ProbeKit

/// The running kernel's drop reasons by number: its own names, so that a new kernel's reasons appear by themselves.
struct DropReasons: Sendable {
  static let enumerations = ["skb_drop_reason", "mac80211_drop_reason", "ovs_drop_reason"]
  /// Where the enumerations of the sub-systems live when they are not built in.
  static let modules = ["mac80211", "openvswitch"]
  static let prefix = "SKB_DROP_REASON_"
  static let notSpecified = "NOT_SPECIFIED"

  private let names: [UInt32: String]
  private let numbers: [String: UInt32]
  /// Whether the tracepoint gives a reason at all (5.17).
  let areGiven: Bool

  init(_ kernel: KernelFacts) {
    areGiven = (kernel.btf?.arguments(ofTracepoint: "kfree_skb") ?? 0) >= 3
    var names: [UInt32: String] = [:]
    for enumeration in Self.enumerations.reversed() {
      names.merge(kernel.names(of: enumeration, droppingPrefix: Self.prefix)) { _, core in core }
    }
    self.names = names
    numbers = Dictionary(names.map { ($0.value, $0.key) }, uniquingKeysWith: min)
  }

  /// The kernel's name without `SKB_DROP_REASON_`; `UNKNOWN_<number>` for one that BTF does not have.
  func name(of number: UInt32) -> String { names[number] ?? "UNKNOWN_\(number)" }

  func number(of name: String) -> UInt32? { numbers[name] }
}
