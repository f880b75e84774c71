import AgentApp
import Foundation
import PacketLoss
import ProbeCatalog
import ProbeKit
import Signals
import TCPReset
import Testing

/// Reference documents that are made from the code. With SKOOP_UPDATE_DOCS=1 they are written anew; the test fails that
/// once, so that somebody looks at the difference.
struct DocumentTests {
  static func check(_ path: String, _ text: String) throws {
    let url = Repository.root.appending(path: path)
    if ProcessInfo.processInfo.environment["SKOOP_UPDATE_DOCS"] != nil, (try? Repository.text(path)) != text {
      try text.write(to: url, atomically: true, encoding: .utf8)
      Issue.record("\(path) was written anew: look at the difference and run again without SKOOP_UPDATE_DOCS")
    }
    #expect((try? Repository.text(path)) == text, "\(path) is not what the code says; make it with SKOOP_UPDATE_DOCS=1")
  }

  static func cell(_ text: String) -> String { text.replacingOccurrences(of: "|", with: "\\|") }

  static func rows(_ metrics: [MetricDescription]) -> String {
    var text = "| metric | type | labels | meaning |\n|---|---|---|---|\n"
    for metric in metrics {
      let labels = metric.labels.map { "`\($0)`" }.joined(separator: " ")
      text +=
        "| `\(metric.name)` | \(metric.kind == .counter ? "counter" : "gauge") | \(labels) | \(cell(metric.help)) |\n"
    }
    return text
  }

  @Test("docs/reference/metrics.md")
  func metrics() throws {
    var text = """
      # Metrics

      Made from the code by the test `DocumentTests`; do not edit. `GET /metrics` answers in Prometheus' text format 0.0.4, or in
      OpenMetrics 1.0.0 when the request accepts it; there, a counter without the suffix `_total` has the type `unknown`.
      A series whose labels say `other` stands for what a full kernel map could not take.

      """
    for manifest in ProbeCatalog.manifests {
      text += "\n## \(manifest.id)\n\n\(manifest.help).\n\n" + Self.rows(manifest.metrics)
    }
    text += "\n## The agent itself\n\n" + Self.rows(SelfMetrics.all)
    try Self.check("docs/reference/metrics.md", text)
  }

  @Test("docs/reference/probes.md")
  func probes() throws {
    var text = """
      # Probes

      Made from the code by the test `DocumentTests`; do not edit. `skoop-agent probes` says which hook a probe takes on the
      machine at hand. Each hook is tried as a BTF tracepoint (`tp_btf`) first, then as a raw tracepoint (`raw_tp`).

      """
    for (folder, manifest) in zip(["PacketLoss", "TCPRetrans", "TCPReset"], ProbeCatalog.manifests) {
      text +=
        "\n## \(manifest.id)\n\n\(manifest.help). Details: [README](../../Sources/Probes/\(folder)/README.md).\n\n"
      text += "| hook | gives | needed |\n|---|---|---|\n"
      for hook in manifest.hooks {
        text += "| `\(hook.tracepoint)` | \(hook.gives) | \(hook.isRequired ? "yes" : "no") |\n"
      }
      text += "\n| event | when |\n|---|---|\n"
      for event in manifest.events { text += "| `\(event.type)` | \(Self.cell(event.help)) |\n" }
      text += "\n| argument | default | meaning |\n|---|---|---|\n"
      for setting in manifest.allSettings {
        text += "| `\(setting.name)` | `\(setting.defaultValue)` | \(Self.cell(setting.help)) |\n"
      }
    }
    try Self.check("docs/reference/probes.md", text)
  }

  @Test("docs/reference/drop-reasons.md")
  func dropReasons() throws {
    var text = """
      # Drop reasons and reset reasons

      Made from the code by the test `DocumentTests`; do not edit. Names are the running kernel's own, without
      `SKB_DROP_REASON_` and `SK_RST_REASON_`; a reason that is not listed here is shown all the same, without a sentence.

      ## Why packets are dropped

      | reason | meaning |
      |---|---|

      """
    for row in DropReasonTexts.table { text += "| `\(row.reason)` | \(Self.cell(row.text)) |\n" }
    text += """

      ## Frees that are no loss

      Counted in `kubeskoop_packetloss_normal_total`, shown as events only with `showNormal`. A row matches when all it names
      match; "(none)" is a kernel that gives no reasons (before 5.17).

      | reason | function | condition | why it is no loss |
      |---|---|---|---|

      """
    for row in NormalDrops.table {
      let reason = row.reason.map { $0.isEmpty ? "(none)" : "`\($0)`" } ?? "any"
      let function = row.function.map { "`\($0)`" } ?? "any"
      text += "| \(reason) | \(function) | \(row.condition) | \(Self.cell(row.why)) |\n"
    }
    text += """

      ## Reasons derived from the stack

      Kernels before 5.17 give no reason. There the innermost kernel function that is no helper decides, and the reason is marked as
      derived: label `reason_source="derived"` on events, prefix `derived:` in metrics.

      | function | reason |
      |---|---|

      """
    for row in DerivedReasons.table { text += "| `\(row.function)` | `\(row.reason)` |\n" }
    text += "\n## Why TCP sends a reset\n\n| reason | meaning |\n|---|---|\n"
    for row in ResetReasonTexts.table { text += "| `\(row.reason)` | \(Self.cell(row.text)) |\n" }
    try Self.check("docs/reference/drop-reasons.md", text)
  }

  @Test("links between documents lead somewhere")
  func links() throws {
    for file in Repository.files(".", suffix: ".md") {
      let folder = (file as NSString).deletingLastPathComponent
      for match in try Repository.text(file).matches(of: /\]\(([^)#\s]+)(#[^)]*)?\)/) {
        let target = String(match.1)
        if target.contains("://") { continue }
        let path = (folder as NSString).appendingPathComponent(target)
        #expect(Repository.exists((path as NSString).standardizingPath), "\(file) links to \(target)")
      }
    }
  }
}
