import ArgumentParser
import KubeManifests
import KubeModel
import NetDiagnosis
import NetPolicy

/// `skoop policy`: what the network policies of a cluster mean as a whole.
struct Policy: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Says what network policies mean as a whole.",
    subcommands: [Matrix.self, Difference.self, Explain.self])
}

extension Policy {
  struct Matrix: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Lists what every workload can reach of every other.",
      discussion: "Each workload is represented by one of its pods.")

    enum Output: String, ExpressibleByArgument, CaseIterable {
      case text, json, csv, dot
    }

    @OptionGroup var cluster: ManifestOptions

    @Option(name: .shortAndLong, help: "text, json, csv or dot (Graphviz).")
    var output: Output = .text

    func run() throws {
      let matrix = PolicyMatrix(try cluster.load())
      switch output {
      case .text: Terminal.output(matrix.text)
      case .csv: Terminal.output(matrix.csv)
      case .dot: Terminal.output(matrix.dot)
      case .json: Terminal.output(matrix.json)
      }
    }
  }

  struct Difference: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "diff",
      abstract: "Says what became reachable from the manifests A to B, and what ceased to be.",
      discussion: "The exit status is 0 without a difference and 1 with one.")

    @Option(name: .shortAndLong, help: "text or json.")
    var output: Diagnose.Output = .text

    @Argument(help: "A folder or file of manifests.")
    var a: String

    @Argument(help: "A folder or file of manifests.")
    var b: String

    func run() throws {
      let before = PolicyMatrix(try ManifestOptions.load([a]))
      let difference = MatrixDifference(from: before, to: PolicyMatrix(try ManifestOptions.load([b])))
      switch output {
      case .text: Terminal.output(difference.text)
      case .json: Terminal.output(difference.json)
      }
      if !difference.isEmpty { throw ExitCode(1) }
    }
  }

  struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Lists every policy and rule that concerns SRC and DST, and whether it matches.")

    @OptionGroup var cluster: ManifestOptions

    @Option(name: .shortAndLong, help: "text or json.")
    var output: Diagnose.Output = .text

    @Argument(help: "As for diagnose.")
    var src: String

    @Argument(help: "As for diagnose.")
    var dst: String

    func validate() throws {
      for text in [src, dst] {
        guard let end = EndReference(text) else { throw ValidationError(Diagnose.notAnEnd(text)) }
        if !end.canBeSource { throw ValidationError("\(end) is no pod: give the pods that it leads to") }
      }
    }

    func run() throws {
      guard let source = EndReference(src), let destination = EndReference(dst) else { return }
      let diagnoser = Diagnoser(try cluster.load())
      let explanation: PolicyExplanation
      do throws(NotFound) {
        explanation = try diagnoser.explain(source, destination)
      } catch {
        throw Failure(status: .unavailable, message: error.description)
      }
      switch output {
      case .text: Terminal.output(explanation.text)
      case .json: Terminal.output(explanation.json)
      }
    }
  }
}
