/// A figure with the interval that holds the true median with at least 95 % confidence, where there are enough samples.
struct Estimate: Codable, Hashable, Sendable {
  var median: Double
  var low: Double
  var high: Double
  /// How sure the interval is, 0 to 1: below 0.95 with fewer than six samples.
  var confidence: Double
  var samples: Int
}

enum Statistics {
  /// The middle value, or the mean of the two in the middle.
  static func median(_ values: [Double]) -> Double {
    precondition(!values.isEmpty)
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }

  /// The median with an interval by order statistics, which asks nothing of the distribution: the number of samples below
  /// the true median is binomial with one half, so the k-th smallest and k-th largest samples enclose it with
  /// 1 - 2 P(X < k). The largest k that keeps 95 % is taken, or k = 1.
  static func estimate(_ values: [Double]) -> Estimate {
    let sorted = values.sorted()
    var rank = 1
    while 2 * (rank + 1) <= sorted.count + 1, confidence(rank: rank + 1, of: sorted.count) >= 0.95 { rank += 1 }
    return Estimate(
      median: median(values), low: sorted[rank - 1], high: sorted[sorted.count - rank],
      confidence: confidence(rank: rank, of: sorted.count), samples: sorted.count)
  }

  /// 1 - 2 P(X < rank) for X binomial with `count` trials and one half.
  static func confidence(rank: Int, of count: Int) -> Double {
    var term = 1.0
    for _ in 0..<count { term /= 2 }
    var below = 0.0
    for successes in 0..<rank {
      below += term
      term *= Double(count - successes) / Double(successes + 1)
    }
    return max(0, 1 - 2 * below)
  }

  /// The ratio first/second of each pair.
  static func ratios(_ pairs: [(first: Double, second: Double)]) -> [Double] {
    pairs.map { $0.first / $0.second }
  }
}
