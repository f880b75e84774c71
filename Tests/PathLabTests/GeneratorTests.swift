import Foundation
import PathCases
import PathLab
import Testing

struct GeneratorTests {
  @Test("the same seed makes the same world, another one another")
  func determinism() {
    for seed in UInt64(0)..<50 { #expect(Generator.plan(seed: seed) == Generator.plan(seed: seed)) }
    #expect(Set((UInt64(0)..<50).map { Generator.plan(seed: $0).commands }).count == 50)
  }

  @Test("every topology and every change comes up")
  func coverage() {
    var missing = Set(Generator.features)
    for number in 0..<6000 where !missing.isEmpty {
      let plan = Generator.plan(seed: LabRunner.seed(1, number))
      missing.remove("topology.\(plan.topology)")
      for command in plan.commands { if let feature = command.feature { missing.remove(feature) } }
    }
    #expect(missing.isEmpty)
  }

  @Test("a plan survives being written and read")
  func coding() throws {
    for seed in UInt64(0)..<20 {
      let plan = Generator.plan(seed: seed)
      let read = try JSONDecoder().decode(WorldPlan.self, from: JSONEncoder().encode(plan))
      #expect(read == plan)
    }
  }

  @Test("two to six namespaces, and questions from each kind")
  func bounds() {
    var kinds: Set<QuestionPlan.Kind> = []
    for seed in UInt64(0)..<200 {
      let plan = Generator.plan(seed: seed)
      #expect((2...6).contains(plan.namespaces))
      #expect(plan.commands.allSatisfy { $0.netns < plan.namespaces })
      #expect(plan.questions.count == Generator.questionsPerWorld)
      kinds.formUnion(plan.questions.map(\.kind))
    }
    #expect(kinds == Set(QuestionPlan.Kind.allCases))
  }
}
