import FoundationEssentials
import Hummingbird
import NIOCore
import ProbeCatalog
import ProbeKit
import Signals

/// The agent's HTTP side (reference: docs/reference/api.md).
enum AgentRoutes {
  /// `GET /status` in the contract's form; ours is `message`, the hooks taken or the reason of a failure.
  struct Status: Codable {
    struct Probe: Codable {
      var name: String
      var state: String
      var message: String
    }

    struct Sides<Element: Codable>: Codable {
      var metrics: [Element]
      var event: [Element]
    }

    var inuse_probes: Sides<Probe>
    var available_probes: Sides<String>
  }

  static func router(_ agent: Agent) -> Router<BasicRequestContext> {
    let router = Router()
    router.get("metrics") { request, _ in
      // Several headers of one name are one list.
      let format = ExpositionFormat(accepting: request.headers[values: .accept].joined(separator: ","))
      let body = ExpositionEncoder(format).encode(agent.scrape())
      return Response(
        status: .ok, headers: [.contentType: format.contentType],
        body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }
    router.get("status") { _, _ in
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
      let body = try encoder.encode(status(agent))
      return Response(
        status: .ok, headers: [.contentType: "application/json"],
        body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }
    router.get("healthz") { _, _ in
      agent.isHealthy ? text(.ok, "ok\n") : text(.serviceUnavailable, "events are not read\n")
    }
    router.get("readyz") { _, _ in
      let probes = agent.runner.statuses
      let failed = probes.compactMap { probe -> String? in
        if case .failed(let reason) = probe.status { "\(probe.manifest.id): \(reason)" } else { nil }
      }
      let ready = agent.isStarted && agent.isHealthy && (probes.isEmpty || failed.count < probes.count)
      return text(
        ready ? .ok : .serviceUnavailable, (ready ? "ready" : "not ready") + failed.map { "\n" + $0 }.joined() + "\n")
    }
    return router
  }

  static func text(_ status: HTTPResponse.Status, _ body: String) -> Response {
    Response(
      status: status, headers: [.contentType: "text/plain; charset=utf-8"],
      body: ResponseBody(byteBuffer: ByteBuffer(string: body)))
  }

  static func status(_ agent: Agent) -> Status {
    var metrics: [Status.Probe] = []
    var events: [Status.Probe] = []
    for (manifest, settings, status) in agent.runner.statuses {
      let probe =
        switch status {
        case .running(let loaded): Status.Probe(name: manifest.id, state: "running", message: loaded.hooksText)
        case .failed(let reason): Status.Probe(name: manifest.id, state: "failed", message: reason)
        }
      if settings.metrics { metrics.append(probe) }
      if settings.events { events.append(probe) }
    }
    return Status(
      inuse_probes: Status.Sides(metrics: metrics, event: events),
      available_probes: Status.Sides(
        metrics: ProbeCatalog.manifests.filter { !$0.metrics.isEmpty }.map(\.id),
        event: ProbeCatalog.manifests.filter { !$0.events.isEmpty }.map(\.id)))
  }
}
