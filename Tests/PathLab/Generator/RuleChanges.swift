import NetTypes
import PathCases

extension Change {
  private struct Selector: Sendable {
    let name: String
    let text: @Sendable (inout Sketch, Sketch.Place, Int) -> String

    init(_ name: String, _ text: @escaping @Sendable (inout Sketch, Sketch.Place, Int) -> String) {
      self.name = name
      self.text = text
    }
  }

  /// Marks, owners and ports are those that questions have, too.
  private static let selectors: [Selector] = [
    Selector("from") { sketch, _, family in
      "from \(sketch.block(around: sketch.address(sketch.place().interface, family)))"
    },
    Selector("to") { sketch, place, family in "to \(sketch.block(around: sketch.target(from: place.node, family)))" },
    Selector("iif") { sketch, place, _ in "iif \(sketch.random.chance(30) ? "lo" : place.interface.name)" },
    Selector("oif") { _, place, _ in "oif \(place.interface.name)" },
    Selector("fwmark") { sketch, _, _ in "fwmark \(sketch.random.pick(["1", "2/3", "0/1", "4"]))" },
    Selector("tos") { sketch, _, _ in "tos \(sketch.random.pick(["0x10", "0x08"]))" },
    Selector("uidrange") { sketch, _, _ in "uidrange \(sketch.random.pick(["0-0", "1000-1000", "1-65535"]))" },
    Selector("ipproto") { sketch, _, _ in "ipproto \(sketch.random.pick(["tcp", "udp", "icmp", "ipv6-icmp"]))" },
    Selector("dport") { sketch, _, _ in
      "ipproto \(sketch.random.pick(["tcp", "udp"])) dport \(sketch.random.pick(["80", "81", "80-90", "53"]))"
    },
    Selector("sport") { sketch, _, _ in
      "ipproto \(sketch.random.pick(["tcp", "udp"])) sport \(sketch.random.pick(["80", "81", "80-90", "1-1023"]))"
    },
  ]

  private static func rule(_ selector: Selector) -> Change {
    Change("rule.\(selector.name)", 2) { sketch in
      let place = sketch.routerPlace()
      let family = sketch.family()
      var text = selector.text(&sketch, place, family)
      if sketch.random.chance(15) {
        let second = sketch.random.pick(selectors)
        // ip(8) takes each word once.
        if second.name != selector.name, !(text.contains("ipproto") && second.name.contains("po")),
          !(text.contains("ipproto") && second.name == "ipproto")
        {
          text += " " + second.text(&sketch, place, family)
        }
      }
      let (action, commands) = action(&sketch, place, family)
      let inverted = sketch.random.chance(15) ? "not " : ""
      return commands + [
        sketch.ip(
          place.node, "\(dash(family))rule add pref \(sketch.random.within(10...900)) \(inverted)\(text) \(action)")
      ]
    }
  }

  /// What a rule does, and the commands that it needs.
  private static func action(
    _ sketch: inout Sketch, _ place: Sketch.Place, _ family: Int
  ) -> (String, [PlanCommand]) {
    let table = sketch.random.within(300...900)
    let dash = dash(family)
    let everything = family == 4 ? "0.0.0.0/0" : "::/0"
    switch sketch.random.below(12) {
    case 0: return ("unreachable", [])
    case 1: return ("prohibit", [])
    case 2: return ("blackhole", [])
    case 3: return ("goto 32766", [])
    case 4: return ("lookup main suppress_prefixlength \(sketch.random.pick([0, 8, 24, 64]))", [])
    case 5: return ("lookup \(table)", [])
    case 6: return ("lookup main suppress_ifgroup 0", [])
    case 7, 8:
      let type = sketch.random.pick(["blackhole", "unreachable", "prohibit", "throw"])
      return ("lookup \(table)", [sketch.ip(place.node, "\(dash)route add \(type) \(everything) table \(table)")])
    default:
      guard let next = sketch.neighbour(of: place) else { return ("lookup main", []) }
      let gateway = sketch.address(next.interface, family)
      return (
        "lookup \(table)",
        [
          sketch.ip(
            place.node, "\(dash)route add \(everything) via \(gateway) dev \(place.interface.name) table \(table)")
        ]
      )
    }
  }

  static let rules: [Change] =
    selectors.map { rule($0) } + [
      Change("rule.delete-main", 1) { sketch in
        let place = sketch.routerPlace()
        return [sketch.ip(place.node, "\(dash(sketch.family()))rule del pref 32766")]
      },
      Change("rule.main-before-local", 1) { sketch in
        let place = sketch.routerPlace()
        let dash = dash(sketch.family())
        return [
          sketch.ip(place.node, "\(dash)rule add pref 500 lookup local"),
          sketch.ip(place.node, "\(dash)rule del pref 0"),
          sketch.ip(place.node, "\(dash)rule add pref 100 lookup main"),
        ]
      },
      Change("rule.goto-skips", 1) { sketch in
        let place = sketch.routerPlace()
        let family = sketch.family()
        let dash = dash(family)
        let block = sketch.block(around: sketch.target(from: place.node, family))
        return [
          sketch.ip(place.node, "\(dash)rule add pref 400 unreachable"),
          sketch.ip(place.node, "\(dash)rule add pref 600 nop"),
          sketch.ip(place.node, "\(dash)rule add pref 300 to \(block) goto 600"),
        ]
      },
    ]
}
