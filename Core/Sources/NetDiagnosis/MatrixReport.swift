import KubeModel
public import NetPolicy
import NetTypes

// The forms in which a policy matrix, and the difference of two, are told.

extension PolicyMatrix {
  /// One line for each pair that can talk, under its destination, and a count of those that cannot.
  public var text: String {
    var lines: [String] = []
    for destination in workloads.indices {
      lines.append("to \(workloads[destination])")
      var denied = 0
      for source in workloads.indices where source != destination {
        let reach = self[source, destination]
        if reach == .none {
          denied += 1
        } else {
          lines.append("  from \(workloads[source]): \(reach)")
        }
      }
      lines.append("  from itself: \(self[destination, destination])")
      if denied > 0 { lines.append("  from \(denied) others: none") }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// RFC 4180, with a header line.
  public var csv: String {
    var out = "src,dst,tcp,udp,sctp,undecided\r\n"
    for source in workloads.indices {
      for destination in workloads.indices {
        let reach = self[source, destination]
        let sets = Reach.protocols.map { "\"\(reach[$0].allowed)\"" }.joined(separator: ",")
        let doubt = Reach.protocols.filter { !reach[$0].undecided.isEmpty }.map { "\($0) \(reach[$0].undecided)" }
        out += "\(workloads[source]),\(workloads[destination]),\(sets),\"\(doubt.joined(separator: "; "))\"\r\n"
      }
    }
    return out
  }

  /// A graph for Graphviz: an edge for each pair that can talk.
  public var dot: String {
    var lines = ["digraph policy {", "  rankdir=LR;", "  node [shape=box];"]
    for name in workloads { lines.append("  \"\(name)\";") }
    for source in workloads.indices {
      for destination in workloads.indices where source != destination {
        let reach = self[source, destination]
        if reach == .none { continue }
        lines.append("  \"\(workloads[source])\" -> \"\(workloads[destination])\" [label=\"\(reach)\"];")
      }
    }
    return (lines + ["}"]).joined(separator: "\n") + "\n"
  }

  /// The document of docs/reference/policy-matrix.schema.json. Pairs that cannot talk are left out.
  public var json: JSONValue {
    var pairs: [JSONValue] = []
    for source in workloads.indices {
      for destination in workloads.indices where self[source, destination] != .none {
        pairs.append(
          .object([
            ("src", .string(workloads[source])), ("dst", .string(workloads[destination])),
            ("reach", self[source, destination].json),
          ]))
      }
    }
    return .object([
      ("version", .number(1)), ("workloads", .array(workloads.map { .string($0) })), ("pairs", .array(pairs)),
    ])
  }
}

extension Reach {
  var json: JSONValue {
    .object(
      Reach.protocols.map { proto in
        (
          proto.description.lowercased(),
          .object([
            ("allowed", .string(self[proto].allowed.description)),
            ("undecided", .string(self[proto].undecided.description)),
          ])
        )
      })
  }
}

/// What two sets of policies do differently.
public struct MatrixDifference: Sendable {
  public struct Change: Sendable {
    public let source: String
    public let destination: String
    public let before: Reach
    public let after: Reach

    /// What became reachable, and what ceased to be, as `TCP 80`.
    var gained: [String] { Self.difference(after, before) }
    var lost: [String] { Self.difference(before, after) }

    private static func difference(_ a: Reach, _ b: Reach) -> [String] {
      Reach.protocols.compactMap { proto in
        let ports = a[proto].allowed.subtracting(b[proto].allowed)
        return ports.isEmpty ? nil : "\(proto) \(ports)"
      }
    }
  }

  public let changes: [Change]
  public let added: [String]
  public let removed: [String]

  /// A workload that one side does not have reaches nothing there, and is not reached.
  public init(from before: PolicyMatrix, to after: PolicyMatrix) {
    let old = Dictionary(uniqueKeysWithValues: before.workloads.enumerated().map { ($1, $0) })
    let new = Dictionary(uniqueKeysWithValues: after.workloads.enumerated().map { ($1, $0) })
    added = after.workloads.filter { old[$0] == nil }
    removed = before.workloads.filter { new[$0] == nil }
    var changes: [Change] = []
    let all = (after.workloads + removed).sorted()
    func reach(_ matrix: PolicyMatrix, _ index: [String: Int], _ source: String, _ destination: String) -> Reach {
      guard let source = index[source], let destination = index[destination] else { return .none }
      return matrix[source, destination]
    }
    for source in all {
      for destination in all {
        let (was, now) = (reach(before, old, source, destination), reach(after, new, source, destination))
        if was != now { changes.append(Change(source: source, destination: destination, before: was, after: now)) }
      }
    }
    self.changes = changes
  }

  public var isEmpty: Bool { changes.isEmpty && added.isEmpty && removed.isEmpty }

  public var text: String {
    if isEmpty { return "no difference\n" }
    var lines = removed.map { "- workload \($0)" } + added.map { "+ workload \($0)" }
    for change in changes {
      let pair = "\(change.source) → \(change.destination)"
      for part in change.lost { lines.append("- \(pair): \(part)") }
      for part in change.gained { lines.append("+ \(pair): \(part)") }
      if change.lost.isEmpty && change.gained.isEmpty {
        lines.append("~ \(pair): \(change.before) → \(change.after)")
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The document of docs/reference/policy-diff.schema.json.
  public var json: JSONValue {
    .object([
      ("version", .number(1)), ("added", .array(added.map { .string($0) })),
      ("removed", .array(removed.map { .string($0) })),
      (
        "changes",
        .array(
          changes.map { change in
            .object([
              ("src", .string(change.source)), ("dst", .string(change.destination)),
              ("before", change.before.json), ("after", change.after.json),
              ("gained", .array(change.gained.map { .string($0) })), ("lost", .array(change.lost.map { .string($0) })),
            ])
          })
      ),
    ])
  }
}
