import NetTypes
import Signals
import Testing

struct EventBatchTests {
  static let type = EventType("PacketLoss")

  @Test("an event is one line in the contract's form")
  func line() {
    var batch = EventBatch()
    batch.begin(Self.type, probe: 2, timestamp: 1_700_000_000_000_000_001)
    batch.append(Label("protocol", "TCP"))
    batch.append(LabelGroup([Label("src", ""), Label("note", "a \"b\"\n")], explanation: "none"))
    batch.append(NumberLabel("sport"), 65535)
    batch.end(stack: SharedText("a+0x1\nb+0x2"), explanation: "why")
    #expect(
      String(decoding: batch.lines, as: UTF8.self)
        == #"{"timestamp":1700000000000000001,"type":"PacketLoss","labels":[{"name":"protocol","value":"TCP"},"#
        + #"{"name":"src","value":""},{"name":"note","value":"a \"b\"\n"},{"name":"sport","value":"65535"}],"#
        + #""msg":"a+0x1\nb+0x2"}"# + "\n")
    #expect(batch.counts == [0, 0, 1])
    #expect(
      batch.events == [
        Event(
          timestamp: 1_700_000_000_000_000_001, type: "PacketLoss",
          labels: [
            Label("protocol", "TCP"), Label("src", ""), Label("note", "a \"b\"\n"), Label("sport", "65535"),
          ], message: "a+0x1\nb+0x2", explanation: "why", stack: "a+0x1\nb+0x2")
      ])
  }

  @Test("what goes in as values comes out as the same values")
  func roundTrip() {
    let events = [
      Event(timestamp: -7, type: "T", labels: [], message: ""),
      Event(
        timestamp: .min, type: "T\\", labels: [Label("a", "\u{1}\u{1f}\t\r\n"), Label("", "größe/é \u{1F980}")],
        message: "one", explanation: "it", stack: "two"),
      Event(timestamp: .max, type: "", labels: [Label("a", "1")], message: "{\"", stack: "x\ny"),
    ]
    var batch = EventBatch()
    for (index, event) in events.enumerated() { batch.append(event, probe: index % 2) }
    #expect(batch.events == events)
    #expect(batch.count == 3)
    #expect(batch.counts == [2, 1])
    #expect(events[1].label("a") == "\u{1}\u{1f}\t\r\n" && events[1].label("b") == nil)
  }

  @Test("a batch is full after many events, and every one of them is whole")
  func full() {
    var batch = EventBatch()
    let stack = SharedText(String(repeating: "function+0x10\n", count: 40))
    while !batch.isFull {
      batch.begin(Self.type, probe: 0, timestamp: Int64(batch.count))
      batch.end(stack: stack, explanation: "")
    }
    #expect(batch.lines.count >= EventBatch.fullSize && batch.lines.count < EventBatch.fullSize + 1000)
    #expect(batch.events.map(\.timestamp) == (0..<batch.count).map { Int64($0) })
  }

  @Test(
    "what is no event is refused",
    arguments: [
      "", "{}", #"{"timestamp":x,"type":"T","labels":[],"msg":""}"#, #"{"timestamp":1,"type":"T","labels":[],"msg":""#,
      #"{"timestamp":1,"type":"T","labels":[{"name":"a"}],"msg":""}"#,
      #"{"timestamp":1,"type":"T","labels":[],"msg":""}x"#, #"{"timestamp":1,"type":"T","labels":[],"msg":"\u00"}"#,
      #"{"timestamp":1,"type":"T","labels":[],"msg":"\x"}"#,
    ])
  func malformed(line: String) {
    #expect(EventJSON.event(from: Array(line.utf8)[...]) == nil)
  }

  @Test(
    "strings are escaped",
    arguments: [
      ("", #""""#), ("a\"b\\c", #""a\"b\\c""#), ("\t\r\n", #""\t\r\n""#), ("\u{1}\u{1f}", #""\u0001\u001f""#),
      ("größe/é", "\"größe/é\""), ("\u{7f}", "\"\u{7f}\""),
    ])
  func strings(text: String, json: String) {
    var out: [UInt8] = []
    out.appendJSONString(text)
    #expect(String(decoding: out, as: UTF8.self) == json)
  }
}

struct ExpositionTests {
  static let families = [
    MetricFamily(
      MetricDescription("a_total", .counter, labels: ["x"], help: "Things \"seen\".\nTwice\\."),
      [Sample(["q\"\\\n"], 3), Sample([""], 0.5)]),
    MetricFamily(MetricDescription("b_netfilter", .counter, labels: [], help: "B."), [Sample([], 1e15)]),
    MetricFamily(MetricDescription("c", .gauge, labels: [], help: "C."), [Sample([], -.infinity), Sample([], .nan)]),
  ]

  @Test("Prometheus text")
  func prometheus() {
    let text = String(decoding: ExpositionEncoder(.prometheus).encode(Self.families), as: UTF8.self)
    #expect(
      text == #"""
        # HELP a_total Things "seen".\nTwice\\.
        # TYPE a_total counter
        a_total{x="q\"\\\n"} 3
        a_total{x=""} 0.5
        # HELP b_netfilter B.
        # TYPE b_netfilter counter
        b_netfilter 1000000000000000
        # HELP c C.
        # TYPE c gauge
        c -Inf
        c NaN

        """#)
  }

  @Test("OpenMetrics: the family name loses _total, a counter without it is unknown, the text ends with EOF")
  func openMetrics() {
    let text = String(decoding: ExpositionEncoder(.openMetrics).encode(Self.families), as: UTF8.self)
    #expect(text.hasPrefix("# HELP a Things \\\"seen\\\".\\nTwice\\\\.\n# TYPE a counter\na_total{"))
    #expect(text.contains("# TYPE b_netfilter unknown\n"))
    #expect(text.hasSuffix("# EOF\n"))
  }

  @Test(
    "the Accept header decides on the format",
    arguments: [
      ("", .prometheus), ("*/*", .prometheus), ("text/html,*/*;q=0.8", .prometheus),
      ("application/openmetrics-text", .openMetrics), ("Application/OpenMetrics-Text; version=1.0.0", .openMetrics),
      // Prometheus 2 and 3, and one that was told to prefer the older form.
      (
        "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
          + "text/plain;version=0.0.4;q=0.5,*/*;q=0.1", .openMetrics
      ),
      ("text/plain;version=0.0.4;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.2", .prometheus),
      ("application/openmetrics-text;q=0", .prometheus), ("application/openmetrics-text;q=nonsense", .prometheus),
      ("application/openmetrics-text; q=0.2, */*;q=0.9", .prometheus),
      ("text/plain;q=0.1, */*;q=0.9, application/openmetrics-text;q=0.2", .openMetrics), (";;,,;q=1", .prometheus),
    ] as [(String, ExpositionFormat)])
  func negotiation(header: String, format: ExpositionFormat) {
    #expect(ExpositionFormat(accepting: header) == format)
  }

  @Test("merging adds equal series")
  func merge() {
    let description = MetricDescription("m_total", .counter, labels: ["l"], help: "M.")
    let merged = MetricFamily(description, [Sample(["a"], 1), Sample(["b"], 2), Sample(["a"], 3)]).merged()
    #expect(merged.samples == [Sample(["a"], 4), Sample(["b"], 2)])
  }
}
