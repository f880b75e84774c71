import LinuxBPF
import LinuxSystem
import ProbeKit
public import Signals
import Sinks
import Workloads

/// What the agent says about itself.
public enum SelfMetrics {
  static let info = MetricDescription(
    "skoop_agent_info", .gauge, labels: ["version", "kernel", "btf"], help: "Always 1; the labels describe the agent.")
  static let up = MetricDescription(
    "skoop_probe_up", .gauge, labels: ["probe"], help: "Whether a probe that was asked for runs and gives its metrics.")
  static let events = MetricDescription(
    "skoop_probe_events_total", .counter, labels: ["probe", "outcome"],
    help: "Events of a probe: seen by the kernel program, delivered to every sink, lost on the way, limited by rate.")
  static let hidden = MetricDescription(
    "skoop_probe_hidden_total", .counter, labels: ["probe"], help: "What a probe counted but showed no event for.")
  static let cut = MetricDescription(
    "skoop_probe_cut_total", .counter, labels: ["probe"],
    help: "Counts that found a kernel map full and went to the series other.")
  static let unreadable = MetricDescription(
    "skoop_unreadable_records_total", .counter, labels: [], help: "Records that no probe could read.")
  static let runs = MetricDescription(
    "skoop_program_runs_total", .counter, labels: ["probe", "program"],
    help: "Runs of a kernel program while run time is counted.")
  static let runTime = MetricDescription(
    "skoop_program_run_seconds_total", .counter, labels: ["probe", "program"],
    help: "Time spent in a kernel program while run time is counted, in seconds.")
  static let misses = MetricDescription(
    "skoop_program_recursion_misses_total", .counter, labels: ["probe", "program"],
    help: "Runs that the kernel left out because the program was already running on that CPU.")
  static let entries = MetricDescription(
    "skoop_map_entries", .gauge, labels: ["probe", "map"], help: "Entries in a probe's kernel map.")
  static let room = MetricDescription(
    "skoop_map_max_entries", .gauge, labels: ["probe", "map"], help: "Entries that a probe's kernel map can hold.")
  static let sinks = MetricDescription(
    "skoop_sink_events_total", .counter, labels: ["sink", "outcome"],
    help: "Events that a sink wrote (delivered), or could not write or queue (lost).")
  static let pods = MetricDescription(
    "skoop_workloads", .gauge, labels: [], help: "Named network namespaces that stand for pods.")
  static let cpu = MetricDescription(
    "process_cpu_seconds_total", .counter, labels: [], help: "User and system time of the agent, in seconds.")
  static let resident = MetricDescription(
    "process_resident_memory_bytes", .gauge, labels: [], help: "Resident memory of the agent, in bytes.")
  static let virtual = MetricDescription(
    "process_virtual_memory_bytes", .gauge, labels: [], help: "Virtual memory of the agent, in bytes.")
  static let start = MetricDescription(
    "process_start_time_seconds", .gauge, labels: [], help: "Start of the agent, in seconds since 1970.")
  static let descriptors = MetricDescription(
    "process_open_fds", .gauge, labels: [], help: "Open file descriptors of the agent.")

  /// In the order of the exposition.
  public static let all = [
    info, up, events, hidden, cut, unreadable, runs, runTime, misses, entries, room, sinks, pods, cpu, resident,
    virtual,
    start, descriptors,
  ]

  static func collect(from agent: Agent, failed: Set<String>) -> [MetricFamily] {
    let runner = agent.runner
    let kernel = runner.context.kernel
    var samples: [String: [Sample]] = [:]
    func add(_ metric: MetricDescription, _ values: [String], _ value: Double) {
      samples[metric.name, default: []].append(Sample(values, value))
    }
    add(info, [AgentVersion.text, kernel.release, kernel.btf?.source.description ?? "none"], 1)
    var wanted: Set<String> = []
    for (manifest, _, status) in runner.statuses {
      wanted.insert(manifest.id)
      if case .running = status, !failed.contains(manifest.id) {
        add(up, [manifest.id], 1)
      } else {
        add(up, [manifest.id], 0)
      }
    }
    for (id, account) in (try? agent.accounts()) ?? [] where wanted.contains(id) {
      add(events, [id, "seen"], Double(account.seen))
      add(events, [id, "delivered"], Double(account.delivered))
      add(events, [id, "lost"], Double(account.lost))
      add(events, [id, "limited"], Double(account.limited))
      add(hidden, [id], Double(account.hidden))
      add(cut, [id], Double(account.cut))
    }
    add(unreadable, [], Double(runner.unreadableRecords))
    for (probe, program, statistics) in runner.programStatistics() {
      add(runs, [probe, program], Double(statistics.runCount))
      add(runTime, [probe, program], Double(statistics.runNanoseconds) / 1e9)
      add(misses, [probe, program], Double(statistics.recursionMisses))
    }
    for (probe, map, count, maximum) in runner.mapFill() {
      add(entries, [probe, map], Double(count))
      add(room, [probe, map], Double(maximum))
    }
    for (name, account) in agent.sinkAccounts {
      add(sinks, [name, "delivered"], Double(account.delivered))
      add(sinks, [name, "lost"], Double(account.lost))
    }
    add(pods, [], Double(agent.workloads.podCount))
    if let usage = ProcessUsage.current() {
      add(cpu, [], usage.cpuSeconds)
      add(resident, [], Double(usage.residentBytes))
      add(virtual, [], Double(usage.virtualBytes))
      add(start, [], usage.startSeconds)
      add(descriptors, [], Double(usage.openDescriptors))
    }
    return all.map { MetricFamily($0, samples[$0.name] ?? []) }
  }
}

/// The version of this build.
public enum AgentVersion {
  public static let text = "0.1.0"
}
