import Hummingbird
import LinuxSystem
public import Logging
import ServiceLifecycle
import NIOCore
import ProbeKit
import Sinks
import UnixSignals

/// `skoop-agent run`: the agent as a service, until SIGTERM or SIGINT.
public enum AgentRun {
  public static func run(_ configuration: AgentConfiguration, node: String, log: Logger) async throws {
    for note in configuration.notes { log.warning("\(note)") }
    var options = Agent.Options(node: node)
    options.runner.statistics = configuration.bpfStatistics
    let sinks = try configuration.sinks.map { sink -> any EventSink in
      switch sink {
      case .stderr: ErrorSink()
      case .file(let path): try FileSink(path: path)
      }
    }
    let agent = try Agent(options, sinks: sinks, log: log)
    let address: BindAddress =
      switch configuration.address {
      case .tcp(let host, let port): .hostname(host, port: port)
      case .unix(let path): .unixDomainSocket(path: path)
      }
    let server = Application(
      router: AgentRoutes.router(agent), configuration: ApplicationConfiguration(address: address, serverName: nil),
      logger: log)
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        // Started in this order, stopped in the opposite one.
        services: [
          .init(service: AgentService(agent: agent, probes: configuration.probes)),
          .init(service: server),
        ],
        gracefulShutdownSignals: [.sigterm, .sigint], logger: log))
    defer { agent.stop() }
    do {
      try await group.run()
    } catch let error as IOError {
      throw ListenError(description: "listening on \(configuration.address): \(SystemError.text(of: error.errnoCode))")
    }
  }
}

/// The HTTP server could not start.
public struct ListenError: Error, Sendable, CustomStringConvertible {
  public let description: String
}

private struct AgentService: Service {
  let agent: Agent
  let probes: [AgentConfiguration.ProbeRequest]

  func run() async throws {
    try agent.start(probes)
    try await gracefulShutdown()
  }
}
