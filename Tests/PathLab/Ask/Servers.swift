import CPathLab
import Glibc
import LinuxSystem
import NetTypes
import PathCases

/// The servers of a world, all served by one thread between its own waits. They echo what they get.
final class Servers {
  private struct Listener {
    var number: Int
    var kind: ServerPlan.Kind
    var socket: Int32
    var isServed: Bool
  }

  private var listeners: [Listener] = []
  /// Connections of the question at hand, and those that fill queues.
  private var accepted: [Int32] = []
  private var fillers: [Int32] = []
  private(set) var arrivals: [Arrival] = []
  /// Servers that could not be made, such as one at an address that the kernel refused.
  private(set) var refused: [Int: String] = [:]

  init(_ plans: [ServerPlan], _ namespaces: [LabNetns]) throws {
    for (number, plan) in plans.enumerated() {
      try namespaces[plan.netns].enter()
      do {
        try open(number, plan)
      } catch {
        refused[number] = "\(error)"
      }
    }
  }

  deinit {
    for socket in accepted + fillers + listeners.map(\.socket) { close(socket) }
  }

  private func open(_ number: Int, _ plan: ServerPlan) throws {
    let family = plan.address.familyNumber
    let socket = pathlab_socket(plan.kind == .tcp ? PATHLAB_TCP : PATHLAB_UDP, family)
    guard socket >= 0 else { throw SystemError(errno: -socket, doing: "making a socket") }
    func check(_ result: Int32, _ activity: String) throws {
      if result < 0 {
        close(socket)
        throw SystemError(errno: -result, doing: activity)
      }
    }
    // The default of bindv6only may be set in the world; a plan says what it wants.
    if family == 6, plan.v6Only { try check(pathlab_set_v6only(socket, 1), "setting IPV6_V6ONLY") }
    if let device = plan.device { try check(pathlab_set_device(socket, device), "binding to \(device)") }
    if plan.kind == .udp { try check(pathlab_set_packet_info(socket, family), "asking for destinations") }
    var address = pathlab_address(plan.address, plan.port)
    try check(pathlab_bind(socket, &address), "binding to \(plan.address) port \(plan.port)")
    if plan.kind == .tcp {
      try check(listen(socket, plan.isFull ? 0 : 64) < 0 ? -errno : 0, "listening")
      if plan.isFull { fill(plan) }
    }
    listeners.append(Listener(number: number, kind: plan.kind, socket: socket, isServed: !plan.isFull))
  }

  /// A queue of length 0 holds one connection.
  private func fill(_ plan: ServerPlan) {
    let loopback = plan.address.family == .v4 ? IPAddress(v4: 0x7f00_0001) : IPAddress(v6High: 0, low: 1)
    let socket = pathlab_socket(PATHLAB_TCP, plan.address.familyNumber)
    guard socket >= 0 else { return }
    var address = pathlab_address(plan.address.isUnspecified ? loopback : plan.address, plan.port)
    pathlab_connect(socket, &address)
    fillers.append(socket)
  }

  /// What poll(2) shall wait for.
  var waits: [pollfd] {
    listeners.compactMap { $0.isServed ? pollfd(fd: $0.socket, events: Int16(POLLIN), revents: 0) : nil }
  }

  /// Answers everything that waits.
  func serve() {
    for listener in listeners where listener.isServed {
      switch listener.kind {
      case .tcp: accept(listener)
      case .udp: echo(listener)
      }
    }
  }

  private func accept(_ listener: Listener) {
    while true {
      var peer = pathlab_address()
      let connection = pathlab_accept(listener.socket, &peer)
      if connection < 0 { return }
      accepted.append(connection)
      pathlab_set_abort_on_close(connection)
      var name = pathlab_address()
      pathlab_name(connection, &name)
      note(listener, peer, name)
    }
  }

  private func echo(_ listener: Listener) {
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      var (from, to) = (pathlab_address(), pathlab_address())
      let count = pathlab_receive(listener.socket, &bytes, bytes.count, &from, &to)
      // An error about an earlier answer is reported once and gone; nothing else ends the loop but an empty queue.
      if count == -EAGAIN { return }
      if count < 0 { continue }
      note(listener, from, to)
      // A dual-stack socket wants an IPv4 address in its IPv6 form.
      if from.family == 4, listenerFamily(listener) == 6 { from = Self.mapped(from) }
      let result = pathlab_send(listener.socket, bytes, Int(count), &from)
      if result < 0, !arrivals.isEmpty { arrivals[arrivals.count - 1].answerError = errnoName(-result) }
    }
  }

  private func listenerFamily(_ listener: Listener) -> UInt8 {
    var domain: Int32 = 0
    var length = socklen_t(4)
    getsockopt(listener.socket, SOL_SOCKET, SO_DOMAIN, &domain, &length)
    return domain == AF_INET ? 4 : 6
  }

  private static func mapped(_ address: pathlab_address) -> pathlab_address {
    guard let v4 = address.address else { return address }
    return pathlab_address(IPAddress(v6High: 0, low: 0xffff << 32 | v4.low), address.port)
  }

  private func note(_ listener: Listener, _ from: pathlab_address, _ to: pathlab_address) {
    guard let source = from.address else { return }
    arrivals.append(
      Arrival(server: listener.number, source: source, sourcePort: from.port, destination: to.address))
  }

  /// The question is over.
  func endQuestion() {
    serve()
    for socket in accepted { close(socket) }
    accepted = []
    arrivals = []
  }
}
