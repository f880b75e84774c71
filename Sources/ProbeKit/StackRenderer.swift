import LinuxBPF
public import Signals
import Synchronization

/// A stack in words.
public final class RenderedStack: Sendable {
  /// `symbol+0xOFFSET`, one frame a line, innermost first; an address that nobody can name stays `0x…`.
  public let text: SharedText
  /// The functions, innermost first, without compiler suffixes.
  public let functions: [Substring]
  /// Whether the task that the CPU ran is the one that the packet belongs to: the kernel was in that task's system
  /// call, and neither in an interrupt nor working on packets of others.
  public let isOwnersContext: Bool

  init(text: SharedText, functions: [Substring], isOwnersContext: Bool) {
    self.text = text
    self.functions = functions
    self.isOwnersContext = isOwnersContext
  }

  static let empty = RenderedStack(text: .empty, functions: [], isOwnersContext: false)
}

/// Turns stacks into text and tells in whose context they ran. The few stacks that recur are rendered once.
public final class StackRenderer: Sendable {
  /// Stacks kept at most, a power of two. Each has one place; the next stack of the same place takes it over.
  static let slots = 1024

  private struct Slot {
    var hash: UInt64 = 0
    var stack: RenderedStack?
  }

  private struct State {
    var generation = -1
    var stacks = Array(repeating: Slot(), count: slots)
  }

  private let symbols: Symbolizer
  private let state = Mutex(State())

  init(_ symbols: Symbolizer) { self.symbols = symbols }

  /// Lets go of what older symbols named; the generation of the symbols. The reader of events calls it before every batch.
  @discardableResult
  func expire() -> Int {
    let generation = symbols.generation
    state.withLock { if $0.generation != generation { $0 = State(generation: generation) } }
    return generation
  }

  public func render(_ frames: Record.Frames) -> RenderedStack {
    if frames.count == 0 { return .empty }
    let hash = Self.hash(frames)
    let slot = Int(truncatingIfNeeded: hash ^ hash >> 32) & (Self.slots - 1)
    let known = state.withLock { state -> RenderedStack? in
      state.stacks[slot].hash == hash ? state.stacks[slot].stack : nil
    }
    if let known { return known }
    let result = Self.render((0..<frames.count).map { frames[$0] }) { symbols.place(ofReturnAddress: $0) }
    state.withLock { $0.stacks[slot] = Slot(hash: hash, stack: result) }
    return result
  }

  /// FNV-1a over the addresses, in two strands of which neither waits for the other: two different stacks with one hash are
  /// not to be expected in 64 bits.
  private static func hash(_ frames: Record.Frames) -> UInt64 {
    let prime: UInt64 = 0x100_0000_01b3
    var (even, odd): (UInt64, UInt64) = (0xcbf2_9ce4_8422_2325, 0)
    var index = 0
    while index + 1 < frames.count {
      even = (even ^ frames[index]) &* prime
      odd = (odd ^ frames[index + 1]) &* prime
      index += 2
    }
    if index < frames.count { even = (even ^ frames[index]) &* prime }
    return (even ^ odd << 32 ^ odd >> 32) &* prime ^ UInt64(frames.count)
  }

  /// The pure part: names by `place`.
  static func render(_ addresses: [UInt64], place: (UInt64) -> KernelSymbolTable.Place?) -> RenderedStack {
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
    return RenderedStack(
      text: SharedText(lines.dropFirst(own).joined(separator: "\n")), functions: functions,
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
