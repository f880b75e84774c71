import LinuxBPF
import ProbeCatalog
import ProbeKit
import Signals
import LinuxSystem
import Logging
import Workloads

/// `skoop-agent probes`: what each probe gives, and the hook it takes on this machine, tried out by loading it.
public enum ProbeListing {
  public struct Row: Codable, Sendable {
    public var name: String
    public var help: String
    /// `available`, `degraded` (without some hooks) or `unavailable`.
    public var state: String
    public var hooks: [String]
    /// What is missing and why.
    public var problems: [String]
    public var metrics: [String]
    public var events: [String]
  }

  /// Loads and attaches every probe for a moment. Without the permission, says so and still lists what there is.
  public static func rows() -> [Row] {
    let kernel = KernelFacts.current(for: ProbeCatalog.manifests)
    let context = ProbeContext(
      kernel: kernel, symbols: Symbolizer(), workloads: WorkloadDirectory(node: Machine.hostName))
    var options = ProbeRunner.Options()
    options.statistics = false
    options.ringBytes = 1 << 16
    let quiet = Logger(label: "probes") { _ in SwiftLogNoOpLogHandler() }
    let runner = Result { try ProbeRunner(catalog: ProbeCatalog.all, context: context, options: options, log: quiet) }
    return ProbeCatalog.manifests.map { manifest in
      var row = Row(
        name: manifest.id, help: manifest.help, state: "available", hooks: [], problems: [],
        metrics: manifest.metrics.map(\.name), events: manifest.events.map(\.type))
      do {
        switch try runner.get().start(manifest.id, ProbeSettings(events: false)) {
        case .running(let loaded):
          row.hooks = loaded.plan.chosen.map { "\($0.hook.tracepoint) by \($0.attachment.rawValue)" }
          row.problems = (loaded.plan.missing + loaded.failures).map {
            "\($0.hook.tracepoint) (\($0.hook.gives)): \($0.reason)"
          }
          if !row.problems.isEmpty { row.state = "degraded" }
        case .failed(let reason):
          row.state = "unavailable"
          row.problems = [reason]
        }
      } catch {
        row.state = "unavailable"
        row.problems = ["\(error)"]
      }
      if case .success(let runner) = runner { runner.stop() }
      return row
    }
  }

  public static func text(_ rows: [Row]) -> String {
    rows.map { row in
      var lines = [
        "\(row.name): \(row.help)",
        "  here:    \(row.state)" + (row.hooks.isEmpty ? "" : ", " + row.hooks.joined(separator: ", ")),
      ]
      lines += row.problems.map { "  missing: \($0)" }
      lines.append("  events:  " + row.events.joined(separator: ", "))
      lines.append("  metrics: " + row.metrics.joined(separator: ", "))
      return lines.joined(separator: "\n")
    }.joined(separator: "\n\n") + "\n"
  }
}
