/// One measured figure.
struct Finding: Codable, Sendable {
  enum Aim: Codable, Sendable {
    case atLeast(Double)
    case atMost(Double)
  }

  var id: String
  var what: String
  var estimate: Estimate
  /// Empty: a ratio.
  var unit: String
  var aim: Aim?

  init(_ id: String, _ what: String, _ estimate: Estimate, unit: String, aim: Aim? = nil) {
    self.id = id
    self.what = what
    self.estimate = estimate
    self.unit = unit
    self.aim = aim
  }

  /// Nil without an aim. The median decides.
  var isMet: Bool? {
    switch aim {
    case .atLeast(let value): estimate.median >= value
    case .atMost(let value): estimate.median <= value
    case nil: nil
    }
  }

  /// A row of the table in docs/results/bench.md.
  var row: String {
    let aimText =
      switch aim {
      case .atLeast(let value): "≥ \(Self.text(value)) \(unit)"
      case .atMost(let value): "≤ \(Self.text(value)) \(unit)"
      case nil: ""
      }
    let met = isMet.map { $0 ? "yes" : "**no**" } ?? ""
    let interval = "\(Self.text(estimate.low)) to \(Self.text(estimate.high)) (n = \(estimate.samples))"
    return "| \(what) | \(Self.text(estimate.median)) \(unit) | \(interval) | \(aimText) | \(met) |"
  }

  static let head = "| what | median | 95 % interval | aim | met |\n|---|---|---|---|---|"

  /// Three digits that count, without an exponent.
  static func text(_ value: Double) -> String {
    if value == 0 { return "0" }
    var scale = 1.0
    var size = value.magnitude
    while size < 100, scale < 1_000_000 {
      size *= 10
      scale *= 10
    }
    let rounded = (value * scale).rounded() / scale
    return rounded == rounded.rounded() && rounded.magnitude < 1e15 ? String(Int(rounded)) : String(rounded)
  }
}

/// A whole run.
struct Report: Codable, Sendable {
  var date: String
  var commit: String
  var kernel: String
  var machine: String
  var findings: [Finding] = []
}

/// Why a measurement could not be made.
struct BenchError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
