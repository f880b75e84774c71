import Foundation
import NetDiagnosis
import SchemaSupport
import Testing

/// The command as a person or a script runs it: exit statuses, formats, documents.
struct CommandTests {
  /// The repository's root.
  static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  static let shop = root.appending(path: "examples/shop").path

  struct Result {
    let status: Int32
    let output: Data
    let error: String
    var text: String { String(decoding: output, as: UTF8.self) }
    var lines: [Substring] { text.split(separator: "\n") }
  }

  static func run(_ arguments: [String], input: String = "") throws -> Result {
    let executable = try #require(Bundle.main.executableURL).deletingLastPathComponent().appending(path: "skoop")
    let process = Process()
    process.executableURL = executable
    process.arguments = arguments
    let (stdin, stdout, stderr) = (Pipe(), Pipe(), Pipe())
    process.standardInput = stdin
    process.standardOutput = stdout
    process.standardError = stderr
    try process.run()
    stdin.fileHandleForWriting.write(Data(input.utf8))
    try stdin.fileHandleForWriting.close()
    let output = try stdout.fileHandleForReading.readToEnd() ?? Data()
    let error = try stderr.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return Result(status: process.terminationStatus, output: output, error: String(decoding: error, as: UTF8.self))
  }

  static func schema(_ name: String) throws -> SchemaValidator {
    try SchemaValidator(file: root.appending(path: "docs/reference/\(name).schema.json"))
  }

  static let statuses: [(name: String, arguments: [String], status: Int32)] = [
    ("reachable", ["diagnose", "--manifests", shop, "shop/orders", "svc/shop/database"], 0),
    ("unreachable", ["diagnose", "--manifests", shop, "shop/web", "svc/shop/orders"], 1),
    ("undecided", ["diagnose", "--manifests", shop, "203.0.113.7", "ingress/shop/shop"], 2),
    (
      "protocol names in any case",
      ["diagnose", "--manifests", shop, "shop/orders", "shop/database", "--protocol", "Tcp"], 0
    ),
    ("no destination", ["diagnose", "--manifests", shop, "shop/orders"], 64),
    ("no manifests", ["diagnose", "shop/orders", "shop/web"], 64),
    ("a name of no form", ["diagnose", "--manifests", shop, "shop/orders", "web"], 64),
    ("an unknown option", ["diagnose", "--bogus"], 64),
    ("a port out of range", ["diagnose", "--manifests", shop, "shop/orders", "shop/web", "--port", "65536"], 64),
    ("port zero", ["diagnose", "--manifests", shop, "shop/orders", "shop/web", "--port", "0"], 64),
    (
      "ICMP with a port",
      ["diagnose", "--manifests", shop, "shop/orders", "shop/web", "--port", "1", "--protocol", "icmp"], 64
    ),
    ("a route as the source", ["diagnose", "--manifests", shop, "ingress/shop/shop", "shop/web"], 64),
    ("no such folder", ["diagnose", "--manifests", shop + "/none", "shop/orders", "shop/web"], 69),
    ("no such file of questions", ["diagnose", "--manifests", shop, "--queries", shop + "/none"], 69),
    ("a route explained", ["policy", "explain", "--manifests", shop, "shop/web", "ingress/shop/shop"], 64),
    ("no such pod", ["diagnose", "--manifests", shop, "shop/orders", "shop/none"], 69),
    ("no such Service", ["diagnose", "--manifests", shop, "shop/orders", "svc/shop/none"], 69),
    ("a matrix", ["policy", "matrix", "--manifests", shop], 0),
    ("no difference", ["policy", "diff", shop, shop], 0),
    ("a difference", ["policy", "diff", shop, shop + "/web.yaml"], 1),
    ("an explanation", ["policy", "explain", "--manifests", shop, "shop/web", "shop/orders"], 0),
  ]

  @Test("exit statuses", arguments: statuses.indices)
  func exitStatus(index: Int) throws {
    let test = Self.statuses[index]
    let result = try Self.run(test.arguments)
    #expect(result.status == test.status, "\(test.name): \(result.text)\(result.error)")
    if test.status >= 64 { #expect(result.text.isEmpty && !result.error.isEmpty) }
  }

  @Test("an invalid policy is bad input, named by file, line and field")
  func badInput() throws {
    let policy = """
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {name: p, namespace: x}
      spec:
        podSelector: {}
        ingress:
        - ports: [{port: 80, endPort: 70}]
      """
    let result = try Self.run(["diagnose", "--manifests", "-", "x/a", "x/b"], input: policy)
    #expect(result.status == 65)
    #expect(
      result.error
        == "skoop: standard input:7: document 1: NetworkPolicy x/p: spec.ingress[0].ports[0].endPort: must not be below "
        + "port (80), found 70\n")
  }

