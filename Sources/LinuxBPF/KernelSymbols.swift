/// The kernel's functions by address, as /proc/kallsyms lists them (proc_kallsyms(5)): a sorted table with all names in
/// one buffer, about 3 MB for 80,000 functions.
public struct KernelSymbolTable: Sendable {
  /// Sorted; entry n's name lies in `names[nameStarts[n]..<nameStarts[n + 1]]`.
  private var addresses: [UInt64] = []
  private var nameStarts: [UInt32] = [0]
  private var names: [UInt8] = []
  /// Lines that were no symbol. The kernel writes none.
  public private(set) var malformedLines = 0
  /// Whether every address was zero: the kernel hides them without CAP_SYSLOG or by kernel.kptr_restrict.
  public private(set) var isHidden = false

  public var count: Int { addresses.count }

  /// An address in words.
  public struct Place: Hashable, Sendable {
    public let function: String
    /// Bytes behind the function's start.
    public let offset: UInt64
  }

  public init() {}

  /// Reads the text of /proc/kallsyms: `ADDRESS TYPE NAME [\t[MODULE]]` a line. Only code (types t and w) is kept.
  public init(parsing text: some Sequence<ArraySlice<UInt8>>) {
    var builder = Builder()
    for chunk in text { builder.consume(chunk) }
    self = builder.finish()
  }

  /// The function that contains `address`; nil below the first and when nothing is known.
  public func place(of address: UInt64) -> Place? {
    guard let index = index(containing: address), address - addresses[index] < Self.largestFunction else { return nil }
    return Place(function: name(index), offset: address - addresses[index])
  }

  /// The addresses of every function called like one of `functions`, or so with a compiler's suffix (`.constprop.0`,
  /// `.cold`).
  public func ranges(of functions: Set<String>) -> [String: [Range<UInt64>]] {
    // Most names are told apart by length and first byte alone.
    var candidates: [Int: [[UInt8]]] = [:]
    for function in functions {
      let name = Array(function.utf8)
      candidates[name.count, default: []].append(name)
    }
    var result: [String: [Range<UInt64>]] = [:]
    for index in addresses.indices {
      let first = Int(nameStarts[index])
      var end = first
      let limit = Int(nameStarts[index + 1])
      while end < limit, names[end] != 0x2e { end += 1 }
      guard let same = candidates[end - first], let name = same.first(where: { names[first..<end].elementsEqual($0) })
      else { continue }
      let start = addresses[index]
      let next = addresses[(index + 1)...].first { $0 > start }
      result[String(decoding: name, as: UTF8.self), default: []].append(
        start..<(next ?? start + min(4096, .max - start)))
    }
    return result
  }

  /// Bytes; no function of the kernel comes near. What lies further behind a symbol belongs to none: code that was made
  /// after the table was read, such as a BPF program's.
  static let largestFunction: UInt64 = 1 << 20

  /// The call that a return address belongs to: the address lies behind the call, which may be a function's last instruction.
  /// The offset is the return address's own, as everybody prints it.
  public func place(ofReturnAddress address: UInt64) -> Place? {
    guard address > 0, let place = place(of: address - 1) else { return nil }
    return Place(function: place.function, offset: place.offset + 1)
  }

  private func index(containing address: UInt64) -> Int? {
    var low = 0
    var high = addresses.count
    while low < high {
      let middle = (low + high) / 2
      if addresses[middle] <= address { low = middle + 1 } else { high = middle }
    }
    return low == 0 ? nil : low - 1
  }

  private func name(_ index: Int) -> String {
    String(decoding: names[Int(nameStarts[index])..<Int(nameStarts[index + 1])], as: UTF8.self)
  }

  /// Takes the text in pieces of any size.
  struct Builder {
    private var entries: [(address: UInt64, start: UInt32, length: UInt32)] = []
    private var names: [UInt8] = []
    private var partial: [UInt8] = []
    private var malformed = 0
    private var lines = 0

    mutating func consume(_ chunk: ArraySlice<UInt8>) {
      var rest = chunk
      while let end = rest.firstIndex(of: 0x0a) {
        if partial.isEmpty {
          line(rest[..<end])
        } else {
          partial.append(contentsOf: rest[..<end])
          line(partial[...])
          partial.removeAll(keepingCapacity: true)
        }
        rest = rest[(end + 1)...]
      }
      partial.append(contentsOf: rest)
    }

    private mutating func line(_ text: ArraySlice<UInt8>) {
      lines += 1
      var address: UInt64 = 0
      var index = text.startIndex
      while index < text.endIndex, let digit = Self.hexDigit(text[index]) {
        address = address << 4 | UInt64(digit)
        index += 1
      }
      // At least one digit, a blank, the type, a blank, a name.
      guard index > text.startIndex, text.endIndex - index >= 4, text[index] == 0x20, text[index + 2] == 0x20 else {
        malformed += 1
        return
      }
      let type = text[index + 1] | 0x20
      guard type == UInt8(ascii: "t") || type == UInt8(ascii: "w") else { return }
      var name = text[(index + 3)...]
      if let tab = name.firstIndex(of: 0x09) { name = name[..<tab] }
      entries.append((address, UInt32(names.count), UInt32(name.count)))
      names.append(contentsOf: name)
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
      switch byte {
      case 0x30...0x39: byte - 0x30
      case 0x61...0x66: byte - 0x57
      case 0x41...0x46: byte - 0x37
      default: nil
      }
    }

    mutating func finish() -> KernelSymbolTable {
      if !partial.isEmpty { line(partial[...]) }
      var table = KernelSymbolTable()
      table.malformedLines = malformed
      table.isHidden = !entries.isEmpty && entries.allSatisfy { $0.address == 0 }
      guard !table.isHidden else { return table }
      // The kernel lists modules behind itself, each sorted for itself only; ties keep the listed order.
      entries.sort { ($0.address, $0.start) < ($1.address, $1.start) }
      table.addresses.reserveCapacity(entries.count)
      table.nameStarts.reserveCapacity(entries.count + 1)
      table.names.reserveCapacity(names.count)
      for entry in entries {
        table.addresses.append(entry.address)
        table.names.append(contentsOf: names[Int(entry.start)..<Int(entry.start + entry.length)])
        table.nameStarts.append(UInt32(table.names.count))
      }
      return table
    }
  }
}
