import AgentApp
import ProbeCatalog
import NetTypes
import ProbeKit
import Signals
import Testing

struct ConfigurationTests {
  static func read(_ text: String) throws -> AgentConfiguration {
    try ConfigurationReader(file: "agent.yaml", manifests: ProbeCatalog.manifests).read(text)
  }

  @Test("the contract's file")
  func whole() throws {
    let configuration = try Self.read(
      """
      debugMode: true
      address: "tcp://127.0.0.1:9102"
      enableController: true
      controllerAddr: dns:controller:10263
      metrics:
        additionalLabels: ["team=${labels:team}"]
        probes: [{name: packetloss}, {name: tcpretrans}]
      event:
        probes:
        - name: packetloss
          args: {enableStack: false, eventsPerSecond: 7, showNormal: true}
        - name: tcpreset
        sinks: [{name: stderr}, {name: file, args: {path: /var/log/skoop/events.jsonl}}]
      """)
    #expect(configuration.debugMode)
    #expect(configuration.address == .tcp(host: "127.0.0.1", port: 9102))
    #expect(configuration.probes.map(\.id) == ["packetloss", "tcpretrans", "tcpreset"])
    #expect(
      configuration.probes[0].settings
        == ProbeSettings(
          metrics: true, events: true,
          arguments: ["enableStack": .bool(false), "eventsPerSecond": .integer(7), "showNormal": .bool(true)]))
    #expect(configuration.probes[1].settings == ProbeSettings(metrics: true, events: false))
    #expect(configuration.probes[2].settings == ProbeSettings(metrics: false, events: true))
    #expect(configuration.sinks == [.stderr, .file(path: "/var/log/skoop/events.jsonl")])
    #expect(configuration.notes.count == 2, "what this version lacks is said")
  }

  @Test(
    "empty files and empty lists are configurations", arguments: ["", "# nothing\n", "metrics:\n  probes:\n", "{}"])
  func empty(text: String) throws {
    let configuration = try Self.read(text)
    #expect(configuration.probes.isEmpty)
    #expect(configuration.sinks.isEmpty)
    #expect(configuration.address == .standard)
  }

  @Test("an alias stands for what its anchor holds, also where it leads in a circle")
  func aliases() throws {
    let probes = try Self.read("metrics: {probes: &all [{name: tcpreset}]}\nevent: {probes: *all}").probes
    #expect(probes == [.init(id: "tcpreset", settings: ProbeSettings())])
    #expect(throws: ConfigurationError.self) { try Self.read("metrics: {probes: &all [*all]}") }
  }

  @Test("events without a sink go to standard error")
  func defaultSink() throws {
    #expect(try Self.read("event: {probes: [{name: tcpreset}]}").sinks == [.stderr])
  }

  @Test(
    "addresses",
    arguments: [
      ("port: 9103", .tcp(host: "0.0.0.0", port: 9103)), ("address: :80", .tcp(host: "0.0.0.0", port: 80)),
      ("address: 127.0.0.1:1", .tcp(host: "127.0.0.1", port: 1)),
      ("address: 'tcp://[::1]:65535'", .tcp(host: "::1", port: 65535)),
      ("address: unix:///run/skoop.sock", .unix(path: "/run/skoop.sock")),
    ] as [(String, AgentConfiguration.Address)])
  func addresses(text: String, address: AgentConfiguration.Address) throws {
    #expect(try Self.read(text).address == address)
  }

  @Test(
    "mistakes are refused with line and advice",
    arguments: [
      ("a: [", "agent.yaml:2: not YAML"),
      ("debugMode: *a", "agent.yaml:1: not YAML: found undefined alias"),
      ("debugMode: true\n---\nport: 1", "agent.yaml:3: not YAML: there is more than one document"),
      ("debugMode: true\ndebugMode: true", "agent.yaml:2: the configuration has the key debugMode twice"),
      ("[a]: 1", "agent.yaml:1: the configuration: a key must be a text"),
      ("- a", "agent.yaml:1: the configuration must be a mapping"),
      (
        "debugMode: true\ndebugmod: true",
        "agent.yaml:2: the configuration has no key debugmod; did you mean debugMode?"
      ),
      ("debugMode: maybe", "agent.yaml:1: debugMode must be true or false"),
      ("debugMode: yes", "agent.yaml:1: debugMode must be true or false"),
      ("debugMode: \"true\"", "agent.yaml:1: debugMode must be true or false"),
      ("port: 0", "agent.yaml:1: port must be a whole number from 1 to 65535"),
      ("port: 65536", "agent.yaml:1: port must be a whole number from 1 to 65535"),
      ("address: localhost", "agent.yaml:1: address: localhost is neither"),
      ("address: unix://x", "agent.yaml:1: address: unix://x needs an absolute path"),
      ("metrics:\n  probe: []", "agent.yaml:2: metrics has no key probe; did you mean probes?"),
      ("metrics:\n  probes: packetloss", "agent.yaml:2: probes must be a list"),
      ("metrics:\n  probes:\n  - packetloss", "agent.yaml:3: a probe must be a mapping"),
      ("metrics:\n  probes:\n  - args: {}", "agent.yaml:3: a probe needs a name"),
      (
        "metrics:\n  probes:\n  - name: packetlos",
        "agent.yaml:3: there is no probe packetlos; did you mean packetloss?"
      ),
      (
        "metrics:\n  probes:\n  - name: flow",
        "agent.yaml:3: there is no probe flow; there is packetloss, tcpretrans, tcpreset"
      ),
      (
        "metrics:\n  probes:\n  - {name: packetloss}\n  - {name: packetloss}",
        "agent.yaml:4: packetloss is listed twice"
      ),
      (
        "metrics:\n  probes:\n  - name: packetloss\n    args: {enablestack: true}",
        "agent.yaml:4: packetloss has no argument enablestack; did you mean enableStack?"
      ),
      (
        "metrics:\n  probes:\n  - name: tcpreset\n    args: {showNormal: true}",
        "agent.yaml:4: tcpreset has no argument showNormal"
      ),
      (
        "metrics:\n  probes:\n  - name: packetloss\n    args: {eventsPerSecond: -1}",
        "agent.yaml:4: packetloss: eventsPerSecond must be a whole number from 0 to 1000000, not -1"
      ),
      (
        "metrics: {probes: [{name: packetloss, args: {showNormal: true}}]}\nevent: {probes: [{name: packetloss, args: {showNormal: false}}]}",
        "agent.yaml:2: packetloss: showNormal is false here and true in the other list"
      ),
      ("event:\n  sinks: [{name: file}]", "agent.yaml:2: the sink file needs the argument path"),
      ("event:\n  sinks: [{name: file, args: {pat: /x}}]", "agent.yaml:2: the sink file has no argument pat"),
      ("event:\n  sinks: [{name: stdout}]", "agent.yaml:2: there is no sink stdout; there is stderr, file"),
      ("event:\n  sinks: [{name: loki}]", "agent.yaml:2: the sink loki does not exist yet"),
      ("event:\n  sinks: [{name: stderr}, {name: stderr}]", "agent.yaml:2: the sink stderr is listed twice"),
      ("event:\n  sinks: [{args: {}}]", "agent.yaml:2: a sink needs a name"),
    ])
  func mistakes(text: String, expected: String) {
    #expect {
      _ = try Self.read(text)
    } throws: { error in
      let said = "\(error)"
      #expect(said.hasPrefix(expected))
      return said.hasPrefix(expected)
    }
  }
}

