import Foundation
import NetSim
import PathCases
import Testing

/// What the kernel did in worlds that were built for it, against what the simulator says: without root or a kernel.
///
/// `Fixtures/worlds.json` is a sample of random worlds (`path-lab record`), `Fixtures/Found` holds worlds in which the
/// simulator was once wrong, each cut down to what the mistake needed.
struct RecordedWorldsTests {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")

  static let corpus: [PathCase] = {
    guard let data = try? Data(contentsOf: folder.appending(path: "worlds.json")) else { return [] }
    return (try? Corpus.decode(data)) ?? []
  }()

  static let found: [String] =
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.appending(path: "Found").path)) ?? [])
    .filter { $0.hasSuffix(".json") }.sorted()

  static func complaints(_ recorded: PathCase, _ name: String) -> [String] {
    recorded.verdicts(World([recorded.snapshot]).ask).enumerated().compactMap { number, verdict in
      verdict.disagreement.map { "\(name) question \(number): \($0.kind): \($0.details.joined(separator: "; "))" }
    }
  }

  @Test("a sample of random worlds")
  func sample() {
    #expect(Self.corpus.count >= 150)
    var undecided = 0
    var questions = 0
    for (place, recorded) in Self.corpus.enumerated() {
      for (number, verdict) in recorded.verdicts(World([recorded.snapshot]).ask).enumerated() {
        questions += 1
        if case .undecided = verdict { undecided += 1 }
        if let found = verdict.disagreement {
          Issue.record("world \(place) question \(number): \(found.kind): \(found.details.joined(separator: "; "))")
        }
      }
    }
    // Some extensions are outside the model: macvlan's source mode, for one.
    #expect(undecided * 20 < questions, "\(undecided) of \(questions)")
  }

  @Test("worlds that once showed a mistake", arguments: found)
  func once(_ name: String) throws {
    let data = try Data(contentsOf: Self.folder.appending(path: "Found/\(name)"))
    let recorded = try JSONDecoder().decode(PathCase.self, from: data)
    #expect(Self.complaints(recorded, name) == [])
  }

  @Test("a wrong answer is told from a right one")
  func comparison() {
    // What every sender sees is changed where there is no choice: no such verdict may be an agreement.
    var changed = 0
    for recorded in Self.corpus.prefix(20) {
      let world = World([recorded.snapshot])
      var isChanged: [Bool] = []
      let verdicts = recorded.verdicts { question in
        var answer = world.ask(question)
        isChanged.append(answer.sender.count == 1 && answer.sender != [.undecided])
        for index in answer.branches.indices where isChanged.last == true {
          answer.branches[index].sender = answer.branches[index].sender == .silence ? .reply : .silence
        }
        return answer
      }
      for (number, verdict) in verdicts.enumerated() where isChanged[number] {
        changed += 1
        #expect(verdict != .agreement, "\(recorded.plan.questions[number])")
      }
    }
    #expect(changed > 200)
  }
}
