public import NetModel
import NetTypes

/// Everything that is known: the snapshots, indexed for lookups. Making one costs about as much as a few hundred questions.
public struct World: Sendable {
  let namespaces: [Namespace]
  private let byCookie: [NetnsCookie: Int]
  /// macvlan interfaces by their lower one.
  let macvlans: [DeviceRef: [DeviceRef]]
  /// Interfaces that have an ipvlan on them, which takes packets by their IP address.
  let ipvlanLowers: Set<DeviceRef>
  /// VXLAN interfaces by the namespace whose underlay they use, and the UDP port that they listen on.
  let vxlans: [UnderlayKey: [DeviceRef]]

  struct UnderlayKey: Hashable {
    var netns: Int
    var port: UInt16
  }

  /// - Parameter snapshots: one per node; of a namespace that is in several, the first counts.
  public init(_ snapshots: [NodeSnapshot]) {
    var namespaces: [Namespace] = []
    var byCookie: [NetnsCookie: Int] = [:]
    for snapshot in snapshots {
      for netns in snapshot.namespaces where byCookie[netns.id] == nil {
        byCookie[netns.id] = namespaces.count
        namespaces.append(Namespace(netns, of: snapshot))
      }
    }
    var macvlans: [DeviceRef: [DeviceRef]] = [:]
    var ipvlanLowers: Set<DeviceRef> = []
    var vxlans: [UnderlayKey: [DeviceRef]] = [:]
    for (position, netns) in namespaces.enumerated() {
      for link in netns.snapshot.links {
        let own = DeviceRef(netns: position, index: link.index)
        // Without a link of its own the underlay is the namespace that the interface was made in.
        let other = link.linkNetns.map { byCookie[$0] } ?? position
        if link.kind == .macvlan || link.kind == .macvtap, let lower = link.link, let other {
          macvlans[DeviceRef(netns: other, index: lower), default: []].append(own)
        }
        if link.kind == .ipvlan, let lower = link.link, let other {
          ipvlanLowers.insert(DeviceRef(netns: other, index: lower))
        }
        if let vxlan = link.vxlan, let other {
          vxlans[UnderlayKey(netns: other, port: vxlan.port), default: []].append(own)
        }
      }
    }
    self.namespaces = namespaces
    self.byCookie = byCookie
    self.macvlans = macvlans
    self.ipvlanLowers = ipvlanLowers
    self.vxlans = vxlans
  }

  func position(_ cookie: NetnsCookie) -> Int? { byCookie[cookie] }

  func link(_ device: DeviceRef) -> Link? { namespaces[device.netns].link(device.index) }

  /// All that may become of a packet and of its answer.
  public func ask(_ question: PathQuestion) -> PathAnswer {
    var branches: [Branch] = []
    var script: [Int]? = []
    while let current = script {
      var conversation = Conversation(question, in: self, script: current)
      branches.append(conversation.run())
      script = conversation.walk.choices.next
      if branches.count == Choices.limit, script != nil {
        branches.append(.undecided("more than \(Choices.limit) ways", question))
        break
      }
    }
    return PathAnswer(branches: branches)
  }
}

extension Branch {
  static func undecided(_ reason: String, _ question: PathQuestion) -> Branch {
    let tuple = Tuple(
      .tcp, source: question.source ?? question.destination, destination: question.destination)
    return Branch(
      choices: [], sender: .undecided, outcome: .undecided,
      forward: Trace(what: "nothing", tuple: tuple, end: .undecided(reason)), answers: [], assumptions: [reason])
  }
}
