import KubeModel
import NetDiagnosis
import Testing

/// One case for each rule of the NetworkPolicy documentation (Kubernetes 1.34) and of the policy APIs v1alpha1 and
/// v1alpha2.
struct PolicyCases {
  private static let denyX = World.policy("{podSelector: {}}")

  static let networkPolicies: [Case] = {
    let policy = { (spec: String) in World.policy(spec) }
    func from(_ peer: String, _ ports: String = "") -> String {
      World.policy("{podSelector: {}, ingress: [{from: [\(peer)]\(ports)}]}")
    }
    func ports(_ list: String) -> String { World.policy("{podSelector: {}, ingress: [{ports: [\(list)]}]}") }
    return [
      Case("without policies everything is allowed", "", "y/a", "x/a", .reachable),
      Case("an empty podSelector isolates every pod", denyX, "y/a", "x/b", .unreachable, .policyIngressDenied),
      Case("a policy of another namespace does not isolate", denyX, "x/a", "y/a", .reachable),
      Case(
        "isolation is for the selected pods only", policy("{podSelector: {matchLabels: {pod: a}}}"), "y/a", "x/b",
        .reachable),
      Case("isolation for ingress leaves egress alone", denyX, "x/a", "y/a", .reachable),
      Case("a pod always reaches itself", denyX, "x/a", "x/a", .reachable),
      Case("an empty rule allows everything", policy("{podSelector: {}, ingress: [{}]}"), "y/a", "x/a", .reachable),
      Case(
        "empty from allows every source", policy("{podSelector: {}, ingress: [{from: []}]}"), "y/a", "x/a", .reachable),
      Case(
        "null from allows every source", policy("{podSelector: {}, ingress: [{from: null, ports: [{port: 80}]}]}"),
        "y/a", "x/a", .reachable),
      Case(
        "empty ports allow every port", policy("{podSelector: {}, ingress: [{from: [{podSelector: {}}], ports: []}]}"),
        "x/b", "x/a", 9, .udp, .reachable),
      Case(
        "empty ingress allows nothing", policy("{podSelector: {}, ingress: []}"), "y/a", "x/a", .unreachable,
        .policyIngressDenied),

      Case("podSelector alone is for the policy's namespace", from("{podSelector: {}}"), "x/b", "x/a", .reachable),
      Case(
        "podSelector alone is not for others", from("{podSelector: {}}"), "y/b", "x/a", .unreachable,
        .policyIngressDenied),
      Case(
        "namespaceSelector alone is for all its pods", from("{namespaceSelector: {matchLabels: {ns: y}}}"), "y/c",
        "x/a", .reachable),
      Case(
        "namespaceSelector alone is not for other namespaces", from("{namespaceSelector: {matchLabels: {ns: y}}}"),
        "z/c", "x/a", .unreachable, .policyIngressDenied),
      Case(
        "an empty namespaceSelector is for all namespaces", from("{namespaceSelector: {}}"), "z/c", "x/a", .reachable),
      Case(
        "a namespace by its name", from("{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: y}}}"), "y/a",
        "x/a", .reachable),
      Case(
        "both selectors in one peer are an AND",
        from("{namespaceSelector: {matchLabels: {ns: y}}, podSelector: {matchLabels: {pod: b}}}"), "y/b", "x/a",
        .reachable),
      Case(
        "AND: the pod alone is not enough",
        from("{namespaceSelector: {matchLabels: {ns: y}}, podSelector: {matchLabels: {pod: b}}}"), "z/b", "x/a",
        .unreachable, .policyIngressDenied),
      Case(
        "AND: the namespace alone is not enough",
        from("{namespaceSelector: {matchLabels: {ns: y}}, podSelector: {matchLabels: {pod: b}}}"), "y/c", "x/a",
        .unreachable, .policyIngressDenied),
      Case(
        "two peers are an OR",
        from("{namespaceSelector: {matchLabels: {ns: y}}}, {podSelector: {matchLabels: {pod: b}}}"), "x/b", "x/a",
        .reachable),
      Case(
        "In", from("{namespaceSelector: {matchExpressions: [{key: ns, operator: In, values: [y, z]}]}}"), "z/a", "x/a",
        .reachable),
      Case(
        "NotIn", from("{namespaceSelector: {matchExpressions: [{key: ns, operator: NotIn, values: [y]}]}}"), "y/a",
        "x/a", .unreachable, .policyIngressDenied),
      Case(
        "NotIn holds for an absent key",
        from("{namespaceSelector: {matchExpressions: [{key: none, operator: NotIn, values: [y]}]}}"), "y/a", "x/a",
        .reachable),
      Case(
        "Exists", from("{namespaceSelector: {matchExpressions: [{key: none, operator: Exists}]}}"), "y/a", "x/a",
        .unreachable, .policyIngressDenied),
      Case(
        "DoesNotExist", from("{namespaceSelector: {matchExpressions: [{key: none, operator: DoesNotExist}]}}"), "y/a",
        "x/a", .reachable),
      Case(
        "matchLabels and matchExpressions are an AND",
        from(
          "{namespaceSelector: {matchLabels: {team: red}, matchExpressions: [{key: ns, operator: NotIn, values: [y]}]}}"
        ), "y/a", "x/a", .unreachable, .policyIngressDenied),

      Case("a port number", ports("{port: 80}"), "y/a", "x/a", .reachable),
      Case("another port number", ports("{port: 80}"), "y/a", "x/a", 81, .tcp, .unreachable, .policyIngressDenied),
      Case(
        "the protocol is TCP by default", ports("{port: 80}"), "y/a", "x/a", 80, .udp, .unreachable,
        .policyIngressDenied),
      Case("UDP", ports("{port: 80, protocol: UDP}"), "y/a", "x/a", 80, .udp, .reachable),
      Case("SCTP", ports("{port: 80, protocol: SCTP}"), "y/a", "x/a", 80, .sctp, .reachable),
      Case("SCTP is not TCP", ports("{port: 80, protocol: SCTP}"), "y/a", "x/a", .unreachable, .policyIngressDenied),
      Case("a protocol without a port", ports("{protocol: UDP}"), "y/a", "x/a", 9, .udp, .reachable),
      Case("endPort is included", ports("{port: 79, endPort: 80}"), "y/a", "x/a", .reachable),
      Case(
        "beyond endPort", ports("{port: 79, endPort: 80}"), "y/a", "x/a", 81, .tcp, .unreachable, .policyIngressDenied),
      Case("a named port", ports("{port: web}"), "y/a", "x/a", .reachable),
      Case(
        "a named port differs from pod to pod", ports("{port: web}"), "y/a", "x/c", .unreachable, .policyIngressDenied),
      Case("a named port is of one protocol", ports("{port: web, protocol: UDP}"), "y/a", "x/a", 81, .udp, .reachable),
      Case("a named port that the pod lacks", ports("{port: db}"), "y/a", "x/a", .unreachable, .policyIngressDenied),
      Case("two entries of ports are an OR", ports("{port: 9}, {port: 80}"), "y/a", "x/a", .reachable),

      Case("ipBlock matches pods", from("{ipBlock: {cidr: 10.0.1.0/24}}"), "y/a", "x/a", .reachable),
      Case("ipBlock with host bits set", from("{ipBlock: {cidr: 10.0.1.77/24}}"), "y/a", "x/a", .reachable),
      Case(
        "except", from("{ipBlock: {cidr: 10.0.0.0/16, except: [10.0.1.1/32]}}"), "y/a", "x/a", .unreachable,
        .policyIngressDenied),
      Case("beside except", from("{ipBlock: {cidr: 10.0.0.0/16, except: [10.0.1.1/32]}}"), "y/b", "x/a", .reachable),
      Case(
        "except in one block, allowed by another",
        from("{ipBlock: {cidr: 10.0.0.0/16, except: [10.0.1.0/24]}}, {ipBlock: {cidr: 10.0.1.1/32}}"), "y/a", "x/a",
        .reachable),
      Case("an address outside", from("{ipBlock: {cidr: 203.0.113.0/24}}"), "203.0.113.7", "x/a", .reachable),
      Case(
        "selectors never match outside", from("{namespaceSelector: {}}"), "203.0.113.7", "x/a", .unreachable,
        .policyIngressDenied),
      Case(
        "a rule without from does", policy("{podSelector: {}, ingress: [{ports: [{port: 80}]}]}"), "203.0.113.7", "x/a",
        .reachable),
      Case(
        "an IPv6 block does not match IPv4", from("{ipBlock: {cidr: '::/0'}}"), "y/a", "x/a", .unreachable,
        .policyIngressDenied),

      Case(
        "policies of one pod add up",
        denyX
          + World.policy(
            "{podSelector: {matchLabels: {pod: a}}, ingress: [{from: [{namespaceSelector: {}}]}]}", name: "q"), "y/a",
        "x/a", .reachable),
      Case(
        "ports of one policy and peers of another do not add up",
        World.policy("{podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}")
          + World.policy(
            "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {ns: y}}}], ports: [{port: 81}]}]}",
            name: "q"), "y/a", "x/a", .unreachable, .policyIngressDenied),

      Case(
        "egress is denied when policyTypes says so", policy("{podSelector: {}, policyTypes: [Egress]}"), "x/a", "y/a",
        .unreachable, .policyEgressDenied),
      Case(
        "egress type alone leaves ingress alone", policy("{podSelector: {}, policyTypes: [Egress]}"), "y/a", "x/a",
        .reachable),
      Case(
        "ingress rules count for nothing without their type",
        policy("{podSelector: {}, policyTypes: [Egress], ingress: []}"), "y/a", "x/a", .reachable),
      Case(
        "an egress rule implies the type", policy("{podSelector: {}, egress: [{to: [{podSelector: {}}]}]}"), "x/a",
        "y/a", .unreachable, .policyEgressDenied),
      Case(
        "an egress rule implies the ingress type as well", policy("{podSelector: {}, egress: [{}]}"), "y/a", "x/a",
        .unreachable, .policyIngressDenied),
      Case("empty egress implies nothing", policy("{podSelector: {}, egress: []}"), "x/a", "y/a", .reachable),
      Case(
        "egress by named port: the destination's",
        policy("{podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: web}]}]}"), "x/a", "y/c", 81, .tcp,
        .reachable),
      Case(
        "egress to outside by block",
        policy(
          "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}]}]}"
        ), "x/a", "203.0.113.7", 443, .tcp, .reachable),
      Case(
        "egress to outside by block is not for pods",
        policy(
          "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}]}]}"
        ), "x/a", "y/a", .unreachable, .policyEgressDenied),
      Case(
        "both ends must allow",
        World.policy("{podSelector: {}, policyTypes: [Egress], egress: [{}]}")
          + World.policy("{podSelector: {}}", namespace: "y"), "x/a", "y/a", .unreachable, .policyIngressDenied),
      Case(
        "both ends deny",
        World.policy("{podSelector: {}, policyTypes: [Egress]}") + World.policy("{podSelector: {}}", namespace: "y"),
        "x/a", "y/a", .unreachable, .policyEgressDenied, .policyIngressDenied),

      Case("the own node always gets through", denyX, "node/n1", "x/a", .reachable),
      Case("another node does not", denyX, "node/n2", "x/a", .unreachable, .policyIngressDenied),
      Case("to the own node", policy("{podSelector: {}, policyTypes: [Egress]}"), "x/a", "node/n1", .reachable),
      Case(
        "to another node", policy("{podSelector: {}, policyTypes: [Egress]}"), "x/a", "node/n2", .unreachable,
        .policyEgressDenied),
      Case("a node by its address", from("{ipBlock: {cidr: 192.168.1.2/32}}"), "192.168.1.2", "x/a", .reachable),
      Case("host-network pods are not selected", denyX, "y/a", "x/host", .reachable),
      Case(
        "host-network pods match no selector", from("{podSelector: {}}"), "x/host", "x/b", .unreachable,
        .policyIngressDenied),
      Case(
        "host-network pods match by their node's address", from("{ipBlock: {cidr: 192.168.1.1/32}}"), "x/host", "x/b",
        .reachable),
      Case("host-network pods are their node", denyX, "x/host", "x/a", .reachable),

      Case("ICMP without policies", "", "y/a", "x/a", nil, .icmp, .reachable),
      Case(
        "ICMP to an isolated pod is not defined", policy("{podSelector: {}, ingress: [{}]}"), "y/a", "x/a", nil, .icmp,
        .undecided, .policyProtocolUndefined),
      Case("without a port: those that the pod declares", ports("{port: 80}"), "y/a", "x/a", nil, .tcp, .reachable),
      Case(
        "without a port: declared and denied", ports("{port: 81}"), "y/a", "x/a", nil, .tcp, .unreachable,
        .policyIngressDenied),
      Case(
        "without a port, none declared: all of them", ports("{protocol: SCTP, port: 80}"), "y/a", "x/a", nil, .sctp,
        .partial, .policyIngressDenied),
      Case("an unassigned pod address is a gap", "", "x/a", "10.0.100.9", .undecided, .addressUnknownPod),
      Case("and as the source", denyX, "10.0.100.9", "x/a", .undecided, .addressUnknownPod, .policyIngressDenied),
      Case(
        "loopback is the pod itself", World.policy("{podSelector: {}, policyTypes: [Ingress, Egress]}"), "x/a",
        "127.0.0.1", .reachable),
      Case("two addresses outside", "", "203.0.113.7", "203.0.113.8", .undecided, .addressOutsideOnly),
      Case(
        "a policy that is not modelled is a gap",
        "---\n{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: c, namespace: x}}\n", "y/a", "x/a",
        .undecided, .policyUnmodelled),
      Case(
        "not modelled, but of another namespace",
        "---\n{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: c, namespace: z}}\n", "y/a", "x/a",
        .reachable),
      Case("plain flannel enforces nothing", denyX + flannel, "y/a", "x/a", .reachable, .policyNotEnforced),
      Case(
        "flannel with calico does", denyX + flannel + flannel.replacing("flannel", with: "calico"), "y/a", "x/a",
        .unreachable, .policyIngressDenied),
    ]
  }()

