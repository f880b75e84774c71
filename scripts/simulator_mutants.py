#!/usr/bin/env python3
"""Seeds mistakes into the path simulator, one at a time, and sees that the recorded worlds catch each.

    scripts/simulator_mutants.py [--check] [--only WORD]

Every mistake is a replacement in one file of Core/Sources/NetSim. The package is copied, so the working tree stays as it
is. Ends with 1 when a mistake is not caught, or when a replacement fits nowhere (--check does only that).
"""
import argparse
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
COPY = ROOT / ".build" / "mutants" / "Core"
SOURCES = pathlib.Path("Sources/NetSim")

# name, file, what stands there, what it becomes.
MUTANTS = [
    # policy rules
    ("rules: inverted rules match as plain ones", "RuleLookup", "rule.isInverted ? !answer : answer", "answer"),
    ("rules: source is not looked at", "RuleLookup", "if let source = rule.source, source.length > 0 {", "if let source = rule.source, source.length > 200 {"),
    ("rules: destination is not looked at", "RuleLookup", "Ternary(destination.contains(key.destination))", ".yes"),
    ("rules: input interface is not looked at", "RuleLookup", "Ternary(netns.link(named: name)?.index == key.inputInterface)", ".yes"),
    ("rules: the mark's mask is ignored", "RuleLookup", "(rule.mark ^ key.mark) & rule.markMask == 0", "rule.mark == key.mark"),
    ("rules: owners are ignored", "RuleLookup", "Ternary(uids.contains(key.uid))", ".yes"),
    ("rules: TOS is ignored", "RuleLookup", "Ternary(rule.tos == key.tos)", ".yes"),
    ("rules: protocols are ignored", "RuleLookup", "Ternary(ipProtocol == key.ipProtocol)", ".yes"),
    ("rules: destination ports are ignored", "RuleLookup", "Ternary(ports.contains(key.destinationPort))", ".yes"),
    ("rules: goto goes on with the next rule", "RuleLookup", "index = next\n", "_ = next\n"),
    ("rules: short prefixes are not suppressed", "RuleLookup", "found.route.destination.length <= Int(length) { continue }", "found.route.destination.length < 0 { continue }"),
    ("rules: prohibit is as unreachable", "RuleLookup", "case .prohibit: throw .prohibit(IPText.rule(rule))", "case .prohibit: throw .ruleUnreachable(IPText.rule(rule))"),
    ("rules: blackhole goes on", "RuleLookup", "case .blackhole: throw .blackhole(IPText.rule(rule))", "case .blackhole: continue"),
    # routes
    ("routes: throw ends the lookup", "RouteSearch", "case .throw: return nil\n        case .blackhole: throw .blackhole(IPText.route(route, netns))", "case .throw: throw .noRoute\n        case .blackhole: throw .blackhole(IPText.route(route, netns))"),
    ("routes: the shortest prefix wins", "RouteTable", "byLength.sorted { $0.key > $1.key }", "byLength.sorted { $0.key < $1.key }"),
    ("routes: TOS routes match all", "RouteSearch", "if route.tos != 0, route.tos != key.tos { continue }", ""),
    ("routes: the output interface is ignored", "RouteSearch", "return key.outputInterface == 0 || hop.interface == key.outputInterface", "return true"),
    ("routes: linkdown ways are taken", "RouteSearch", "netns.either(link, \\.ignoreRoutesWithLinkdown)", "false"),
    ("routes: prohibit is silent", "RouteSearch", "case .prohibit: throw .prohibit(IPText.route(route, netns))", "case .prohibit: throw .blackhole(IPText.route(route, netns))"),
    ("routes: unreachable is as no route", "RouteSearch", "case .unreachable: throw .unreachable(IPText.route(route, netns))", "case .unreachable: throw .noRoute"),
    ("routes: only the first way of several", "RouteSearch", "alternatives: good, rule: nil", "alternatives: [first], rule: nil"),
    ("routes6: a metric is no limit", "RouteSearch", "if best != nil, route.metric != metric { break }", "if best != nil, route.metric == metric { break }"),
    ("routes6: routes for other sources count", "RouteSearch", "if fitting.isEmpty, routes[0].destination.length > 0 { return [] }", ""),
    ("routes6: gone gateways are taken", "RouteSearch", "if wantsReachable, isGone(hop, netns) { return nil }", ""),
    # sending
    ("output: the preferred source is ignored", "OutputRoute4", "key.source ?? found.route.preferredSource\n      ?? selectAddress4", "key.source\n      ?? selectAddress4"),
    ("output: any source may be sent from", "OutputRoute4", "if key.outputInterface == 0, !isLocal4(source, netns) {", "if key.outputInterface == -1, !isLocal4(source, netns) {"),
    ("output: no route for a bound socket is an error", "OutputRoute4", "if key.outputInterface != 0 {\n        // \"Apparently", "if key.outputInterface == -1 {\n        // \"Apparently"),
    ("output: loopback sources may leave", "OutputRoute4", "if source.isLoopback, link.kind != .loopback, !netns.either(link, \\.routeLocalnet) {", "if source.isLoopback, link.kind == .loopback, !netns.either(link, \\.routeLocalnet) {"),
    ("output: what leaves by lo is not for us", "OutputRoute4", "isLocal: link.kind == .loopback, type: type", "isLocal: false, type: type"),
    ("output: secondary addresses are chosen", "OutputRoute4", "for entry in netns.addresses(interface, .v4) where !entry.flags.contains(.secondary) {", "for entry in netns.addresses(interface, .v4).reversed() {"),
    ("output6: the newest address is no better", "Route6", "for entry in netns.addresses(link, .v6) {", "for entry in netns.addresses(link, .v6).reversed() {"),
    ("output6: scopes do not count", "Route6", "own >= scope ? -own : own - 128,", "0,"),
    ("output6: prefixes do not count", "Route6", "min(Self.commonBits(address, destination), Int(entry.prefixLength)),", "0,"),
    # receiving
    ("input: forwarding is always on", "InputRoute4", "guard netns.forwards4(link) else { return notForwarding(link) }\n    // By", "// By"),
    ("input: errors are sent with forwarding off", "InputRoute4", "guard netns.forwards4(link) else { return notForwarding(link) }\n    switch failure", "switch failure"),
    ("input: rp_filter is off", "InputRoute4", "let filter = netns.larger(link, \\.rpFilter)", "let filter: Int32 = 0"),
    ("input: strict is as loose", "InputRoute4", "if filter == 1 { return .drop(\"IP_RPFILTER\", strict) }", ""),
    ("input: loose is as strict", "InputRoute4", "if filter == 1 { return .drop(\"IP_RPFILTER\", strict) }", "if filter != 0 { return .drop(\"IP_RPFILTER\", strict) }"),
    ("input: rp_filter by the interface alone", "InputRoute4", "netns.larger(link, \\.rpFilter)", "(link.ipv4?.rpFilter ?? 0)"),
    ("input: own addresses may come in", "InputRoute4", "guard netns.holders(source).isEmpty else {", "guard true else {"),
    ("input: accept_local is ignored", "InputRoute4", "let acceptsLocal = netns.either(link, \\.acceptLocal)", "let acceptsLocal = false"),
    ("input: loopback may come in", "InputRoute4", "if destination.isLoopback || source.isLoopback, link.kind != .loopback, !netns.either(link, \\.routeLocalnet) {", "if false {"),
    ("input6: forwarding is always on", "Route6", "guard netns.forwards6(link) else {", "guard netns.forwards6(link) || true else {"),
    ("input6: disable_ipv6 is ignored", "Route6", "guard link.hasIPv6 else {", "guard link.mtu >= 1280 else {"),
    # forwarding
    ("forward: TTLs do not end", "Travel", "packet.ttl -= 1", "packet.ttl -= 0"),
    ("forward: DF is ignored", "Travel", "if packet.length > mtu, packet.dontFragment || packet.family == .v6 {", "if packet.length > mtu, packet.family == .v6 {"),
    ("forward: IPv6 is divided", "Travel", "packet.dontFragment || packet.family == .v6 {", "packet.dontFragment && packet.family == .v4 {"),
    ("forward: link-local sources are forwarded", "Travel", "if from.isLinkLocal {", "if from.isMulticast {"),
    ("forward: sockets do not stop packets", "Travel", "asking.answer == packet.tuple, demuxesEarly(packet, position) {", "asking.answer == packet.tuple, false {"),
    ("forward: frames for others are taken", "Travel", "let taken = sent.receptions.filter { $0.address != .other }", "let taken = sent.receptions"),
    # neighbours
    ("neighbours: fixed entries are ignored", "Neighbours", "entry.state == .permanent || entry.state == .noARP {", "entry.state == .noARP {"),
    ("neighbours: everybody answers", "Neighbours", "case .forward(let route):\n      guard netns.forwards4(link) else { return false }", "case .forward(let route):\n      return true\n      guard netns.forwards4(link) else { return false }"),
    ("neighbours: proxy_arp is ignored", "Neighbours", "guard netns.either(link, \\.proxyARP) else { return false }", "return false"),
    ("neighbours: proxied addresses are ignored", "Neighbours", "if netns.isProxied(target, on: device.index) { return true }", ""),
    ("neighbours: arp_ignore 1 is ignored", "Neighbours", "case 1: !confirms(nil, target, .host, netns, [device.index])", "case 1: false"),
    ("neighbours: arp_ignore 2 is as 1", "Neighbours", "case 2: !confirms(sender, target, .host, netns, [device.index])", "case 2: !confirms(nil, target, .host, netns, [device.index])"),
    ("neighbours: arp_ignore 8 is ignored", "Neighbours", "case 8: true", "case 8: false"),
    ("neighbours: arp_filter is ignored", "Neighbours", "if netns.either(link, \\.arpFilter) {", "if false {"),
    ("neighbours: arp_announce is ignored", "Neighbours", "let announce = netns.larger(link, \\.arpAnnounce)", "let announce: Int32 = 0"),
    ("neighbours: IPv6 addresses of other interfaces are answered for", "Neighbours", "netns.holders(target).contains(where: { $0.interface == device.index && !$0.flags", "netns.holders(target).contains(where: { !$0.flags"),
    ("neighbours: proxy_ndp is ignored", "Neighbours", "return settings.forwarding != 0 && proxies && netns.isProxied(target, on: device.index)", "return false"),
    ("neighbours: advertisements always find back", "Neighbours", "var destination = fixed?.state == .permanent ? fixed?.mac : link.mac", "var destination = link.mac"),
    # links
    ("links: interfaces that are down send", "Transmission", "if !link.isUp {\n      drop(device.netns, link.name, \"QDISC_DROP\"", "if link.isUp, !link.isUp {\n      drop(device.netns, link.name, \"QDISC_DROP\""),
    ("links: any length fits", "Transmission", "if frame.length > Int(link.mtu) + 4 {", "if frame.length > Int(link.mtu) + 40000 {"),
    ("links: marks cross namespaces", "Transmission", "packet.mark = 0", "packet.mark += 0"),
    # bridges
    ("bridge: nothing is learned", "Bridge", "if settings.learning { learn(frame.source, bridge, device.index) }", ""),
    ("bridge: hairpin is always on", "Bridge", "if out == port, !settings.hairpin {", "if out == port, false {"),
    ("bridge: isolation is ignored", "Bridge", "if settings.isolated, let port, netns.link(port)?.port?.isolated ?? false {", "if false {"),
    ("bridge: states are ignored", "Bridge", "guard settings.state == .forwarding || settings.state == .learning else {", "guard true else {"),
    ("bridge: unknown addresses are not flooded", "Bridge", "} else if !settings.unicastFlood {", "} else if true {"),
    ("bridge: flood off is ignored", "Bridge", "} else if !settings.unicastFlood {", "} else if false {"),
    ("bridge: own addresses are sent on", "Bridge", "return (entry.isLocal ? nil : entry.interface, local, IPText.fdb(entry, netns))", "return (entry.interface, local, IPText.fdb(entry, netns))"),
    # tunnels, macvlan
    ("vxlan: VNIs do not matter", "VXLAN", "guard let device = here.first(where: { world.link($0)!.vxlan!.vni == vni }) else {", "guard let device = here.first else {"),
    ("vxlan: ports do not matter", "VXLAN", "let port = remote.entry?.remotePort ?? vxlan.port", "let port: UInt16 = 4789"),
    ("vxlan: unknown addresses are not flooded", "VXLAN", "let entries = own.isEmpty ? netns", "let entries = own.isEmpty && false ? netns"),
    ("vxlan: a frame with our own address is taken", "VXLAN", "if frame.source == link.mac {", "if frame.source == .broadcast {"),
    ("macvlan: private is as bridge", "MACVLAN", "if parameters.mode == .bridge {", "if parameters.mode == .bridge || parameters.mode == .private {"),
    ("macvlan: vepa is as bridge", "MACVLAN", "if parameters.mode == .bridge {", "if parameters.mode == .bridge || parameters.mode == .vepa {"),
    ("macvlan: bridge sends out", "MACVLAN", "if parameters.mode == .bridge {", "if parameters.mode == .passthru {"),
    # sockets
    ("sockets: the exact address does not come first", "Sockets", "fitting.filter { Self.plain($0.local) == destination }, fitting.filter { $0.local.isUnspecified },", "fitting.filter { $0.local.isUnspecified }, fitting.filter { Self.plain($0.local) == destination },"),
    ("sockets: v6only sockets take IPv4", "Sockets", "return socket.local.isUnspecified ? socket.isV6Only == false", "return socket.local.isUnspecified ? true"),
    ("sockets: bound interfaces do not matter", "Sockets", "(socket.boundInterface ?? interface) == interface && takes", "takes"),
    ("sockets: full backlogs take more", "Answers", "if sockets.allSatisfy({ $0.receiveQueue > $0.sendQueue }) {", "if false {"),
    ("sockets: nobody refuses", "Answers", "return (seen ? .refused : .silence, .rejected)", "return (.silence, .rejected)"),
    ("sockets: servers answer from the address that was asked", "Answers", "let isAny = socket.local.isUnspecified || arrival.locality == .broadcast", "let isAny = false"),
    ("echo: echo_ignore_all is ignored", "Answers", "if netns.sysctl(name, 0) != 0 { return end(arrival, dropped: nil", "if netns.sysctl(name, 0) != 0, false { return end(arrival, dropped: nil"),
    # errors
    ("errors: UDP sees all errors", "Conversation", "case (.udp, _): .silence", "case (.udp, _): .unreachable"),
    ("errors: errors always arrive", "Conversation", "asError: true) } ?? false\n      let view", "asError: true) } ?? true\n      let view"),
    ("errors: bound sockets see all errors", "Conversation", "guard let name = question.device else { return true }", "guard let name = question.device, !asError else { return true }"),
    ("errors: icmp_errors_use_inbound_ifaddr is ignored", "Answers", "netns.sysctl(\"net.ipv4.icmp_errors_use_inbound_ifaddr\", 0) != 0,", "netns.sysctl(\"net.ipv4.icmp_errors_use_inbound_ifaddr\", 0) > 9,"),
    ("sender: foreign sources may be bound", "Conversation", "throw .failed(\"EADDRNOTAVAIL\", \"\\(source) is not an address of \\(netns.name)\")", "return"),
    ("sender: SYNs are not sent again", "Conversation", "for _ in 0..<3 where last.sender == .silence {", "for _ in 0..<0 where last.sender == .silence {"),
]