  @Test("a batch answers in order, one object a line, and keeps the identifiers")
  func batch() throws {
    let queries = """
      {"id": "a", "src": "shop/web", "dst": "svc/shop/orders", "port": 80, "protocol": "TCP"}
      {"id": 2, "src": "shop/orders", "dst": "svc/shop/database", "port": 5432, "protocol": "tcp"}

      {"id": "c", "src": "203.0.113.7", "dst": "svc/shop/web", "port": null}
      {"id": "c", "src": "shop/web", "dst": "203.0.113.7", "port": 0, "protocol": "icmp"}
      """
    let result = try Self.run(["diagnose", "--manifests", Self.shop, "--queries", "-"], input: queries)
    #expect(result.status == 0, "\(result.error)")
    try #require(result.lines.count == 4)
    #expect(
      result.lines[0].hasPrefix(#"{"id":"a","verdict":"unreachable","findings":[{"code":"policy.ingress-denied""#))
    #expect(result.lines[1] == #"{"id":2,"verdict":"reachable","findings":[]}"#)
    #expect(result.lines[2].hasPrefix(#"{"id":"c","verdict":"unreachable","findings":[{"code":"service.not-exposed""#))
    #expect(result.lines[3] == #"{"id":"c","verdict":"reachable","findings":[]}"#)
    for line in result.lines { #expect(try Self.schema("answer").problems(Data(line.utf8)).isEmpty) }
  }

  @Test("a question about something that is not there is answered as undecided, and the batch ends with 69")
  func batchNotFound() throws {
    let queries =
      #"{"id":1,"src":"shop/none","dst":"shop/web"}"# + "\n" + #"{"id":2,"src":"shop/web","dst":"shop/web"}"#
    let result = try Self.run(["diagnose", "--manifests", Self.shop, "--queries", "-"], input: queries)
    #expect(result.status == 69)
    try #require(result.lines.count == 2)
    #expect(result.lines[0].contains("question.not-found"))
    for line in result.lines { #expect(try Self.schema("answer").problems(Data(line.utf8)).isEmpty) }
  }

  @Test(
    "a line that is no question is bad input, named by file and line",
    arguments: [
      (#"{"id":1,"src":"a/b"}"#, "dst: is required"), (#"{"id":1,"src":"a/b","dst":"c"}"#, "dst: \"c\""),
      (#"{"id":1,"src":"a/b","dst":"a/c","port":0}"#, "port: must be between 1 and 65535"),
      (#"{"id":1,"src":"a/b","dst":"a/c","protocol":"x"}"#, "protocol: must be"),
      (#"{"id":1,"src":"a/b","dst":"a/c","port":"80"}"#, "port: "), ("hello", "is not a JSON object"),
    ])
  func badQuestion(line: String, message: String) throws {
    let queries = #"{"id":1,"src":"shop/web","dst":"shop/web"}"# + "\n" + line
    let result = try Self.run(["diagnose", "--manifests", Self.shop, "--queries", "-"], input: queries)
    #expect(result.status == 65)
    #expect(result.text.isEmpty)
    #expect(result.error.hasPrefix("skoop: -:2: \(message)"), "\(result.error)")
  }

  @Test(
    "JSON output is as its schema says",
    arguments: [
      ("diagnosis", ["diagnose", "--manifests", shop, "shop/web", "svc/shop/orders", "-o", "json"]),
      ("diagnosis", ["diagnose", "--manifests", shop, "203.0.113.7", "ingress/shop/shop", "-o", "json"]),
      (
        "diagnosis",
        ["diagnose", "--manifests", shop, "shop/orders", "shop/database", "--protocol", "icmp", "-o", "json"]
      ),
      ("policy-matrix", ["policy", "matrix", "--manifests", shop, "-o", "json"]),
      ("policy-diff", ["policy", "diff", shop, shop + "/web.yaml", "-o", "json"]),
      ("policy-explanation", ["policy", "explain", "--manifests", shop, "shop/web", "shop/orders", "-o", "json"]),
    ])
  func schemas(name: String, arguments: [String]) throws {
    let result = try Self.run(arguments)
    #expect(try Self.schema(name).problems(result.output) == [])
  }

  @Test("the validator refuses what a schema does not allow")
  func validator() throws {
    let schema = try Self.schema("answer")
    for wrong in [
      #"{"id":1,"verdict":"maybe","findings":[]}"#, #"{"id":1,"verdict":"reachable"}"#,
      #"{"id":1,"verdict":"reachable","findings":[],"more":1}"#, #"{"id":1.5,"verdict":"reachable","findings":[]}"#,
      #"{"id":1,"verdict":"reachable","findings":[{"code":"x"}]}"#,
    ] {
      #expect(try !schema.problems(Data(wrong.utf8)).isEmpty, "\(wrong)")
    }
  }

  @Test(
    "the guide and the README show what the command prints",
    arguments: ["docs/guide/diagnose-manifests.md", "README.md"])
  func documents(file: String) throws {
    let text = try String(contentsOf: Self.root.appending(path: file), encoding: .utf8)
    var shown = 0
    for block in text.components(separatedBy: "```console\n").dropFirst() {
      let block = block.components(separatedBy: "```")[0]
      guard let end = block.firstIndex(of: "\n"), block.hasPrefix("$ skoop ") else { continue }
      let command = block[..<end].dropFirst("$ skoop ".count).replacing("examples/shop", with: Self.shop)
      let result = try Self.run(command.split(separator: " ").map(String.init))
      #expect(result.text.replacing(Self.shop, with: "examples/shop") == block[block.index(after: end)...])
      shown += 1
    }
    #expect(shown >= (file == "README.md" ? 1 : 3))
  }

  @Test("every finding code is explained, and no other")
  func findingCodes() throws {
    let text = try String(contentsOf: Self.root.appending(path: "docs/reference/findings.md"), encoding: .utf8)
    let documented = text.split(separator: "\n").filter { $0.hasPrefix("| `") }.map { line in
      String(line.dropFirst(3).prefix { $0 != "`" })
    }
    #expect(documented.sorted() == FindingCode.allCases.map(\.rawValue).sorted())
    for code in FindingCode.allCases {
      #expect(text.contains("| `\(code.rawValue)` | \(code.severity.rawValue) |"), "\(code.rawValue)")
    }
  }
}
