import NetTypes

/// Puts pseudonyms into a ruleset's text, wherever something reads as an address, and in place of comments.
struct TextRedactor {
  var pseudonyms: Pseudonyms
  /// Whether a range of addresses was met, which pseudonyms do not keep.
  private(set) var hasRanges = false

  private var input: [UInt8] = []
  private var output: [UInt8] = []
  private var place = 0

  init(_ pseudonyms: Pseudonyms) { self.pseudonyms = pseudonyms }

  /// Words of iptables-save and ipset, and keys of nft's JSON, behind which a person's own text stands.
  private static let comments = [
    "--comment ", "--log-prefix ", "--nflog-prefix ", "--string ", "--hex-string ", "--path ", " comment ",
    "\"comment\": ", "\"prefix\": ",
  ].map { Array($0.utf8) }

  mutating func redact(_ text: String) -> String {
    input = Array(text.utf8)
    output = []
    output.reserveCapacity(input.count)
    place = 0
    while place < input.count {
      if skipComment() { continue }
      let byte = input[place]
      if Self.isAddressByte(byte), place == 0 || !Self.isWordByte(input[place - 1]) {
        replaceAddress()
      } else {
        output.append(byte)
        place += 1
      }
    }
    return String(decoding: output, as: UTF8.self)
  }

  /// A comment's marker and the quoted string or word behind it.
  private mutating func skipComment() -> Bool {
    guard let marker = Self.comments.first(where: { input[place...].starts(with: $0) }) else { return false }
    var end = place + marker.count
    guard end < input.count else { return false }
    let isQuoted = input[end] == UInt8(ascii: "\"")
    // In JSON only a string is text: `"prefix": {` begins an address block.
    if !isQuoted, marker.first == UInt8(ascii: "\"") || marker.first == UInt8(ascii: " ") { return false }
    let start = isQuoted ? end + 1 : end
    end = start
    let stop: [UInt8] = isQuoted ? [UInt8(ascii: "\"")] : [UInt8(ascii: " "), UInt8(ascii: "\n")]
    while end < input.count, !stop.contains(input[end]) {
      end += isQuoted && input[end] == UInt8(ascii: "\\") ? 2 : 1
    }
    end = min(end, input.count)
    let text = String(decoding: input[start..<end], as: UTF8.self)
    output += input[place..<start]
    output += Array(pseudonyms.name(text, "text").utf8)
    place = end
    return true
  }

  private static func isAddressByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x46, 0x61...0x66, UInt8(ascii: ":"), UInt8(ascii: "."): true
    default: false
    }
  }

  /// What a word consists of; a hyphen stands between the ends of a range.
  private static func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "."): true
    default: false
    }
  }

  /// The run of bytes from here that may be an address: replaced, or copied when it is none.
  private mutating func replaceAddress() {
    var end = place
    while end < input.count, Self.isAddressByte(input[end]) { end += 1 }
    let isWord = end < input.count && Self.isWordByte(input[end])
    let text = String(decoding: input[place..<end], as: UTF8.self)
    defer { place = max(place, end) }
    guard !isWord else {
      output += input[place..<end]
      return
    }
    if let mac = MACAddress(text) {
      output += Array(pseudonyms.mac(mac).description.utf8)
    } else if let address = IPAddress(text) {
      append(address, end: end)
    } else if let colon = text.lastIndex(of: ":"), let address = IPAddress(text[..<colon]), address.family == .v4 {
      // ADDRESS:PORT
      append(address, end: end)
      output += Array(text[colon...].utf8)
    } else {
      output += input[place..<end]
    }
  }

  /// A pseudonym; of the block when a length follows, as `/24` or as `", "len": 24`.
  private mutating func append(_ address: IPAddress, end: Int) {
    let rest = input[end...]
    var length: Int?
    for marker in ["/", "\", \"len\": "] where rest.starts(with: Array(marker.utf8)) {
      let digits = rest.dropFirst(marker.utf8.count).prefix { (0x30...0x39).contains($0) }
      length = Int(String(decoding: digits, as: UTF8.self))
    }
    var result = pseudonyms.address(address)
    if let length, let block = IPPrefix(result, length: length) { result = block.address }
    if result != address, isRange(end: end) { hasRanges = true }
    output += Array(result.description.utf8)
  }

  /// Whether the address from `place` to `end` is one end of a range: `A-B`, or in JSON `"range": ["A", "B"]`.
  private func isRange(end: Int) -> Bool {
    if end + 1 < input.count, input[end] == UInt8(ascii: "-"), Self.isAddressByte(input[end + 1]) { return true }
    let before = Array("\"range\": [\"".utf8)
    return input[..<place].suffix(before.count).elementsEqual(before)
  }
}
