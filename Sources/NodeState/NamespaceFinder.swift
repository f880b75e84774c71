import Glibc
import LinuxSystem
import NetModel

/// A network namespace that was found, held open.
struct FoundNamespace {
  var handle: NetworkNamespace.Handle
  var names: [String] = []
  var processes: [ProcessReference] = []
  var furtherProcesses = 0
}

/// Finds every network namespace that somebody or something holds: processes, mounts (`ip netns`, container runtimes), and
/// open files.
struct NamespaceFinder {
  /// Processes listed for one namespace; the rest is counted.
  static let listedProcesses = 32

  private(set) var found: [FoundNamespace] = []
  private var places: [UInt64: Int] = [:]

  /// The host's namespace is that of the first process. Without the right to look there it is taken to be our own.
  static func hostInode() -> UInt64? {
    inode(ofLink: "/proc/1/ns/net") ?? inode(ofLink: "/proc/self/ns/net")
  }

  /// The N of `net:[N]`.
  static func inode(ofLink path: String) -> UInt64? { Files.link(path).flatMap { inode(text: $0[...]) } }

  static func inode(text: Substring) -> UInt64? {
    guard text.hasPrefix("net:["), text.hasSuffix("]") else { return nil }
    return UInt64(text.dropFirst(5).dropLast())
  }

  /// Adds the namespace of a file and returns its place. A name in /run/netns is noted.
  @discardableResult
  mutating func add(opening path: String) throws -> Int {
    let handle = try NetworkNamespace.Handle(opening: path)
    let place: Int
    if let known = places[handle.inode] {
      place = known
    } else {
      place = found.count
      places[handle.inode] = place
      found.append(FoundNamespace(handle: handle))
    }
    // `/proc/1/root/run/netns/NAME` is a name too, as seen from a container.
    for folder in ["/run/netns/", "/var/run/netns/", "/proc/1/root/run/netns/"] where path.hasPrefix(folder) {
      let name = String(path.dropFirst(folder.count))
      if !found[place].names.contains(name) { found[place].names.append(name) }
    }
    return place
  }

  /// The same; a file that is gone since it was listed gives nil, and so does one that cannot be opened, which is a gap.
  @discardableResult
  mutating func add(_ path: String, gaps: inout Gaps) -> Int? {
    do {
      return try add(opening: path)
    } catch {
      if let error = error as? SystemError, [ENOENT, ESRCH].contains(error.errno) { return nil }
      gaps.add("\(error)")
      return nil
    }
  }

  /// Namespaces by their mounts. `table` is a mountinfo file, `root` leads to its mount namespace. Such a line is
  /// `36 25 0:4 net:[4026532195] /run/netns/a rw … - nsfs nsfs rw` (proc_pid_mountinfo(5)).
  mutating func addMounts(_ table: String, root: String, gaps: inout Gaps) {
    guard let text = try? Files.text(table) else {
      gaps.add("\(table) cannot be read")
      return
    }
    for line in text.split(separator: "\n") where line.contains(" net:[") {
      let fields = line.split(separator: " ", maxSplits: 5)
      guard fields.count > 4, let inode = Self.inode(text: fields[3]) else { continue }
      let path = Self.unescape(fields[4])
      if places[inode] == nil || path.hasPrefix("/run/netns/") { add(root + path, gaps: &gaps) }
    }
  }

  /// Blanks and the like are written as `\040` in mount tables.
  static func unescape(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "\\"), rest.count >= 3,
        let code = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8)
      {
        bytes.append(code)
        rest = rest.dropFirst(3)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The processes of the namespaces found so far; with `adding`, those of others are added.
  mutating func addProcesses(adding: Bool, gaps: inout Gaps) {
    var hidden = 0
    for pid in Self.processes() {
      guard let inode = Self.inode(ofLink: "/proc/\(pid)/ns/net") else {
        // Kernel threads and processes that just ended have none; those of others we may not look at.
        if Files.names(in: "/proc/\(pid)/ns").isEmpty == false { hidden += 1 }
        continue
      }
      var place = places[inode]
      if place == nil, adding { place = add("/proc/\(pid)/ns/net", gaps: &gaps) }
      guard let place else { continue }
      if found[place].processes.count >= Self.listedProcesses {
        found[place].furtherProcesses += 1
      } else if let command = try? Files.text("/proc/\(pid)/comm") {
        found[place].processes.append(
          ProcessReference(pid: pid, command: command.hasSuffix("\n") ? String(command.dropLast()) : command))
      }
    }
    if hidden > 0 { gaps.add("the namespaces of \(hidden) processes cannot be read") }
  }

  /// Namespaces that only an open file holds.
  mutating func addOpenFiles(gaps: inout Gaps) {
    var hidden = 0
    for pid in Self.processes() {
      let folder = "/proc/\(pid)/fd"
      let names = Files.names(in: folder)
      if names.isEmpty, !Files.isListable(folder) { hidden += 1 }
      for name in names {
        let path = "\(folder)/\(name)"
        guard let inode = Self.inode(ofLink: path), places[inode] == nil else { continue }
        add(path, gaps: &gaps)
      }
    }
    if hidden > 0 { gaps.add("the open files of \(hidden) processes cannot be read") }
  }

  private static func processes() -> [Int32] { Files.names(in: "/proc").compactMap { Int32($0) }.sorted() }
}