  private static let flannel = """
    ---
    apiVersion: apps/v1
    kind: DaemonSet
    metadata: {name: kube-flannel-ds, namespace: kube-flannel}
    spec:
      selector: {matchLabels: {app: flannel}}
      template:
        metadata: {labels: {app: flannel}}
        spec: {hostNetwork: true, containers: [{name: m, image: docker.io/flannel/flannel:v0.25}]}

    """

  private static let strangeHost = """
    ---
    apiVersion: v1
    kind: Pod
    metadata: {name: strange, namespace: y}
    spec: {hostNetwork: true, nodeName: n9, containers: []}
    status: {phase: Running, podIP: 192.168.1.9}

    """

  static let adminPolicies: [Case] = {
    let all = "subject: {namespaces: {}}"
    let fromY = "from: [{namespaces: {matchLabels: {ns: y}}}]"
    func ingress(_ action: String, _ name: String = "a", priority: Int = 10, _ extra: String = "") -> String {
      World.admin(name, priority: priority, "\(all), ingress: [{action: \(action), \(fromY)\(extra)}]")
    }
    func egress(_ rules: String) -> String {
      World.admin("a", priority: 1, "subject: {namespaces: {matchLabels: {ns: x}}}, egress: [\(rules)]")
    }
    func baseline(_ action: String) -> String { World.baseline("\(all), ingress: [{action: \(action), \(fromY)}]") }
    let allowAll = World.policy("{podSelector: {}, ingress: [{}]}")
    return [
      Case(
        "Deny comes before NetworkPolicy", ingress("Deny") + allowAll, "y/a", "x/a", .unreachable, .policyIngressDenied),
      Case("Allow comes before NetworkPolicy", ingress("Allow") + denyX, "y/a", "x/a", .reachable),
      Case(
        "Pass leaves it to NetworkPolicy", ingress("Pass") + denyX, "y/a", "x/a", .unreachable, .policyIngressDenied),
      Case("Pass with no NetworkPolicy allows", ingress("Pass"), "y/a", "x/a", .reachable),
      Case(
        "Pass skips later admin policies", ingress("Pass", "a", priority: 1) + ingress("Deny", "b", priority: 2), "y/a",
        "x/a", .reachable),
      Case(
        "the smaller priority number comes first",
        ingress("Allow", "a", priority: 1) + ingress("Deny", "b", priority: 2), "y/a", "x/a", .reachable),
      Case(
        "equal priorities that disagree", ingress("Allow", "a") + ingress("Deny", "b"), "y/a", "x/a", .undecided,
        .policyUndecided),
      Case(
        "equal priorities that agree", ingress("Deny", "a") + ingress("Deny", "b"), "y/a", "x/a", .unreachable,
        .policyIngressDenied),
      Case("a source that no rule names", ingress("Deny"), "z/a", "x/a", .reachable),
      Case(
        "the first rule that matches decides",
        World.admin(
          "a", priority: 1, "\(all), ingress: [{action: Allow, \(fromY)}, {action: Deny, from: [{namespaces: {}}]}]"),
        "y/a", "x/a", .reachable),
      Case(
        "and the next for others",
        World.admin(
          "a", priority: 1, "\(all), ingress: [{action: Allow, \(fromY)}, {action: Deny, from: [{namespaces: {}}]}]"),
        "z/a", "x/a", .unreachable, .policyIngressDenied),
      Case(
        "ports of a rule", ingress("Deny", "a", priority: 1, ", ports: [{portNumber: {port: 81}}]"), "y/a", "x/a",
        .reachable),
      Case(
        "a range of ports", ingress("Deny", "a", priority: 1, ", ports: [{portRange: {start: 79, end: 80}}]"), "y/a",
        "x/a", .unreachable, .policyIngressDenied),
      Case(
        "a named port of any protocol", ingress("Deny", "a", priority: 1, ", ports: [{namedPort: web}]"), "y/a", "x/a",
        81, .udp, .unreachable, .policyIngressDenied),
      Case(
        "a subject of pods",
        World.admin(
          "a", priority: 1,
          "subject: {pods: {namespaceSelector: {}, podSelector: {matchLabels: {pod: b}}}}, ingress: [{action: Deny, \(fromY)}]"
        ), "y/a", "x/a", .reachable),
      Case("host-network pods are no subject", ingress("Deny"), "y/a", "x/host", .reachable),
      Case(
        "host-network pods are no peer",
        World.admin("a", priority: 1, "\(all), ingress: [{action: Deny, from: [{namespaces: {}}]}]"), "x/host", "x/b",
        .reachable),
      Case(
        "a rule without ports is for ICMP too", ingress("Deny"), "y/a", "x/a", nil, .icmp, .unreachable,
        .policyIngressDenied),
      Case(
        "egress to nodes", egress("{action: Deny, to: [{nodes: {matchLabels: {role: worker}}}]}"), "x/a", "node/n2",
        .unreachable, .policyEgressDenied),
      Case(
        "egress to nodes: by label", egress("{action: Deny, to: [{nodes: {matchLabels: {role: worker}}}]}"), "x/b",
        "node/n1", .reachable),
      Case(
        "nodes match host-network pods", egress("{action: Deny, to: [{nodes: {}}]}"), "x/b", "x/host", .unreachable,
        .policyEgressDenied),
      Case(
        "a host-network pod on a node that is not given may have any labels",
        egress("{action: Deny, to: [{nodes: {matchLabels: {role: worker}}}]}") + strangeHost, "x/a", "y/strange",
        .undecided, .policyUndecided),
      Case(
        "but it is a node", egress("{action: Deny, to: [{nodes: {}}]}") + strangeHost, "x/a", "y/strange", .unreachable,
        .policyEgressDenied),
      Case(
        "networks match pods too", egress("{action: Deny, to: [{networks: [10.0.1.0/24]}]}"), "x/a", "y/a",
        .unreachable, .policyEgressDenied),
      Case(
        "networks outside", egress("{action: Deny, to: [{networks: [203.0.113.0/24]}]}"), "x/a", "203.0.113.7",
        .unreachable, .policyEgressDenied),
      Case(
        "domain names may or may not match",
        egress("{action: Allow, to: [{domainNames: [example.org]}]}, {action: Deny, to: [{networks: [0.0.0.0/0]}]}"),
        "x/a", "203.0.113.7", .undecided, .policyUndecided),
      Case(
        "domain names, where it makes no difference", egress("{action: Allow, to: [{domainNames: [example.org]}]}"),
        "x/a", "203.0.113.7", .reachable),
      Case(
        "directions are apart: Allow at the source is not enough",
        egress("{action: Allow, to: [{namespaces: {}}]}") + World.policy("{podSelector: {}}", namespace: "y"), "x/a",
        "y/a", .unreachable, .policyIngressDenied),
      Case("the baseline denies", baseline("Deny"), "y/a", "x/a", .unreachable, .policyIngressDenied),
      Case(
        "the baseline is not asked when a NetworkPolicy selects", baseline("Deny") + allowAll, "y/a", "x/a", .reachable),
      Case(
        "a NetworkPolicy for the other direction does not count",
        baseline("Deny") + World.policy("{podSelector: {}, policyTypes: [Egress], egress: [{}]}"), "y/a", "x/a",
        .unreachable, .policyIngressDenied),
      Case(
        "Pass, then the baseline", ingress("Pass") + baseline("Deny"), "y/a", "x/a", .unreachable, .policyIngressDenied),
      Case("Allow, then no baseline", ingress("Allow") + baseline("Deny"), "y/a", "x/a", .reachable),
      Case(
        "v1alpha2: Accept in the admin tier",
        World.clusterPolicy("a", tier: "Admin", priority: 1, "\(all), ingress: [{action: Accept, \(fromY)}]") + denyX,
        "y/a", "x/a", .reachable),
      Case(
        "v1alpha2: Deny of a port",
        World.clusterPolicy(
          "a", tier: "Admin", priority: 1,
          "\(all), ingress: [{action: Deny, \(fromY), protocols: [{tcp: {destinationPort: {number: 80}}}]}]"), "y/a",
        "x/a", .unreachable, .policyIngressDenied),
      Case(
        "v1alpha2: Deny of another protocol",
        World.clusterPolicy(
          "a", tier: "Admin", priority: 1,
          "\(all), ingress: [{action: Deny, \(fromY), protocols: [{udp: {destinationPort: {range: {start: 1, end: 90}}}}]}]"
        ), "y/a", "x/a", .reachable),
      Case(
        "v1alpha2: a named port",
        World.clusterPolicy(
          "a", tier: "Admin", priority: 1,
          "\(all), ingress: [{action: Deny, \(fromY), protocols: [{destinationNamedPort: web}]}]"), "y/a", "x/a",
        .unreachable, .policyIngressDenied),
      Case(
        "v1alpha2: the baseline tier, by priority",
        World.clusterPolicy("a", tier: "Baseline", priority: 2, "\(all), ingress: [{action: Accept, \(fromY)}]")
          + World.clusterPolicy("b", tier: "Baseline", priority: 1, "\(all), ingress: [{action: Deny, \(fromY)}]"),
        "y/a", "x/a", .unreachable, .policyIngressDenied),
      Case(
        "v1alpha2: Pass in the baseline ends in allow",
        World.clusterPolicy("a", tier: "Baseline", priority: 1, "\(all), ingress: [{action: Pass, \(fromY)}]")
          + World.clusterPolicy("b", tier: "Baseline", priority: 2, "\(all), ingress: [{action: Deny, \(fromY)}]"),
        "y/a", "x/a", .reachable),
    ]
  }()

  @Test("NetworkPolicy", arguments: networkPolicies)
  func networkPolicy(_ test: Case) throws { try test.run() }

  @Test("admin tiers", arguments: adminPolicies)
  func adminPolicy(_ test: Case) throws { try test.run() }
}
