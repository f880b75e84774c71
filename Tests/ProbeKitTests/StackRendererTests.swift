@testable import ProbeKit
@testable import LinuxBPF
import Testing

struct StackRendererTests {
  /// Frames by name: address n is the n-th.
  static func render(_ functions: [String]) -> RenderedStack {
    StackRenderer.render(functions.indices.map { UInt64($0) }) { address in
      functions[Int(address)].isEmpty ? nil : .init(function: functions[Int(address)], offset: 0x1f)
    }
  }

  @Test("text, one frame a line; what nobody can name stays a number; our own frames are left out")
  func text() {
    let rendered = Self.render(["", "bpf_trace_run4", "kfree_skb_reason", "", "ip_rcv.constprop.0"])
    #expect(rendered.text.text == "kfree_skb_reason+0x1f\n0x3\nip_rcv.constprop.0+0x1f")
    #expect(rendered.functions == ["kfree_skb_reason", "", "ip_rcv"])
  }

  struct Case: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var functions: [String]
    var isOwner: Bool
  }

  @Test(
    "whose context a stack ran in",
    arguments: [
      Case(
        testDescription: "sending, in the sender's system call",
        functions: ["nf_hook_slow", "ip_output", "udp_sendmsg", "__sys_sendto", "do_syscall_64"], isOwner: true),
      Case(
        testDescription: "closing, in the closer's system call",
        functions: ["tcp_send_active_reset", "__tcp_close", "sock_close", "__fput", "do_syscall_64"], isOwner: true),
      Case(
        testDescription: "arm64", functions: ["tcp_close", "__arm64_sys_close", "invoke_syscall", "el0_svc"],
        isOwner: true),
      Case(
        testDescription: "the backlog of a socket, worked off by its user",
        functions: ["tcp_reset", "tcp_v4_do_rcv", "release_sock", "tcp_sendmsg", "do_syscall_64"], isOwner: true),
      Case(
        testDescription: "softirq on the back of a system call",
        functions: ["tcp_v4_rcv", "ip_rcv", "net_rx_action", "handle_softirqs", "__sys_sendto", "do_syscall_64"],
        isOwner: false),
      Case(
        testDescription: "interrupt", functions: ["tcp_v4_rcv", "__irq_exit_rcu", "common_interrupt", "do_syscall_64"],
        isOwner: false),
      Case(
        testDescription: "a queue that everybody's packets wait in",
        functions: ["codel_drop", "__qdisc_run", "__dev_queue_xmit", "ip_output", "do_syscall_64"], isOwner: false),
      Case(
        testDescription: "a tunnel's process that injects the packets of others",
        functions: ["ip_rcv", "__netif_receive_skb_core", "netif_receive_skb", "tun_get_user", "do_syscall_64"],
        isOwner: false),
      Case(
        testDescription: "kernel thread", functions: ["tcp_retransmit_timer", "kthread", "ret_from_fork"],
        isOwner: false),
      Case(testDescription: "no stack", functions: [], isOwner: false),
    ])
  func context(_ test: Case) {
    #expect(Self.render(test.functions).isOwnersContext == test.isOwner)
  }
}
