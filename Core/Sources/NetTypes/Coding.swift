// Addresses are coded as the text that people write.

extension Decoder {
  /// A value coded as its text form.
  func decodeText<Value: LosslessStringConvertible>(_ type: Value.Type, _ what: String) throws -> Value {
    let container = try singleValueContainer()
    let text = try container.decode(String.self)
    guard let value = Value(text) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(text) is no \(what)")
    }
    return value
  }
}

extension Encoder {
  func encodeText(_ value: some CustomStringConvertible) throws {
    var container = singleValueContainer()
    try container.encode(value.description)
  }
}

extension IPAddress: Codable {
  public init(from decoder: any Decoder) throws { self = try decoder.decodeText(Self.self, "IP address") }
  public func encode(to encoder: any Encoder) throws { try encoder.encodeText(self) }
}

extension IPPrefix: Codable {
  public init(from decoder: any Decoder) throws { self = try decoder.decodeText(Self.self, "address block") }
  public func encode(to encoder: any Encoder) throws { try encoder.encodeText(self) }
}

extension MACAddress: Codable {
  public init(from decoder: any Decoder) throws { self = try decoder.decodeText(Self.self, "MAC address") }
  public func encode(to encoder: any Encoder) throws { try encoder.encodeText(self) }
}

extension IPAddress.Family: Codable {}
extension IPProtocol: Codable {}

extension NetnsCookie: Codable {}
