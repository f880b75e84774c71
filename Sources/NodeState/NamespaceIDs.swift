import LinuxNetlink
import LinuxSystem
import NetParse
import NetTypes

/// Which namespace the kernel means by the number of IFLA_LINK_NETNSID. Each namespace numbers the others for itself, so the
/// question is asked from inside it, for one known namespace after another until all wanted numbers are found.
struct NamespaceIDs {
  /// All known namespaces, the host first: a pod's other end mostly lies there.
  let known: [(key: NetnsCookie, handle: NetworkNamespace.Handle)]

  /// `socket`: opened in the asking namespace.
  func resolve(_ wanted: Set<Int32>, over socket: NetlinkSocket) throws -> [Int32: NetnsCookie] {
    var missing = wanted
    var result: [Int32: NetnsCookie] = [:]
    for (key, handle) in known {
      if missing.isEmpty { break }
      guard let answer = try socket.ask(.namespaceID(ofFile: handle.descriptor)),
        let id = try decodeNamespaceID(netlink: answer.payload), missing.remove(id) != nil
      else { continue }
      result[id] = key
    }
    return result
  }
}
