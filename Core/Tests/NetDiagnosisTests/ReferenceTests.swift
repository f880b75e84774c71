import KubeModel
import NetTypes
import Testing

@testable import NetDiagnosis

struct ReferenceTests {
  @Test(
    "the forms of an end",
    arguments: [
      ("shop/web", "pod/shop/web"), ("pod/shop/web", "pod/shop/web"), ("po/shop/web", "pod/shop/web"),
      ("svc/shop/web", "svc/shop/web"), ("Service/shop/web", "svc/shop/web"), ("node/n1", "node/n1"),
      ("10.0.0.1", "10.0.0.1"), ("fd00::1", "fd00::1"), ("deploy/shop/web", "Deployment/shop/web"),
      ("StatefulSet/shop/db", "StatefulSet/shop/db"), ("cj/shop/job", "CronJob/shop/job"),
      ("ing/shop/a", "Ingress/shop/a"), ("httproute/shop/a", "HTTPRoute/shop/a"),
    ])
  func parses(text: String, canonical: String) {
    #expect(EndReference(text)?.description == canonical)
    #expect(EndReference(canonical) == EndReference(text))
  }

  @Test("what is none of them", arguments: ["", "web", "/web", "shop/", "a/b/c", "svc//web", "a/b/c/d", "node/"])
  func refuses(text: String) {
    #expect(EndReference(text) == nil)
  }

  @Test(
    "protocols in any case", arguments: [("tcp", TrafficProtocol.tcp), ("Udp", .udp), ("SCTP", .sctp), ("icmp", .icmp)])
  func protocols(text: String, proto: TrafficProtocol) {
    #expect(TrafficProtocol(name: text) == proto)
    #expect(TrafficProtocol(name: "x" + text) == nil)
  }

  @Test(
    "verdicts from branches",
    arguments: [
      ([.yes], Verdict.reachable), ([.no], .unreachable), ([.yes, .no], .partial), ([.unknown], .undecided),
      ([.yes, .unknown], .undecided), ([.no, .unknown], .undecided), ([.yes, .no, .unknown], .partial),
      ([], .undecided),
    ] as [([Ternary], Verdict)])
  func verdicts(branches: [Ternary], verdict: Verdict) {
    var outcome = Outcome()
    for branch in branches { outcome.add(branch) }
    #expect(outcome.verdict == verdict)
  }

  @Test("codes are dotted lower-case words, and no two the same")
  func codes() {
    let codes = FindingCode.allCases.map(\.rawValue)
    #expect(Set(codes).count == codes.count)
    for code in codes {
      let parts = code.split(separator: ".")
      #expect(parts.count == 2 && code.allSatisfy { $0.isLowercase || $0 == "." || $0 == "-" }, "\(code)")
    }
  }

  @Test("findings of one cause are told once, the severest first")
  func merging() {
    func finding(_ code: FindingCode, _ title: String, _ evidence: String?) -> Finding {
      Finding(code, title: title, detail: title, evidence: [evidence.map { Evidence($0) }].compactMap { $0 })
    }
    let merged = [
      finding(.podNotReady, "p", "x"), finding(.policyIngressDenied, "a", "policy"),
      finding(.policyIngressDenied, "b", "policy"),
      finding(.policyIngressDenied, "c", "other"), finding(.policyIngressDenied, "d", nil),
      finding(.policyIngressDenied, "e", nil),
      finding(.policyIngressDenied, "f", "policy"),
    ].merged()
    #expect(merged.map(\.title) == ["a, and 2 more such", "c", "d", "e", "p"])
    #expect(merged[0].detail == "a In the same way: b; f.")
  }
}
