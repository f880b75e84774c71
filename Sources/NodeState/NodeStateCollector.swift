import Glibc
public import LinuxSystem
public import NetModel
import NetTypes

/// Takes a picture of this node's network: the host's namespace and every other one, one after another on one thread.
///
/// A part that cannot be read is a gap in the picture, never an error.
public struct NodeStateCollector: Sendable {
  public struct Options: Hashable, Sendable {
    /// The node's name.
    public var node: String
    /// Namespace files, such as `/run/netns/a`: only these are read. Nil is all that can be found.
    public var only: [String]?
    /// Connections kept of one namespace; sockets without a peer are always kept.
    public var maximumSockets: Int

    public init(node: String = Machine.hostName, only: [String]? = nil, maximumSockets: Int = 20_000) {
      self.node = node
      self.only = only
      self.maximumSockets = maximumSockets
    }
  }

  public var options: Options

  public init(_ options: Options = Options()) {
    self.options = options
  }

  /// Throws only when no thread can be started, or a namespace of `only` cannot be opened.
  public func collect() throws -> NodeSnapshot {
    let options = options
    return try DedicatedThread.run("skoop-snapshot") { try Self.collect(options) }
  }

  private static func collect(_ options: Options) throws -> NodeSnapshot {
    let started = Machine.nanoseconds(CLOCK_REALTIME)
    var log = PartLog()
    let finder: NamespaceFinder
    if let only = options.only {
      finder = try find(only, &log)
    } else {
      finder = findAll(&log)
    }
    let host = NamespaceFinder.hostInode()
    let known = identify(finder.found, host: host, &log)
    var namespaces: [NetnsSnapshot] = []
    var programs = ProgramReader()
    let ids = NamespaceIDs(known: known.map { ($0.snapshot.id, $0.handle) })
    for (snapshot, handle) in known {
      do {
        try enter(handle)
        var reader = try NamespaceReader(snapshot)
        namespaces.append(reader.read(options, ids: ids, programs: &programs, file: handle.descriptor))
      } catch {
        var failed = snapshot
        let now = Machine.nanoseconds(CLOCK_REALTIME)
        failed.parts = SnapshotPart.ofNamespace.map {
          PartReport(part: $0, gap: "\(error)", started: now, took: 0)
        }
        namespaces.append(failed)
      }
    }
    let bootID = (try? Files.text("/proc/sys/kernel/random/boot_id")) ?? ""
    let groups = log.read(.cgroupPrograms, []) { try programs.ofControlGroups(&$0) }
    let unplaced = log.read(.programs, []) { _ in try programs.ofNetfilter() }
    var snapshot = NodeSnapshot(
      node: options.node, kernel: Machine.kernelRelease, bootID: bootID.filter { !$0.isWhitespace }, started: started,
      finished: Machine.nanoseconds(CLOCK_REALTIME), namespaces: namespaces, cgroupPrograms: groups, parts: log.reports)
    snapshot.unplacedPrograms = unplaced
    return snapshot
  }

  /// Entering needs rights that being inside does not: without root the own namespace can be read all the same.
  private static func enter(_ handle: NetworkNamespace.Handle) throws {
    do { try handle.enter() } catch {
      guard NamespaceFinder.inode(ofLink: "/proc/thread-self/ns/net") == handle.inode else { throw error }
    }
  }

  private static func find(_ paths: [String], _ log: inout PartLog) throws -> NamespaceFinder {
    var finder = NamespaceFinder()
    for path in paths { try finder.add(opening: path) }
    log.read(.processes, ()) { finder.addProcesses(adding: false, gaps: &$0) }
    return finder
  }

  private static func findAll(_ log: inout PartLog) -> NamespaceFinder {
    var finder = NamespaceFinder()
    log.read(.namespaces, ()) { gaps in
      finder.add("/proc/1/ns/net", gaps: &gaps)
      finder.addMounts("/proc/self/mountinfo", root: "", gaps: &gaps)
      // In a container the runtimes' mounts are only in the host's mount namespace.
      if let first = Files.link("/proc/1/ns/mnt"), first != Files.link("/proc/self/ns/mnt") {
        finder.addMounts("/proc/1/mountinfo", root: "/proc/1/root", gaps: &gaps)
      }
    }
    log.read(.processes, ()) { finder.addProcesses(adding: true, gaps: &$0) }
    log.read(.namespaces, ()) { finder.addOpenFiles(gaps: &$0) }
    return finder
  }

  /// Enters each namespace to learn its cookie. The host comes first, then by cookie.
  private static func identify(
    _ found: [FoundNamespace], host: UInt64?, _ log: inout PartLog
  ) -> [(snapshot: NetnsSnapshot, handle: NetworkNamespace.Handle)] {
    var result: [(snapshot: NetnsSnapshot, handle: NetworkNamespace.Handle)] = []
    log.read(.namespaces, ()) { gaps in
      for namespace in found {
        let inode = namespace.handle.inode
        do { try enter(namespace.handle) } catch {
          gaps.add("\(error)")
          continue
        }
        let cookie = NetworkNamespace.currentCookie()
        var snapshot = NetnsSnapshot(
          id: NetworkNamespace.Identity(cookie: cookie, inode: inode).key, inode: inode, isHost: inode == host,
          names: namespace.names.sorted())
        snapshot.processes = namespace.processes
        snapshot.furtherProcesses = namespace.furtherProcesses
        result.append((snapshot, namespace.handle))
      }
    }
    return result.sorted { a, b in
      a.snapshot.isHost != b.snapshot.isHost ? a.snapshot.isHost : a.snapshot.id.rawValue < b.snapshot.id.rawValue
    }
  }
}
