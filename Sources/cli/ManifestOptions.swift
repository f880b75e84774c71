import ArgumentParser
import KubeManifests
import KubeModel

/// Where the cluster is.
struct ManifestOptions: ParsableArguments {
  @Option(
    name: .long, parsing: .singleValue,
    help: ArgumentHelp(
      "A folder, file or - (standard input) with manifests, YAML or JSON. May be given more than once.",
      valueName: "dir"))
  var manifests: [String] = []

  func validate() throws {
    if manifests.isEmpty { throw ValidationError("give the cluster's objects with --manifests DIR") }
  }

  /// Reads the manifests; says on standard error what was left out.
  func load() throws -> Cluster { try Self.load(manifests) }

  static func load(_ paths: [String]) throws -> Cluster {
    for path in paths { try Terminal.checkExists(path) }
    do throws(ManifestError) {
      let progress = Progress()
      let loaded = try ManifestLoader.load(paths) { file, count in progress.show("reading file \(file) of \(count)") }
      progress.clear()
      report(loaded)
      return loaded.cluster
    } catch {
      Progress().clear()
      throw Failure(status: .badInput, message: error.description)
    }
  }

  private static func report(_ loaded: Manifests) {
    if !loaded.skipped.isEmpty {
      let kinds = loaded.skipped.sorted { $0.key < $1.key }.map { kind, count in
        "\(kind.isEmpty ? "not a Kubernetes object" : kind) ×\(count)"
      }
      Terminal.error("skoop: skipped \(kinds.joined(separator: ", "))\n")
    }
    for policy in loaded.cluster.unmodelled {
      let name = policy.namespace.isEmpty ? policy.name : "\(policy.namespace)/\(policy.name)"
      Terminal.error("skoop: \(policy.kind) \(name) is not modelled (\(loaded.cluster.place(policy.origin)))\n")
    }
    for item in loaded.replaced {
      Terminal.error(
        "skoop: \(item.object) is given twice: \(loaded.cluster.place(item.by)) replaces "
          + "\(loaded.cluster.place(item.was))\n")
    }
  }
}

/// A protocol on the command line, its name in any case.
struct ProtocolArgument: ExpressibleByArgument {
  let value: TrafficProtocol

  init?(argument: String) {
    guard let value = TrafficProtocol(name: argument) else { return nil }
    self.value = value
  }

  static let allValueStrings = ["tcp", "udp", "sctp", "icmp"]
}
