import CLinux
import Glibc
public import NetTypes

/// Network namespaces: identity, addresses, and running code inside them. Code that switches runs on a thread that ends
/// afterwards, never on a pooled one.
public enum NetworkNamespace {
  /// What a namespace file leads to.
  public struct Identity: Hashable, Sendable {
    /// The cookie; nil on kernels before 5.14.
    public let cookie: NetnsCookie?
    /// The inode of the namespace, for people. The kernel gives it to the next namespace at once.
    public let inode: UInt64

    public init(cookie: NetnsCookie?, inode: UInt64) {
      self.cookie = cookie
      self.inode = inode
    }

    /// As the kernel programs name it when there are no cookies: the inode with the top bit set.
    public var key: NetnsCookie { cookie ?? NetnsCookie(rawValue: 1 << 63 | inode) }
  }

  /// Whether this kernel tells user space a namespace's cookie.
  public static func hasCookies() -> Bool {
    var cookie: UInt64 = 0
    return unsafe clinux_netns_cookie(&cookie) == 0
  }

  /// Whether `path` is a namespace that we may open.
  public static func isReadable(_ path: String) -> Bool {
    guard let file = try? Descriptor(opening: path) else { return false }
    return clinux_is_namespace(file.rawValue) == 1
  }

  /// One namespace as seen from inside.
  public struct View: Hashable, Sendable {
    public let identity: Identity
    /// The addresses of its interfaces, loopback's too.
    public let addresses: [IPAddress]
  }

  /// Visits namespaces one after another on one thread. A file that is no namespace (any more) gives nil.
  public static func look(into paths: [String]) throws -> [View?] {
    try DedicatedThread.run("skoop-netns") {
      paths.map { path in
        guard let file = try? Descriptor(opening: path), clinux_is_namespace(file.rawValue) == 1,
          clinux_setns_net(file.rawValue) == 0
        else { return nil }
        return View(identity: identity(ofFile: file), addresses: addresses())
      }
    }
  }

  /// Runs `body` inside the namespace at `path`, on a thread of its own.
  public static func run<Result: Sendable>(
    in path: String, _ body: @escaping @Sendable () throws -> Result
  ) throws -> Result {
    try DedicatedThread.run("skoop-netns") {
      let file = try Descriptor(opening: path)
      let result = clinux_setns_net(file.rawValue)
      guard result == 0 else { throw SystemError(errno: -result, doing: "entering the network namespace \(path)") }
      return try body()
    }
  }

  /// The cookie of the calling thread's namespace; nil on kernels before 5.14.
  public static func currentCookie() -> NetnsCookie? {
    var cookie: UInt64 = 0
    return unsafe clinux_netns_cookie(&cookie) == 0 ? NetnsCookie(rawValue: cookie) : nil
  }

  /// A namespace held open: while it lives, so does the namespace, and nobody else gets its inode.
  public final class Handle: Sendable {
    public let descriptor: Int32
    public let inode: UInt64
    private let file: Descriptor

    /// Throws when `path` cannot be opened or is no namespace.
    public init(opening path: String) throws {
      let file = try Descriptor(opening: path)
      guard clinux_is_namespace(file.rawValue) == 1 else {
        throw SystemError(errno: EINVAL, doing: "opening \(path) as a namespace")
      }
      var info = stat()
      _ = unsafe fstat(file.rawValue, &info)
      inode = UInt64(info.st_ino)
      descriptor = file.rawValue
      self.file = file
    }

    /// Moves the calling thread into it: a thread of our own that ends afterwards. Another kind of namespace, or one that
    /// we may not enter, throws.
    public func enter() throws {
      let result = clinux_setns_net(descriptor)
      guard result == 0 else {
        throw SystemError(errno: -result, doing: "entering the network namespace \(inode)")
      }
    }
  }

  /// Of the calling thread, which is in the namespace of `file`.
  private static func identity(ofFile file: borrowing Descriptor) -> Identity {
    var info = stat()
    _ = unsafe fstat(file.rawValue, &info)
    var cookie: UInt64 = 0
    let known = unsafe clinux_netns_cookie(&cookie) == 0
    return Identity(cookie: known ? NetnsCookie(rawValue: cookie) : nil, inode: UInt64(info.st_ino))
  }

  /// The addresses of the calling thread's namespace, by getifaddrs(3), which asks netlink.
  private static func addresses() -> [IPAddress] {
    var list: UnsafeMutablePointer<ifaddrs>?
    guard unsafe getifaddrs(&list) == 0 else { return [] }
    defer { unsafe freeifaddrs(list) }
    var result: [IPAddress] = []
    var next = unsafe list
    while let entry = unsafe next {
      unsafe next = entry.pointee.ifa_next
      guard let address = unsafe entry.pointee.ifa_addr else { continue }
      switch Int32(unsafe address.pointee.sa_family) {
      case AF_INET:
        let value = unsafe UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in.self).sin_addr.s_addr
        result.append(IPAddress(v4: UInt32(bigEndian: value)))
      case AF_INET6:
        let value = unsafe UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in6.self).sin6_addr
        if let address = unsafe withUnsafeBytes(of: value, { unsafe IPAddress(networkBytes: $0) }) {
          result.append(address)
        }
      default: break
      }
    }
    return result
  }
}
