public import NetSim
public import NetTypes

extension QuestionPlan {
  /// The question to the simulator.
  public func question(_ cookies: [NetnsCookie]) -> PathQuestion {
    let transport: Transport =
      switch kind {
      case .tcp: .tcp(port)
      case .udp: .udp(port)
      case .icmp: .icmp
      }
    return PathQuestion(
      from: cookies[from], to: destination, transport, source: source, device: device, uid: uid, mark: mark,
      payload: payload, dontFragment: dontFragment)
  }
}
