/// An action is coded as an object: `{"type": "lookup", "table": 254}`, `{"type": "goto", "priority": 20}`,
/// `{"type": "unknown", "number": 9}`, and for the others their name alone, `{"type": "blackhole"}`.
extension PolicyRule.Action: Codable {
  private enum Key: String, CodingKey { case type, table, priority, number }

  private static let plain: [String: Self] = [
    "nop": .nop, "blackhole": .blackhole, "unreachable": .unreachable, "prohibit": .prohibit,
  ]

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    let type = try container.decode(String.self, forKey: .type)
    switch type {
    case "lookup": self = .lookup(try container.decode(UInt32.self, forKey: .table))
    case "goto": self = .goto(try container.decode(UInt32.self, forKey: .priority))
    case "unknown": self = .unknown(try container.decode(UInt8.self, forKey: .number))
    default:
      guard let action = Self.plain[type] else {
        throw DecodingError.dataCorruptedError(
          forKey: .type, in: container, debugDescription: "\(type) is no action of a rule")
      }
      self = action
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    switch self {
    case .lookup(let table):
      try container.encode("lookup", forKey: .type)
      try container.encode(table, forKey: .table)
    case .goto(let priority):
      try container.encode("goto", forKey: .type)
      try container.encode(priority, forKey: .priority)
    case .unknown(let number):
      try container.encode("unknown", forKey: .type)
      try container.encode(number, forKey: .number)
    case .nop, .blackhole, .unreachable, .prohibit:
      try container.encode(Self.plain.first { $0.value == self }!.key, forKey: .type)
    }
  }
}
