import ArgumentParser

@main
struct Skoop: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "skoop",
    abstract: "Why can A not talk to B? Network diagnosis for Kubernetes.",
    subcommands: [Diagnose.self, Policy.self])

  /// The edge where failures become a message and a status.
  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let failure as Failure {
      Terminal.error("skoop: \(failure.message)\n")
      exit(withError: ExitCode(failure.status.rawValue))
    } catch {
      exit(withError: error)
    }
  }
}