def locate(name, file, old, new):
    path = ROOT / "Core" / SOURCES / (file + ".swift")
    text = path.read_text()
    if text.count(old) == 0:
        return None, f"{name}: stands nowhere in {file}.swift: {old!r}"
    return text.replace(old, new, 1), None


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--check", action="store_true")
    arguments.add_argument("--only", default="")
    options = arguments.parse_args()
    chosen = [mutant for mutant in MUTANTS if options.only in mutant[0]]
    complaints = [complaint for _, complaint in (locate(*mutant) for mutant in chosen) if complaint]
    for complaint in complaints:
        print(complaint)
    if complaints or options.check:
        print(f"{len(chosen)} mistakes, {len(complaints)} of them fit nowhere")
        return 1 if complaints else 0

    if COPY.exists():
        for part in ("Sources", "Tests"):
            shutil.rmtree(COPY / part, ignore_errors=True)
    for part in ("Sources", "Tests"):
        shutil.copytree(ROOT / "Core" / part, COPY / part)
    shutil.copy(ROOT / "Core" / "Package.swift", COPY / "Package.swift")

    def run():
        command = ["swift", "test", "--package-path", str(COPY), "--filter", "NetSimTests"]
        return subprocess.run(command, capture_output=True, text=True)

    clean = run()
    if clean.returncode != 0:
        print(clean.stdout[-4000:], clean.stderr[-4000:])
        print("the simulator fails its tests without any mistake")
        return 1
    missed = []
    for name, file, old, new in chosen:
        path = COPY / SOURCES / (file + ".swift")
        original = path.read_text()
        path.write_text(original.replace(old, new, 1))
        result = run()
        path.write_text(original)
        output = result.stdout + result.stderr
        if result.returncode == 0:
            verdict = "NOT CAUGHT"
            missed.append(name)
        elif "error: " in output and "Test run" not in output:
            verdict = "DOES NOT BUILD"
            missed.append(name)
        else:
            verdict = "caught"
        print(f"{verdict}: {name}", flush=True)
    print(f"{len(chosen) - len(missed)} of {len(chosen)} mistakes are caught")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
