public import BPFPrograms
public import Signals

/// What a probe is: the one place that its metrics, events, hooks and settings are written down. Exposition, `probes`,
/// configuration checks and the tables in docs/ come from it.
public struct ProbeManifest: Sendable {
  /// The contract's name, used in configuration and in `kubeskoop_<id>_…`.
  public var id: String
  /// One line.
  public var help: String
  public var metrics: [MetricDescription]
  public var events: [EventDescription]
  public var hooks: [Hook]
  public var settings: [SettingDescription]
  public var program: BPFProgramFile
  /// Enumerations of the kernel that the probe turns into names.
  public var enumerations: [String]
  /// Kernel modules whose BTF may hold one of them.
  public var modules: [String]

  public init(
    id: String, help: String, metrics: [MetricDescription], events: [EventDescription], hooks: [Hook],
    settings: [SettingDescription] = [], program: BPFProgramFile, enumerations: [String] = [], modules: [String] = []
  ) {
    self.id = id
    self.help = help
    self.metrics = metrics
    self.events = events
    self.hooks = hooks
    self.settings = settings
    self.program = program
    self.enumerations = enumerations
    self.modules = modules
  }

  /// Those of the probe and those that every probe has.
  public var allSettings: [SettingDescription] { SettingDescription.common + settings }
}

/// A type of event.
public struct EventDescription: Sendable, Hashable {
  public var type: String
  /// One sentence: when it happens.
  public var help: String

  public init(_ type: String, help: String) {
    self.type = type
    self.help = help
  }
}

/// A place in the kernel that a probe listens at. Its object has the programs `<tracepoint>_btf` and `<tracepoint>_raw`,
/// in this order of preference.
public struct Hook: Sendable, Hashable {
  public var tracepoint: String
  /// What it gives.
  public var gives: String
  /// Whether the probe is pointless without it.
  public var isRequired: Bool
  /// Whether its arguments differ between kernels: the program then has the constant `<tracepoint>_arguments`.
  public var isVariadic: Bool

  public init(_ tracepoint: String, gives: String, isRequired: Bool = true, isVariadic: Bool = false) {
    self.tracepoint = tracepoint
    self.gives = gives
    self.isRequired = isRequired
    self.isVariadic = isVariadic
  }

  /// The constant in the program that says how many arguments the running kernel's tracepoint has.
  var argumentsConstant: String { "\(tracepoint)_arguments" }
}

/// A way to attach to a hook.
public enum AttachMethod: String, Sendable, Hashable, CaseIterable {
  /// BTF tracepoint; needs the kernel's own BTF.
  case btf = "tp_btf"
  /// Raw tracepoint; works with BTF from a file, too.
  case raw = "raw_tp"

  func program(for hook: Hook) -> String {
    switch self {
    case .btf: "\(hook.tracepoint)_btf"
    case .raw: "\(hook.tracepoint)_raw"
    }
  }
}
