import Testing

@testable import skoop_bench

struct StatisticsTests {
  @Test func medianOfOddAndEvenCounts() {
    #expect(Statistics.median([3, 1, 2]) == 2)
    #expect(Statistics.median([4, 1, 3, 2]) == 2.5)
  }

  /// The ranks of the sign test's tables (e.g. Conover, Practical Nonparametric Statistics, A3).
  @Test(arguments: [(6, 1), (10, 2), (20, 6), (30, 10), (40, 14)])
  func intervalTakesTheTabledRanks(count: Int, rank: Int) {
    let estimate = Statistics.estimate((1...count).map(Double.init).shuffled())
    #expect(estimate.low == Double(rank))
    #expect(estimate.high == Double(count + 1 - rank))
    #expect(estimate.confidence >= 0.95)
    #expect(Statistics.confidence(rank: rank + 1, of: count) < 0.95)
  }

  @Test func fewSamplesSayThatTheyAreFew() {
    let estimate = Statistics.estimate([1, 2, 3])
    #expect(estimate.low == 1 && estimate.high == 3)
    #expect(estimate.confidence == 0.75)
  }

  @Test func oneSampleHasNoConfidence() {
    #expect(Statistics.estimate([7]) == Estimate(median: 7, low: 7, high: 7, confidence: 0, samples: 1))
  }

  @Test func ratiosAreFirstOverSecond() {
    #expect(Statistics.ratios([(1, 2), (3, 1)]) == [0.5, 3])
  }
}
