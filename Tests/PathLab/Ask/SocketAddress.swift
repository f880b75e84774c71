import CPathLab
import NetTypes

extension pathlab_address {
  init(_ address: IPAddress, _ port: UInt16 = 0, scope: UInt32 = 0) {
    self.init()
    family = address.family == .v4 ? 4 : 6
    self.port = port
    self.scope = scope
    withUnsafeMutableBytes(of: &bytes) { bytes in
      switch address.family {
      case .v4:
        bytes.storeBytes(of: UInt32(truncatingIfNeeded: address.low).bigEndian, as: UInt32.self)
      case .v6:
        bytes.storeBytes(of: address.high.bigEndian, as: UInt64.self)
        bytes.storeBytes(of: address.low.bigEndian, toByteOffset: 8, as: UInt64.self)
      }
    }
  }

  /// Nil when the kernel told none.
  var address: IPAddress? {
    switch family {
    case 4: withUnsafeBytes(of: bytes) { IPAddress(v4: UInt32(bigEndian: $0.load(as: UInt32.self))) }
    case 6:
      withUnsafeBytes(of: bytes) {
        IPAddress(
          v6High: UInt64(bigEndian: $0.loadUnaligned(as: UInt64.self)),
          low: UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
      }
    default: nil
    }
  }
}

extension IPAddress {
  var familyNumber: Int32 { family == .v4 ? 4 : 6 }
}

/// The symbol of an error number.
func errnoName(_ number: Int32) -> String {
  guard let name = pathlab_error_name(number) else { return "errno \(number)" }
  return String(cString: name)
}
