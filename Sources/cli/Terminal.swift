import Foundation
import NetDiagnosis

/// The exit statuses that mean something went wrong (sysexits.h); the verdicts have 0, 1 and 2.
enum Status: Int32 {
  case usage = 64
  case badInput = 65
  case unavailable = 69
  case bug = 70
}

/// An end with a message on standard error.
struct Failure: Error {
  let status: Status
  let message: String
}

/// The standard streams.
enum Terminal {
  /// Throws when there is neither a file nor a folder of that name; `-` is standard input.
  static func checkExists(_ path: String) throws {
    if path != "-", !FileManager.default.fileExists(atPath: path) {
      throw Failure(status: .unavailable, message: "\(path): no such file or folder")
    }
  }

  static func output(_ text: String) { FileHandle.standardOutput.write(Data(text.utf8)) }

  static func output(_ bytes: [UInt8]) { FileHandle.standardOutput.write(Data(bytes)) }

  /// A document and a newline.
  static func output(_ json: JSONValue) {
    var bytes: [UInt8] = []
    json.append(to: &bytes)
    output(bytes + [UInt8(ascii: "\n")])
  }

  static func error(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}

/// One line on standard error that is written over, when that is a terminal; nothing otherwise.
struct Progress {
  private let isTerminal = isatty(2) == 1

  func show(_ text: String) {
    if isTerminal { Terminal.error("\r\u{1b}[K\(text)") }
  }

  func clear() {
    if isTerminal { Terminal.error("\r\u{1b}[K") }
  }
}
