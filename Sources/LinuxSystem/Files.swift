public import Glibc

/// Small reads of files that the kernel makes up as they are read (/proc, /sys): no size is known beforehand.
public enum Files {
  /// The whole file, read in pieces of `chunk` bytes; throws a `SystemError` naming it.
  public static func bytes(_ path: String, chunk: Int = 1 << 16) throws -> [UInt8] {
    let descriptor = try Descriptor(opening: path)
    var bytes: [UInt8] = []
    try descriptor.forEachChunk(of: path, size: chunk) { bytes.append(contentsOf: $0) }
    return bytes
  }

  /// The whole file as text; bytes that are not UTF-8 are replaced.
  public static func text(_ path: String) throws -> String {
    String(decoding: try bytes(path), as: UTF8.self)
  }

  /// Makes the file say `bytes`: readers see the old text or the new one, never a part. Only its owner may read a file that
  /// is made. What is no regular file, such as a pipe, is written to as it is.
  public static func replace(_ path: String, with bytes: [UInt8]) throws {
    var info = stat()
    if unsafe stat(path, &info) == 0, info.st_mode & S_IFMT != S_IFREG {
      let file = try Descriptor(opening: path, flags: O_WRONLY)
      return try write(bytes, to: file.rawValue, path)
    }
    let draft = "\(path).\(getpid())"
    do {
      let file = try Descriptor(opening: draft, flags: O_WRONLY | O_CREAT | O_EXCL)
      guard fchmod(file.rawValue, 0o600) == 0 else { throw SystemError(errno: errno, doing: "protecting \(draft)") }
      try write(bytes, to: file.rawValue, path)
      guard unsafe rename(draft, path) == 0 else { throw SystemError(errno: errno, doing: "renaming \(draft)") }
    } catch {
      unsafe unlink(draft)
      throw error
    }
  }

  /// Whether a path leads to something.
  public static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

  /// Whether we may list a folder.
  public static func isListable(_ path: String) -> Bool { unsafe access(path, R_OK) == 0 }

  /// What a symbolic link says; nil when it cannot be read. The links of /proc are shorter than 4096 bytes.
  public static func link(_ path: String) -> String? {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = unsafe buffer.withUnsafeMutableBytes {
      unsafe readlink(path, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
    }
    return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
  }

  /// Writes all bytes to an open descriptor, however the kernel divides them; `target` is for the error.
  public static func write(_ bytes: [UInt8], to descriptor: Int32, _ target: String) throws {
    let (_, error) = write(bytes, to: descriptor)
    if let error { throw SystemError(errno: error, doing: "writing to \(target)") }
  }

  /// Writes all bytes to the end of a file that was opened for appending and that nobody else writes to. What it took of bytes
  /// that did not all find room is cut off again.
  public static func append(_ bytes: [UInt8], to descriptor: Int32, _ target: String) throws {
    let (count, error) = write(bytes, to: descriptor)
    guard let error else { return }
    var info = stat()
    // Fails on a device or pipe, which keeps what it took.
    if count > 0, unsafe fstat(descriptor, &info) == 0 { ftruncate(descriptor, info.st_size - off_t(count)) }
    throw SystemError(errno: error, doing: "writing to \(target)")
  }

  /// How many bytes were written, and why not all.
  private static func write(_ bytes: [UInt8], to descriptor: Int32) -> (count: Int, error: Int32?) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 {
        if Glibc.errno == EINTR { continue }
        return (bytes.count - rest.count, Glibc.errno)
      }
      rest = rest.dropFirst(count)
    }
    return (bytes.count, nil)
  }

  /// The names in a folder, without `.` and `..`, sorted; an absent folder is empty.
  public static func names(in folder: String) -> [String] { entries(of: folder) { _ in true } }

  /// The same for folders only, on file systems that tell (d_type of readdir(3)).
  public static func folders(in folder: String) -> [String] { entries(of: folder) { $0 == DT_DIR } }

  private static func entries(of folder: String, where isWanted: (Int32) -> Bool) -> [String] {
    guard let handle = unsafe opendir(folder) else { return [] }
    defer { unsafe closedir(handle) }
    var names: [String] = []
    while let entry = unsafe readdir(handle) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != "..", isWanted(Int32(unsafe entry.pointee.d_type)) { names.append(name) }
    }
    return names.sorted()
  }
}

/// An open file descriptor that closes itself.
public struct Descriptor: ~Copyable, Sendable {
  public let rawValue: Int32

  public init(owning rawValue: Int32) { self.rawValue = rawValue }

  public init(opening path: String, flags: Int32 = O_RDONLY) throws {
    let descriptor = unsafe open(path, flags | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw SystemError(errno: Glibc.errno, doing: "opening \(path)") }
    self.rawValue = descriptor
  }

  deinit { close(rawValue) }

  /// Reads to the end, handing out one buffer again and again.
  public func forEachChunk(
    of path: String, size: Int = 1 << 16, _ body: (ArraySlice<UInt8>) throws -> Void
  ) throws {
    var chunk = [UInt8](repeating: 0, count: size)
    while true {
      let count = unsafe chunk.withUnsafeMutableBytes { unsafe read(rawValue, $0.baseAddress, $0.count) }
      if count == 0 { return }
      if count < 0 {
        if Glibc.errno == EINTR { continue }
        throw SystemError(errno: Glibc.errno, doing: "reading \(path)")
      }
      try body(chunk[..<count])
    }
  }
}
