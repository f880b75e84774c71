import LinuxSystem

/// The counters of network namespaces (/proc/net/snmp, snmp6, netstat): what they say of a packet that nobody dropped.
struct Counters {
  private var texts: [[String]]

  private static let files = ["snmp", "snmp6", "netstat"].map { "/proc/thread-self/net/\($0)" }

  /// Of every namespace now. Switches the calling thread.
  init(_ namespaces: [LabNetns]) throws {
    texts = try namespaces.map { netns in
      try netns.enter()
      return Self.files.map { (try? Files.text($0)) ?? "" }
    }
  }

  /// What grew, by the namespace's number. Counters that say nothing about one packet are left out.
  func growth(since before: Counters) -> [String: [String: Int]] {
    var result: [String: [String: Int]] = [:]
    for (number, (now, then)) in zip(texts, before.texts).enumerated() {
      let old = Self.values(then)
      var moved: [String: Int] = [:]
      for (name, value) in Self.values(now) where value > old[name] ?? 0 && !name.hasSuffix("Octets") {
        moved[name] = value - (old[name] ?? 0)
      }
      if !moved.isEmpty { result["\(number)"] = moved }
    }
    return result
  }

  private static func values(_ texts: [String]) -> [String: Int] {
    var values: [String: Int] = [:]
    for text in texts {
      var names: [Substring] = []
      for line in text.split(separator: "\n") {
        let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
        guard let first = words.first else { continue }
        if !first.hasSuffix(":") {
          // snmp6: a name and a value a line.
          if words.count == 2, let value = Int(words[1]) { values[String(first)] = value }
        } else if words.count > 1, Int(words[1]) == nil {
          names = words
        } else if names.first == first {
          for (name, value) in zip(names, words).dropFirst() {
            if let value = Int(value) { values["\(first.dropLast())\(name)"] = value }
          }
        }
      }
    }
    return values
  }
}
