/// Whether one end can talk to the other.
public enum Verdict: String, Hashable, Sendable, CaseIterable {
  /// Every branch works.
  case reachable
  /// No branch works.
  case unreachable
  /// Some branches work and some do not.
  case partial
  /// What is not known could turn the answer.
  case undecided
}

public enum Severity: String, Hashable, Sendable, CaseIterable {
  case info, warning, critical, fatal
}

/// The kinds of finding. A code is never given to another kind once it was published; docs/reference/findings.md
/// explains each.
public enum FindingCode: String, Hashable, Sendable, CaseIterable {
  case policyIngressDenied = "policy.ingress-denied"
  case policyEgressDenied = "policy.egress-denied"
  case policyUndecided = "policy.undecided"
  case policyProtocolUndefined = "policy.protocol-undefined"
  case policyUnmodelled = "policy.unmodelled"
  case policyNotEnforced = "policy.not-enforced"
  case serviceNoEndpoints = "service.no-endpoints"
  case serviceSelectorMatchesNothing = "service.selector-matches-nothing"
  case serviceNoReadyEndpoint = "service.no-ready-endpoint"
  case servicePortNotFound = "service.port-not-found"
  case serviceTargetPortUnresolved = "service.target-port-unresolved"
  case serviceEndpointStale = "service.endpoint-stale"
  case serviceEndpointUnknown = "service.endpoint-unknown"
  case serviceExternalName = "service.external-name"
  case serviceTrafficPolicy = "service.traffic-policy-no-endpoint"
  case serviceSourceRange = "service.source-range-denied"
  case serviceExternalNameUnresolvable = "service.external-name-unresolvable"
  case serviceSourceRewritten = "service.source-rewritten"
  case serviceDestinationRewritten = "service.destination-rewritten"
  case serviceNotExposed = "service.not-exposed"
  case serviceHeadlessPort = "service.headless-port"
  case serviceNoICMP = "service.icmp-undefined"
  case podNotRunning = "pod.not-running"
  case podNotReady = "pod.not-ready"
  case podNodeUnknown = "pod.node-unknown"
  case workloadScaledToZero = "workload.scaled-to-zero"
  case addressFamilyMismatch = "address.family-mismatch"
  case addressUnknownPod = "address.unknown-pod"
  case addressOutsideOnly = "address.outside-only"
  case routeNoBackend = "route.no-backend"
  case routeServiceMissing = "route.service-missing"
  case routeReferenceNotGranted = "route.reference-not-granted"
  case routeForwarderUnknown = "route.forwarder-unknown"
  case questionNotFound = "question.not-found"

  public var severity: Severity {
    switch self {
    case .policyIngressDenied, .policyEgressDenied, .serviceNoEndpoints, .serviceSelectorMatchesNothing,
      .serviceNoReadyEndpoint, .servicePortNotFound, .serviceTargetPortUnresolved, .serviceTrafficPolicy,
      .serviceSourceRange, .serviceNotExposed, .serviceExternalNameUnresolvable, .podNotRunning, .workloadScaledToZero,
      .addressFamilyMismatch,
      .routeNoBackend, .routeServiceMissing, .routeReferenceNotGranted, .questionNotFound:
      .fatal
    case .serviceEndpointStale: .critical
    case .policyUndecided, .policyProtocolUndefined, .policyUnmodelled, .policyNotEnforced, .serviceEndpointUnknown,
      .serviceSourceRewritten, .serviceDestinationRewritten, .serviceHeadlessPort, .serviceNoICMP, .podNotReady,
      .podNodeUnknown,
      .addressUnknownPod,
      .addressOutsideOnly, .routeForwarderUnknown:
      .warning
    case .serviceExternalName: .info
    }
  }
}

/// One fact that a finding rests on, and where it is written.
public struct Evidence: Hashable, Sendable {
  public let text: String
  public let file: String?
  /// From 1; nil when the file is not known.
  public let line: Int?

  public init(_ text: String, file: String? = nil, line: Int? = nil) {
    self.text = text
    self.file = file
    self.line = line
  }
}

/// Something that a diagnosis found out, fit for people and for programs.
public struct Finding: Hashable, Sendable {
  public let code: FindingCode
  public let severity: Severity
  public let title: String
  public let detail: String
  public let evidence: [Evidence]
  /// What to do about it; empty when nothing need be done.
  public let remedy: String

  public init(
    _ code: FindingCode, severity: Severity? = nil, title: String, detail: String, evidence: [Evidence] = [],
    remedy: String = ""
  ) {
    self.code = code
    self.severity = severity ?? code.severity
    self.title = title
    self.detail = detail
    self.evidence = evidence
    self.remedy = remedy
  }
}
