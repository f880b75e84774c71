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
    } catch let status as ExitCode {
      exit(withError: status)
    } catch  where exitCode(for: error) == .failure {
      // Neither a request for help nor wrong usage, and nothing that we throw ourselves.
      Terminal.error("skoop: this is a bug of skoop: \(error)\n")
      exit(withError: ExitCode(Status.bug.rawValue))
    } catch {
      exit(withError: error)
    }
  }
}
