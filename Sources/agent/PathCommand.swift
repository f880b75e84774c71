import ArgumentParser
import LinuxSystem
import NetModel
import NetSim
import NetTypes
import NodeState
import Wire

struct PathCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "path", abstract: "Computes what becomes of a packet, and of its answer, without sending it.",
    discussion: """
      Ends with 0 when the sender gets its connection or answer every way, with 1 when it does not, and with 2 when that \
      is undecided.
      """)

  enum TransportProtocol: String, ExpressibleByArgument, CaseIterable {
    case tcp, udp, icmp

    init?(argument: String) { self.init(rawValue: argument.lowercased()) }
  }

  @Option(
    help: ArgumentHelp("Who asks: a named network namespace, host, a process id, or a cookie.", valueName: "netns"))
  var from: String

  @Option(help: ArgumentHelp("The destination.", valueName: "address"))
  var to: String

  @Option(help: ArgumentHelp("The destination port, for tcp and udp.", valueName: "number"))
  var port: UInt16?

  @Option(name: .customLong("protocol"), help: "tcp, udp or icmp; without it tcp when there is a port, else icmp.")
  var transportProtocol: TransportProtocol?

  @Option(help: ArgumentHelp("The address that the program binds its socket to.", valueName: "address"))
  var source: String?

  @Option(help: ArgumentHelp("The interface that the socket is bound to.", valueName: "name"))
  var device: String?

  @Option(help: ArgumentHelp("The owner of the socket.", valueName: "number"))
  var uid: UInt32 = 0

  @Option(help: ArgumentHelp("The socket's mark (SO_MARK).", valueName: "number"))
  var mark: UInt32 = 0

  @Option(help: ArgumentHelp("Payload of a datagram or echo request.", valueName: "bytes"))
  var size = 8

  @Flag(help: "Send the datagram or echo request with Don't Fragment.")
  var dontFragment = false

  @Option(help: ArgumentHelp("A snapshot, of one node each; without any this node is looked at.", valueName: "file"))
  var snapshot: [String] = []

  @Option(help: "text or json.")
  var output: OutputForm = .text

  func validate() throws {
    guard (0...65_507).contains(size) else { throw ValidationError("--size needs 0 to 65507 bytes, not \(size).") }
    let isICMP = transportProtocol.map { $0 == .icmp } ?? (port == nil)
    if !isICMP, port == nil { throw ValidationError("--port is needed for \(transportProtocol!.rawValue).") }
    if isICMP, port != nil { throw ValidationError("icmp has no ports.") }
    if port == 0 { throw ValidationError("--port needs 1 to 65535.") }
    guard IPAddress(to) != nil else { throw ValidationError("--to needs an IP address, not \(to).") }
    if let source, IPAddress(source) == nil { throw ValidationError("--source needs an IP address, not \(source).") }
  }

  func run() throws {
    let snapshots = try snapshot.isEmpty ? [collect()] : snapshot.map(SnapshotInput.read)
    let namespaces = snapshots.flatMap(\.namespaces)
    guard let netns = find(in: namespaces) else {
      throw Console.fail("there is no network namespace \(from) in the snapshot", .unavailable)
    }
    let question = PathQuestion(
      from: netns.id, to: IPAddress(to)!, transport, source: source.flatMap { IPAddress($0) }, device: device, uid: uid,
      mark: mark, payload: size, dontFragment: dontFragment)
    let answer = World(snapshots).ask(question)
    let names = Dictionary(namespaces.map { ($0.id, $0.displayName) }) { first, _ in first }
    let name = { (cookie: NetnsCookie) in names[cookie] ?? "netns \(cookie)" }
    do {
      switch output {
      case .text: try Files.write(Array(PathText(question, answer, name: name).text.utf8), to: 1, "standard output")
      case .json:
        let document = PathDocument(question, answer, name: name)
        try Files.write(SnapshotFile.encode(any: document, pretty: true), to: 1, "standard output")
      }
    } catch {
      throw Console.fail("\(error)", .unavailable)
    }
    if answer.sender.contains(.undecided) { throw ExitCode(2) }
    if answer.sender.contains(where: { $0 != .connected && $0 != .reply }) { throw ExitCode(1) }
  }

  private var transport: Transport {
    switch transportProtocol ?? (port == nil ? .icmp : .tcp) {
    case .tcp: .tcp(port!)
    case .udp: .udp(port!)
    case .icmp: .icmp
    }
  }

  private func collect() throws -> NodeSnapshot {
    do {
      return try NodeStateCollector(.init(node: Console.node)).collect()
    } catch {
      throw Console.fail("\(error)", .unavailable)
    }
  }

  private func find(in namespaces: [NetnsSnapshot]) -> NetnsSnapshot? {
    if from == "host" { return namespaces.first(where: \.isHost) }
    if let named = namespaces.first(where: { $0.names.contains(from) }) { return named }
    guard let number = UInt64(from) else { return nil }
    if snapshot.isEmpty, let view = try? NetworkNamespace.look(into: ["/proc/\(number)/ns/net"])[0] {
      return namespaces.first { $0.id == view.identity.key }
    }
    return namespaces.first { netns in netns.processes.contains { UInt64($0.pid) == number } }
      ?? namespaces.first { $0.id.rawValue == number }
  }
}

/// Reads a snapshot that somebody saved; ends the command with the right status where that fails.
enum SnapshotInput {
  static func read(_ path: String) throws -> NodeSnapshot {
    let bytes: [UInt8]
    do {
      bytes = try Files.bytes(path == "-" ? "/dev/stdin" : path)
    } catch {
      throw Console.fail("\(error)", .unavailable)
    }
    do {
      return try SnapshotFile.decode(bytes, file: path)
    } catch {
      throw Console.fail("\(error)", .badInput)
    }
  }
}
