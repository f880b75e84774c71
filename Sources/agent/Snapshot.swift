import ArgumentParser
import LinuxSystem
import NetModel
import NodeState
import Wire

struct Snapshot: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Takes a picture of this node's network, or compares two.",
    subcommands: [Take.self, Diff.self], defaultSubcommand: Take.self)

  struct Take: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Writes what the kernel has in every network namespace, as JSON.")

    @Option(help: ArgumentHelp("Where to; - is standard output.", valueName: "file"))
    var output = "-"

    @Flag(help: "Pseudonyms for addresses and names, so that strangers may read it.")
    var redact = false

    @Flag(help: "One value a line.")
    var pretty = false

    func run() throws {
      do {
        var snapshot = try NodeStateCollector(.init(node: Console.node)).collect()
        if redact { snapshot = snapshot.redacted(key: (.random(in: 0 ... .max), .random(in: 0 ... .max))) }
        let bytes = SnapshotFile.encode(snapshot, pretty: pretty)
        if output == "-" {
          try Files.write(bytes, to: 1, "standard output")
        } else {
          try Files.replace(output, with: bytes)
        }
        for line in snapshot.gapLines { Console.say("skoop-agent: \(line)\n") }
      } catch {
        throw Console.fail("\(error)", .unavailable)
      }
    }
  }

  struct Diff: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Says what appeared, vanished and changed from one snapshot to another.",
      discussion: "Ends with 0 when nothing did, and with 1 when something did.")

    @Argument(help: ArgumentHelp("The earlier snapshot; - is standard input.", valueName: "a"))
    var before: String

    @Argument(help: ArgumentHelp("The later snapshot.", valueName: "b"))
    var after: String

    @Option(help: "text or json.")
    var output: OutputForm = .text

    private struct Document: Encodable {
      var version = 1
      var changes: [SnapshotChange]
    }

    func run() throws {
      let diff = SnapshotDiff(from: try SnapshotInput.read(before), to: try SnapshotInput.read(after))
      do {
        switch output {
        case .text: try Files.write(Array(diff.text.utf8), to: 1, "standard output")
        case .json:
          let bytes = SnapshotFile.encode(any: Document(changes: diff.changes), pretty: true)
          try Files.write(bytes, to: 1, "standard output")
        }
      } catch {
        throw Console.fail("\(error)", .unavailable)
      }
      if !diff.changes.isEmpty { throw ExitCode.failure }
    }
  }
}