struct TraceFilterTests {
  @Test("a pod's filter shows what happens in it and to its packets elsewhere")
  func pod() {
    let filter = TraceSession.Filter(pod: .init(namespace: "shop", name: "web"))
    func event(_ labels: [String: String]) -> Event {
      Event(timestamp: 0, type: "T", labels: labels.map { Label($0.key, $0.value) }, message: "")
    }
    #expect(filter.shows(event(["k8s_namespace": "shop", "k8s_pod": "web"])))
    #expect(filter.shows(event(["namespace": "shop", "pod": "web"])))
    #expect(filter.shows(event(["k8s_pod": "", "src_namespace": "shop", "src_pod": "web"])))
    #expect(filter.shows(event(["dst_namespace": "shop", "dst_pod": "web"])))
    #expect(!filter.shows(event(["src_namespace": "shop", "dst_pod": "web"])))
    #expect(!filter.shows(event([:])))
  }

  @Test("a namespace's filter compares the cookie")
  func netns() {
    let filter = TraceSession.Filter(netns: NetnsCookie(rawValue: 7))
    #expect(filter.shows(Event(timestamp: 0, type: "T", labels: [Label("netns", "7")], message: "")))
    #expect(!filter.shows(Event(timestamp: 0, type: "T", labels: [Label("netns", "77")], message: "")))
  }
}
