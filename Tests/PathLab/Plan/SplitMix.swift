/// splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014). Ours, so that a seed means the
/// same world with every toolchain.
public struct SplitMix {
  private var state: UInt64

  public init(seed: UInt64) { state = seed }

  /// A stream of its own for a numbered part of a seed.
  public init(seed: UInt64, stream: UInt64) {
    var mixed = SplitMix(seed: seed &+ stream &* 0xd134_2543_de82_ef95)
    state = mixed.next()
  }

  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }

  /// 0..<`bound`.
  public mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

  public mutating func within(_ range: ClosedRange<Int>) -> Int { range.lowerBound + below(range.count) }

  /// True `percent` times of a hundred.
  public mutating func chance(_ percent: Int) -> Bool { below(100) < percent }

  /// One of a list that is not empty.
  public mutating func pick<Element>(_ choices: [Element]) -> Element { choices[below(choices.count)] }

  /// One of a list by weight.
  public mutating func pick<Element>(weighted choices: [(weight: Int, value: Element)]) -> Element {
    var left = below(choices.reduce(0) { $0 + $1.weight })
    for choice in choices {
      left -= choice.weight
      if left < 0 { return choice.value }
    }
    preconditionFailure("weights changed while choosing")
  }
}
