import ArgumentParser
import Foundation
import KubeModel
import NetDiagnosis

/// `skoop diagnose`: can SRC talk to DST, and if not, which object says so?
struct Diagnose: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Says whether SRC can talk to DST, and if not, which object says so.",
    discussion: """
      SRC and DST are NAMESPACE/POD, pod/NAMESPACE/NAME, svc/NAMESPACE/NAME, node/NAME, KIND/NAMESPACE/NAME (a \
      workload such as deployment, or as DST an ingress or httproute), or an IP address.

      The exit status is 0 when DST is reachable, 1 when it is not or only in part, 2 when that is undecided; \
      64 wrong usage, 65 bad input, 69 something named is not there.
      """)

  enum Output: String, ExpressibleByArgument, CaseIterable {
    case text, json
  }

  @OptionGroup var cluster: ManifestOptions

  @Option(
    help: ArgumentHelp("Answer a file of questions (- for standard input), one JSON object a line.", valueName: "file"))
  var queries: String?

  @Option(name: .shortAndLong, help: "The destination port. Without it: the ports that DST offers.")
  var port: UInt16?

  @Option(name: .customLong("protocol"), help: "tcp, udp, sctp or icmp. Default: tcp, or what the Service's port is.")
  var protocolName: ProtocolArgument?

  @Option(name: .shortAndLong, help: "text or json.")
  var output: Output = .text

  @Argument(help: "Where the connection comes from.")
  var src: String?

  @Argument(help: "Where it goes.")
  var dst: String?

  private var proto: TrafficProtocol? { protocolName?.value }

  func validate() throws {
    if queries != nil {
      if src != nil || dst != nil || port != nil || proto != nil {
        throw ValidationError("--queries takes the place of SRC, DST, --port and --protocol")
      }
      if queries == "-", cluster.manifests.contains("-") {
        throw ValidationError("only one of --queries and --manifests can be standard input")
      }
      return
    }
    guard src != nil, dst != nil else { throw ValidationError("give SRC and DST, or --queries FILE") }
    if port == 0 { throw ValidationError("--port must be between 1 and 65535") }
    if proto == .icmp, port != nil { throw ValidationError("ICMP has no ports") }
    for text in [src, dst].compactMap({ $0 }) where EndReference(text) == nil {
      throw ValidationError(Self.notAnEnd(text))
    }
    if let source = src.flatMap({ EndReference($0) }), !source.canBeSource {
      throw ValidationError("\(source) can only be DST: give the pod that forwards its traffic as SRC")
    }
  }

  static func notAnEnd(_ text: String) -> String {
    "\(text) is none of NAMESPACE/POD, pod/NAMESPACE/NAME, svc/NAMESPACE/NAME, node/NAME, KIND/NAMESPACE/NAME or an "
      + "IP address"
  }

  func run() throws {
    if let queries { return try answer(batch: queries) }
    guard let source = src.flatMap({ EndReference($0) }), let destination = dst.flatMap({ EndReference($0) }) else {
      return
    }
    let diagnoser = Diagnoser(try cluster.load())
    let question = Question(source: source, destination: destination, port: port, proto: proto)
    let diagnosis: Diagnosis
    do throws(NotFound) {
      diagnosis = try diagnoser.diagnose(question)
    } catch {
      throw Failure(status: .unavailable, message: error.description)
    }
    switch output {
    case .text: Terminal.output(diagnosis.text)
    case .json: Terminal.output(diagnosis.json)
    }
    if diagnosis.verdict.exitStatus != 0 { throw ExitCode(diagnosis.verdict.exitStatus) }
  }

  /// Answers each line of a file, in order. Ends with 69 when a question names something that is not there: that
  /// question is answered by a finding.
  private func answer(batch file: String) throws {
    let questions = try Batch.read(file)
    let diagnoser = Diagnoser(try cluster.load())
    var out: [UInt8] = []
    var missing = 0
    for (id, question) in questions {
      do throws(NotFound) {
        try diagnoser.diagnose(question).answer(id: id).append(to: &out)
      } catch {
        missing += 1
        error.answer(id: id).append(to: &out)
      }
      out.append(UInt8(ascii: "\n"))
      if out.count > 1 << 16 {
        Terminal.output(out)
        out.removeAll(keepingCapacity: true)
      }
    }
    Terminal.output(out)
    if missing > 0 {
      throw Failure(status: .unavailable, message: "\(missing) questions name something that is not in the manifests")
    }
  }
}

extension Verdict {
  /// DESIGN: reachable 0, unreachable and partial 1, undecided 2.
  var exitStatus: Int32 {
    switch self {
    case .reachable: 0
    case .unreachable, .partial: 1
    case .undecided: 2
    }
  }
}

extension NotFound {
  fileprivate func answer(id: JSONValue) -> JSONValue {
    let finding = Finding(
      .questionNotFound, title: description, detail: "The question cannot be answered.",
      remedy: "Check the name, or include the object in the manifests.")
    return .object([
      ("id", id), ("verdict", .string(Verdict.undecided.rawValue)), ("findings", .array([finding.json])),
    ])
  }
}
