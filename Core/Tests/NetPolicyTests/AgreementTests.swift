import KubeModel
import NetTypes
import Testing

@testable import NetPolicy

/// The engine against the naive evaluator, on random clusters and questions.
struct AgreementTests {
  /// Runs `count` questions, `perCluster` to a cluster, over the machine's cores.
  static func disagreements<S: PolicySemantics>(
    _: S.Type, clusters: Range<UInt64>, perCluster: Int, stopAtFirst: Bool
  ) -> (cases: Int, first: String?, coverage: [Feature: Int]) {
    var cases = 0
    var coverage: [Feature: Int] = [:]
    var first: String?
    for seed in clusters {
      var random = RandomCluster(seed: seed)
      let engine = BasicPolicyEngine<S>(random.cluster)
      let naive = NaiveEvaluator(cluster: random.cluster)
      for index in 0..<perCluster {
        let flow = random.flow()
        let expected = naive.outcomes(flow)
        let found = engine.judge(flow).allowed
        cases += 1
        let agrees =
          switch found {
          case .yes: expected == [true]
          case .no: expected == [false]
          // Two rules may share out all the labels that a node can have: the engine looks at each by itself.
          case .unknown: expected.count == 2 || NaiveEvaluator.isUnknownNode(flow.destination)
          }
        if !agrees, first == nil {
          first =
            "seed \(seed) question \(index): \(flow.source.title) \(flow.source.address?.description ?? "?") -> "
            + "\(flow.destination.title) \(flow.destination.address?.description ?? "?") "
            + "\(flow.proto) \(flow.port ?? 0): engine \(found), expected \(expected)"
          if stopAtFirst { return (cases, first, coverage) }
        }
      }
      for feature in random.features { coverage[feature, default: 0] += 1 }
    }
    return (cases, first, coverage)
  }

  @Test(
    "100,000 random questions to 4,000 random clusters get the same answer from both evaluators")
  func agreement() async {
    let parts: UInt64 = 8
    let share: UInt64 = 4_000 / parts
    var cases = 0
    var failures: [String] = []
    var coverage: [Feature: Int] = [:]
    await withTaskGroup { group in
      for part in 0..<parts {
        group.addTask {
          Self.disagreements(
            KubernetesSemantics.self, clusters: part * share..<(part + 1) * share, perCluster: 25,
            stopAtFirst: false)
        }
      }
      for await result in group {
        cases += result.cases
        if let first = result.first { failures.append(first) }
        coverage.merge(result.coverage, uniquingKeysWith: +)
      }
    }
    #expect(failures.isEmpty, "\(failures.joined(separator: "\n"))")
    #expect(cases >= 100_000)
    for feature in Feature.allCases {
      #expect(coverage[feature, default: 0] >= 100, "\(feature) is in too few clusters")
    }
  }

  @Test("an answer about an address nobody knows holds for every address that it may be")
  func unknownAddresses() {
    var decided = 0
    var open = 0
    for seed in 100_000..<100_400 as Range<UInt64> {
      var random = RandomCluster(seed: seed)
      let engine = PolicyEngine(random.cluster)
      let naive = NaiveEvaluator(cluster: random.cluster)
      let candidates = RandomCluster.possibleAddresses.filter { random.cluster.hasIPv6 || $0.family == .v4 }
      for _ in 0..<6 {
        var flow = random.flow()
        guard let source = flow.source.pod else { continue }
        flow.source = .pod(source, address: nil, in: random.cluster)
        let found = engine.judge(flow).allowed
        var outcomes: Set<Bool> = []
        for address in candidates {
          flow.source = .pod(source, address: address, in: random.cluster)
          outcomes.formUnion(naive.outcomes(flow))
        }
        if found == .unknown { open += 1 } else { decided += 1 }
        #expect(found != .yes || outcomes == [true], "seed \(seed)")
        #expect(found != .no || outcomes == [false], "seed \(seed)")
      }
    }
    #expect(decided > 500 && open > 20)
  }

  @Test("each engine with one wrong rule is caught", arguments: Mutants.all.indices)
  func mutants(index: Int) {
    func firstDisagreement<S: PolicySemantics>(_ mutant: S.Type) -> String? {
      Self.disagreements(mutant, clusters: 0..<2_000, perCluster: 25, stopAtFirst: true).first
    }
    #expect(
      firstDisagreement(Mutants.all[index]) != nil,
      "\(Mutants.all[index]) agrees with the naive evaluator")
  }

  @Test("there are at least 40 different mutants")
  func enough() {
    #expect(Set(Mutants.all.map { "\($0)" }).count >= 40)
  }
}
