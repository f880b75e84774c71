import LinuxBPF
public import Signals
import Synchronization

/// Turns stacks into text and tells in whose context they ran. The few stacks that recur are rendered once.
public final class StackRenderer: Sendable {
  /// A stack in words.
  public struct Rendered: Sendable, Hashable {
    /// `symbol+0xOFFSET`, one frame a line, innermost first; an address that nobody can name stays `0x…`.
    public var text: String { shared.text }
    public let shared: SharedText
    /// The functions, innermost first, without compiler suffixes.
    public let functions: [Substring]
    /// Whether the task that the CPU ran is the one that the packet belongs to: the kernel was in that task's system
    /// call, and neither in an interrupt nor working on packets of others.
    public let isOwnersContext: Bool

    public static let empty = Rendered(shared: .empty, functions: [], isOwnersContext: false)
  }

  /// Stacks kept at most; the table starts anew beyond.
  static let maximumStacks = 2048

  private let symbols: Symbolizer
  private let rendered = Mutex<(generation: Int, stacks: [UInt64: Rendered])>((0, [:]))

  init(_ symbols: Symbolizer) { self.symbols = symbols }

  public func render(_ frames: Record.Frames) -> Rendered {
    if frames.count == 0 { return .empty }
    // FNV-1a over the addresses: two different stacks with one hash are not to be expected in 64 bits.
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for index in 0..<frames.count { hash = (hash ^ frames[index]) &* 0x100_0000_01b3 }
    let generation = symbols.generation
    let known = rendered.withLock { cache -> Rendered? in
      if cache.generation != generation { cache = (generation, [:]) }
      return cache.stacks[hash]
    }
    if let known { return known }
    let result = Self.render((0..<frames.count).map { frames[$0] }) { symbols.place(ofReturnAddress: $0) }
    rendered.withLock { cache in
      if cache.stacks.count >= Self.maximumStacks { cache.stacks.removeAll(keepingCapacity: true) }
      cache.stacks[hash] = result
    }
    return result
  }

  /// The pure part: names by `place`.
  static func render(_ addresses: [UInt64], place: (UInt64) -> KernelSymbolTable.Place?) -> Rendered {
    var lines: [String] = []
    var functions: [Substring] = []
    for address in addresses {
      guard let place = place(address) else {
        lines.append("0x" + String(address, radix: 16))
        functions.append("")
        continue
      }
      lines.append("\(place.function)+0x\(String(place.offset, radix: 16))")
      functions.append(Self.plainName(place.function))
    }
    // What the kernel runs to get to our program is not part of the story.
    let own = functions.prefix(8).lastIndex { name in Self.tracing.contains { name.hasPrefix($0) } }.map { $0 + 1 } ?? 0
    functions.removeFirst(own)
    return Rendered(
      shared: SharedText(lines.dropFirst(own).joined(separator: "\n")), functions: functions,
      isOwnersContext: Self.isOwnersContext(functions))
  }

  /// Frames between the traced function and our program.
  static let tracing = ["bpf_prog_", "bpf_trace_run", "__bpf_trace_", "__traceiter_", "trace_call_bpf"]

  /// A function's name without what compilers append.
  static func plainName(_ function: String) -> Substring {
    function.prefix { $0 != "." }
  }

  /// Entering the kernel from a system call, on x86-64 and arm64.
  static let systemCall: Set<Substring> = [
    "do_syscall_64", "entry_SYSCALL_64_after_hwframe", "do_fast_syscall_32", "do_int80_emulation", "invoke_syscall",
    "el0_svc",
  ]

  /// Where the kernel, though on the back of a task, works for others: interrupts, packets that just came in, a queue
  /// that everybody's packets wait in.
  static let foreign: Set<Substring> = [
    "handle_softirqs", "__do_softirq", "do_softirq", "net_rx_action", "net_tx_action", "__irq_exit_rcu", "irq_exit_rcu",
    "common_interrupt", "sysvec_apic_timer_interrupt", "el0_interrupt", "el1_interrupt", "__netif_receive_skb",
    "__netif_receive_skb_core", "__netif_receive_skb_one_core", "netif_receive_skb", "netif_receive_skb_internal",
    "process_backlog", "napi_busy_loop", "__napi_poll", "__qdisc_run", "sch_direct_xmit", "dev_qdisc_enqueue",
    "fq_codel_enqueue", "fq_enqueue", "cake_enqueue", "sfq_enqueue", "__neigh_event_send", "neigh_flush_dev",
    "__neigh_ifdown", "dev_deactivate_many", "dev_reset_queue", "tcp_abort",
    "inet_diag_handler_cmd", "nf_reinject", "nfqnl_reinject", "nfqnl_recv_verdict", "nfqnl_recv_verdict_batch",
    "__softirqentry_text_start", "irq_exit", "cleanup_net", "__dev_close_many", "unregister_netdevice_many_notify",
  ]

  static func isOwnersContext(_ functions: [Substring]) -> Bool {
    functions.contains { systemCall.contains($0) } && !functions.contains { foreign.contains($0) }
  }
}
