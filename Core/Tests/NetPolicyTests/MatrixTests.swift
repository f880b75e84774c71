import KubeModel
import NetTypes
import Testing

@testable import NetPolicy

struct MatrixTests {
  @Test("every cell is what the engine says of the pair", arguments: 0..<60 as Range<UInt64>)
  func agreesWithEngine(seed: UInt64) throws {
    let random = RandomCluster(seed: seed &* 7919)
    let matrix = PolicyMatrix(random.cluster)
    let engine = PolicyEngine(random.cluster)
    #expect(matrix.workloads.count == random.pods.count)
    for (row, source) in matrix.workloads.enumerated() {
      for (column, destination) in matrix.workloads.enumerated() {
        func party(_ title: String) throws -> Party {
          let pod = try #require(random.pods.first { "Pod/\($0.name)" == title })
          return .pod(pod, address: pod.addresses.first, in: random.cluster)
        }
        for proto in Reach.protocols {
          let expected = engine.reach(from: try party(source), to: try party(destination), proto)
          #expect(matrix[row, column][proto] == expected, "seed \(seed): \(source) → \(destination) \(proto)")
        }
      }
    }
  }

  @Test("a reach is the engine's answer for each single port", arguments: 0..<20 as Range<UInt64>)
  func reachAgreesWithPorts(seed: UInt64) {
    var random = RandomCluster(seed: seed &+ 50_000)
    let engine = PolicyEngine(random.cluster)
    for _ in 0..<4 {
      let flow = random.flow()
      if flow.proto == .icmp { continue }
      let reach = engine.reach(from: flow.source, to: flow.destination, flow.proto)
      for port: UInt16 in [1, 52, 53, 54, 78, 79, 80, 81, 82, 83, 84, 85, 442, 443, 444, 446, 447, 8080, 8083, 65535] {
        var single = flow
        single.port = port
        let range = PortSet(port...port)
        let expected: Ternary =
          reach.allowed.intersection(range) == range
          ? .yes : reach.undecided.intersection(range) == range ? .unknown : .no
        #expect(engine.judge(single).allowed == expected)
      }
    }
  }

  @Test("sets of ports")
  func portSets() {
    let a = PortSet(1...100).union(PortSet(200...300))
    #expect(a.description == "1-100,200-300")
    #expect(a.union(PortSet(101...199)) == PortSet(1...300))
    #expect(a.intersection(PortSet(100...200)).description == "100,200")
    #expect(a.subtracting(PortSet(50...250)).description == "1-49,251-300")
    #expect(PortSet.all.subtracting(a).union(a) == .all)
    #expect(PortSet.all.subtracting(.all).description == "none")
    #expect(PortSet.all.description == "all")
  }
}
