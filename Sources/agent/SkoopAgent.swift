import AgentApp
import ArgumentParser
import FoundationEssentials
import LinuxSystem
import Logging
import NetTypes
import ProbeCatalog
import ProbeKit
import Sinks

@main
struct SkoopAgent: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "skoop-agent", abstract: "Watches a node's network from inside its kernel.",
    version: AgentVersion.text, subcommands: [Run.self, Trace.self, Snapshot.self, PathCommand.self, Probes.self])
}

/// Exit statuses beyond 0 and 64 (wrong usage, ArgumentParser's own), from sysexits.h.
extension ExitCode {
  static let badInput = ExitCode(65)
  static let unavailable = ExitCode(69)
}

enum Console {
  static func fail(_ message: String, _ code: ExitCode) -> any Error {
    say("skoop-agent: \(message)\n")
    return code
  }

  /// To standard error; that nobody reads it is no reason to stop.
  static func say(_ text: String) { try? Files.write(Array(text.utf8), to: 2, "standard error") }

  static func logger(debug: Bool) -> Logger {
    var log = Logger(label: "skoop-agent") { StreamLogHandler.standardError(label: $0) }
    log.logLevel = debug ? .debug : .info
    return log
  }

  /// The value of `k8s_node`: the downward API's NODE_NAME, else the machine's name.
  static var node: String {
    let name = ProcessInfo.processInfo.environment["NODE_NAME"] ?? ""
    return name.isEmpty ? Machine.hostName : name
  }
}

struct Run: AsyncParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Runs the agent: metrics on HTTP, events to sinks.")

  @Option(help: ArgumentHelp("The configuration, a YAML file.", valueName: "file"))
  var config: String

  func run() async throws {
    let configuration: AgentConfiguration
    do {
      configuration = try ConfigurationReader(file: config, manifests: ProbeCatalog.manifests)
        .read(try Files.text(config))
    } catch let error as ConfigurationError {
      throw Console.fail("\(error)", .badInput)
    } catch {
      throw Console.fail("\(error)", .unavailable)
    }
    do {
      try await AgentRun.run(configuration, node: Console.node, log: Console.logger(debug: configuration.debugMode))
    } catch {
      throw Console.fail("\(error)", .unavailable)
    }
  }
}

enum OutputForm: String, ExpressibleByArgument, CaseIterable {
  case text, json
}

struct Trace: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows events as they happen; a summary follows at the end.")

  @Option(help: ArgumentHelp("Only this probe; may be repeated.", valueName: "name"))
  var probe: [String] = []

  @Option(help: ArgumentHelp("Only what happens in this named network namespace.", valueName: "name"))
  var netns: String?

  @Option(help: ArgumentHelp("Only this pod, and its packets elsewhere.", valueName: "namespace/name"))
  var pod: String?

  @Option(help: ArgumentHelp("How long, e.g. 500ms, 10s, 2m; without it until Ctrl-C.", valueName: "time"))
  var duration: String?

  @Option(help: "text, or json: one event of the contract a line.")
  var output: OutputForm = .text

  @Flag(help: "Show the kernel stack under each line of text.")
  var stack = false

  @Flag(help: "Show what each event means under its line of text.")
  var explain = false

  func run() async throws {
    let known = ProbeCatalog.manifests.filter { !$0.events.isEmpty }.map(\.id)
    for id in probe where !known.contains(id) {
      throw ValidationError("There is no probe \(id); there is \(known.joined(separator: ", ")).")
    }
    let requests = known.filter { probe.isEmpty || probe.contains($0) }.map {
      AgentConfiguration.ProbeRequest(id: $0, settings: ProbeSettings(metrics: false, events: true))
    }
    var filter = TraceSession.Filter()
    if let netns {
      guard !netns.contains("/"), let view = try NetworkNamespace.look(into: ["/run/netns/\(netns)"])[0] else {
        throw Console.fail("there is no network namespace \(netns) in /run/netns", .unavailable)
      }
      filter.netns = view.identity.key
    }
    if let pod {
      let parts = pod.split(separator: "/", omittingEmptySubsequences: false)
      guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty }) else {
        throw ValidationError("--pod needs NAMESPACE/NAME, not \(pod).")
      }
      filter.pod = .init(namespace: String(parts[0]), name: String(parts[1]))
    }
    let session = TraceSession(
      probes: requests, filter: filter, duration: try duration.map(Self.duration),
      output: EventPrinter(output == .json ? .json : .text(stack: stack, explain: explain)))
    do {
      let summary = try await session.run(Agent.Options(node: Console.node), log: Console.quietLogger) { line in
        Console.say("\(line)\n")
      }
      // JSON on standard output stays JSON.
      Console.say(summary)
    } catch {
      throw Console.fail("\(error)", .unavailable)
    }
  }

  static func duration(_ text: String) throws -> Duration {
    let units: [(String, Double)] = [("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600)]
    guard let unit = units.first(where: { text.hasSuffix($0.0) }), let number = Double(text.dropLast(unit.0.count)),
      number > 0, number * unit.1 <= 365 * 86400
    else {
      throw ValidationError(
        "--duration needs a number with a unit, such as 500ms, 10s or 2m, and a year at most, not \(text).")
    }
    return .seconds(number * unit.1)
  }
}

extension Console {
  static var quietLogger: Logger {
    var log = logger(debug: false)
    log.logLevel = .warning
    return log
  }
}

struct Probes: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Lists the probes: what each gives, and the hook it takes here or why it cannot.")

  @Option(help: "text or json.")
  var output: OutputForm = .text

  func run() throws {
    let rows = ProbeListing.rows()
    switch output {
    case .text: print(ProbeListing.text(rows), terminator: "")
    case .json:
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      print(String(decoding: try encoder.encode(rows), as: UTF8.self))
    }
  }
}
