import Foundation
import LinuxBPF
import ProbeCatalog
import ProbeKit
import Testing

struct CatalogTests {
  @Test("every folder of a probe is in the catalogue, and has all its parts")
  func folders() throws {
    let folders = Repository.folders("Sources/Probes")
    #expect(Set(folders.map { $0.lowercased() }) == Set(ProbeCatalog.manifests.map(\.id)))
    for folder in folders {
      #expect(Repository.exists("Sources/Probes/\(folder)/README.md"))
      #expect(Repository.exists("Sources/Probes/\(folder)/bpf/event.h"))
      #expect(!Repository.files("Sources/Probes/\(folder)/Tests", suffix: ".swift").isEmpty)
    }
  }

  @Test("names follow the contract, and none is given twice")
  func names() {
    let metrics = ProbeCatalog.manifests.flatMap(\.metrics)
    #expect(Set(metrics.map(\.name)).count == metrics.count)
    for manifest in ProbeCatalog.manifests {
      for metric in manifest.metrics {
        #expect(metric.name.hasPrefix("kubeskoop_\(manifest.id)_"))
        #expect(metric.help.hasSuffix("."))
        #expect(Set(metric.labels).count == metric.labels.count)
      }
      for setting in manifest.allSettings { #expect(setting.help.hasSuffix(".")) }
    }
    let types = ProbeCatalog.manifests.flatMap(\.events).map(\.type)
    #expect(Set(types).count == types.count)
  }

  @Test("the contract's metrics and events of these probes are there")
  func contract() {
    let metrics = Dictionary(
      uniqueKeysWithValues: ProbeCatalog.manifests.flatMap(\.metrics).map { ($0.name, $0.labels) })
    #expect(metrics["kubeskoop_packetloss_total"] == LabelSet.tuple + ["k8s_node"])
    #expect(metrics["kubeskoop_packetloss_netfilter"] == LabelSet.tuple + ["k8s_node"])
    #expect(metrics["kubeskoop_tcpretrans_total"] == LabelSet.tuple)
    #expect(
      metrics["kubeskoop_packetloss_by_reason_total"] == ["k8s_node", "k8s_namespace", "k8s_pod", "reason", "location"])
    #expect(
      LabelSet.tuple == [
        "protocol", "src", "src_type", "src_node", "src_namespace", "src_pod", "dst", "dst_type", "dst_node",
        "dst_namespace", "dst_pod", "sport", "dport",
      ])
    #expect(
      ProbeCatalog.manifests.flatMap(\.events).map(\.type) == [
        "PacketLoss", "TCPRetrans", "TCPRESET_NOSOCK", "TCPRESET_PROCESS", "TCPRESET_ACTIVE", "TCPRESET_RECEIVE",
      ])
  }

  @Test("every program of a probe has both attachments and the constants that the runner sets")
  func programs() throws {
    let source = try #require(BTFSource.find(release: ""), "this kernel has no BTF")
    for manifest in ProbeCatalog.manifests {
      let object = try BPFObject(manifest.program, btf: source)
      #expect(
        Set(object.programNames)
          == Set(manifest.hooks.flatMap { ["\($0.tracepoint)_btf", "\($0.tracepoint)_raw"] }), "\(manifest.id)")
      for hook in manifest.hooks where hook.isVariadic {
        try object.setConstant("\(hook.tracepoint)_arguments", UInt32(2))
      }
      #expect(throws: BPFError.self) { try object.setConstant("no_such_constant", UInt32(0)) }
      #expect(throws: BPFError.self, "a wrong size") { try object.setConstant("skoop_events_on", UInt64(0)) }
    }
  }
}
