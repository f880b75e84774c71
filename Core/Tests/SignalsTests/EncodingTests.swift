import NetTypes
import Signals
import Testing

struct EventJSONTests {
  @Test("an event is one line in the contract's form")
  func line() {
    let event = Event(
      timestamp: 1_700_000_000_000_000_001, type: "PacketLoss", labels: [Label("protocol", "TCP"), Label("src", "")],
      message: "a+0x1\nb+0x2")
    var out: [UInt8] = []
    EventJSON.append(event, to: &out)
    #expect(
      String(decoding: out, as: UTF8.self)
        == #"{"timestamp":1700000000000000001,"type":"PacketLoss","labels":[{"name":"protocol","value":"TCP"},"#
        + #"{"name":"src","value":""}],"msg":"a+0x1\nb+0x2"}"# + "\n")
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

  @Test("merging adds equal series")
  func merge() {
    let description = MetricDescription("m_total", .counter, labels: ["l"], help: "M.")
    let merged = MetricFamily(description, [Sample(["a"], 1), Sample(["b"], 2), Sample(["a"], 3)]).merged()
    #expect(merged.samples == [Sample(["a"], 4), Sample(["b"], 2)])
  }

  /// Whether labels are an event's own, numbers or shared makes no difference to whoever reads them.
  @Test func sharedPartsReadAsPlainOnes() {
    let plain = [Label("src", "10.0.0.1"), Label("note", "a \"b\"\n"), Label("sport", "65535"), Label("reason", "X")]
    var list = EventLabelList()
    list.append(LabelGroup([plain[0], plain[1]]))
    list.append("sport", number: UInt16.max)
    list.append(plain[3])
    let shared = Event(timestamp: -7, type: "T", labels: list, message: SharedText("one\ntwo"))
    let own = Event(timestamp: -7, type: "T", labels: plain, message: "one\ntwo")
    #expect(shared == own)
    #expect(shared.hashValue == own.hashValue)
    #expect(shared.labels == plain)
    #expect(shared.label("sport") == "65535" && shared.label("note") == plain[1].value && shared.label("none") == nil)
    var (first, second): ([UInt8], [UInt8]) = ([], [])
    EventJSON.append(shared, to: &first)
    EventJSON.append(own, to: &second)
    #expect(first == second)
  }
}
