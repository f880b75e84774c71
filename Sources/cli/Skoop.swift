import ArgumentParser

@main
struct Skoop: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "skoop",
    abstract: "Why can A not talk to B? Network diagnosis for Kubernetes.",
    subcommands: [Diagnose.self, Policy.self])

  static func main() async {
    do {
      var command = try parseAsRoot()
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch let failure as Failure {
      Terminal.error("skoop: \(failure.message)\n")
      exit(withError: ExitCode(failure.status.rawValue))
    } catch {
      exit(withError: error)
    }
  }
}
