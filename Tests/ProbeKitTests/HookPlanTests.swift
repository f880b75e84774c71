@testable import LinuxBPF
@testable import ProbeKit
import PacketLoss
import TCPReset
import Testing

struct HookPlanTests {
  static func kernel(_ source: BTFSource, _ tracepoints: [String: Int]) -> KernelFacts {
    KernelFacts(
      release: "5.10.0", btf: KernelBTF(source: source, arguments: tracepoints, enumerators: [:]), btfProblem: nil,
      hasNetnsCookies: true)
  }

  static let resets = ["tcp_send_reset": 2, "tcp_receive_reset": 1, "net_dev_queue": 1]

  @Test("with the kernel's own BTF: BTF tracepoints; the arity is the kernel's")
  func kernelBTF() {
    let plan = HookPlan(TCPReset.manifest, on: Self.kernel(.kernel, Self.resets))
    #expect(plan.chosen.map(\.attachment) == [.btf, .btf, .btf])
    #expect(plan.chosen.map(\.arguments) == [2, 1, 1])
    #expect(plan.impossibility == nil)
  }

  @Test("with BTF from a file: raw tracepoints")
  func fileBTF() {
    let plan = HookPlan(TCPReset.manifest, on: Self.kernel(.file("/x"), Self.resets))
    #expect(plan.chosen.map(\.attachment) == [.raw, .raw, .raw])
  }

  @Test("an optional hook that the kernel lacks is missing with its reason, a required one makes the probe impossible")
  func missing() {
    var fewer = Self.resets
    fewer["net_dev_queue"] = nil
    let degraded = HookPlan(TCPReset.manifest, on: Self.kernel(.kernel, fewer))
    #expect(degraded.impossibility == nil)
    #expect(degraded.missing.map(\.hook.tracepoint) == ["net_dev_queue"])
    #expect(degraded.missing[0].reason.contains("kernel 5.10.0 has no tracepoint net_dev_queue"))
    fewer["tcp_send_reset"] = nil
    #expect(HookPlan(TCPReset.manifest, on: Self.kernel(.kernel, fewer)).impossibility != nil)
  }

  @Test("without BTF the reason is passed on")
  func noBTF() {
    let kernel = KernelFacts(release: "4.19", btf: nil, btfProblem: "no BTF here", hasNetnsCookies: false)
    #expect(HookPlan(PacketLoss.manifest, on: kernel).impossibility == "no BTF here")
  }

  @Test("no attachment allowed that works: said so")
  func notAllowed() {
    let plan = HookPlan(PacketLoss.manifest, on: Self.kernel(.file("/x"), ["kfree_skb": 4]), allowed: [.btf])
    #expect(plan.impossibility?.contains("/x") == true)
  }
}
