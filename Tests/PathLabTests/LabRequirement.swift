import Foundation

/// What these tests need of the machine.
enum PathLabRequirement {
  /// On the CI machine nothing is skipped: a test that cannot run there fails.
  static var isMet: Bool { geteuid() == 0 || ProcessInfo.processInfo.environment["CI"] != nil }
}
