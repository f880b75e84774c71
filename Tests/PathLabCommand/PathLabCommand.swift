import ArgumentParser

@main
struct PathLabCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "path-lab",
    abstract: "Compares the path simulator with the running kernel, in random worlds of network namespaces.",
    subcommands: [Run.self, Replay.self, Shrink.self, Record.self, Plan.self], defaultSubcommand: Run.self)
}
