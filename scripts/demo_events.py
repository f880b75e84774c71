#!/usr/bin/env python3
"""Shows, sums up and checks what skoop says in the demo."""
import argparse
import collections
import json
import re
import socket
import sys
import time
import urllib.request

PODS = ["node/a", "node/b", "shop/client", "shop/web", "shop/api", "shop/db"]
TCP_STATES = {
    "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE", "CLOSE_WAIT", "LAST_ACK",
    "LISTEN", "CLOSING", "NEW_SYN_RECV",
}


# --- the live view: blocks of `skoop-agent trace --explain --stack`

class Block:
    """One event: its line, the sentence on what it means, its stack."""

    HEADER = re.compile(r"^\d\d:\d\d:\d\d\.\d{3}  (\S+)  in (\S+)  ")

    def __init__(self, line):
        found = self.HEADER.match(line)
        self.line = line
        self.type, self.place = found.group(1), found.group(2)
        self.meaning, self.stack = [], []
        # Behind the addresses: [flags], then the reason or kind where there is one.
        rest = [part for part in line.split("  ")[4:] if part and " → " not in part and not part.startswith("[")]
        first = rest[0] if rest else ""
        self.why = "" if first in TCP_STATES or first.startswith(("at ", "dev ", "by ", "failed: ")) else first

    @property
    def kind(self):
        return (self.type, self.place, self.why)

    def add(self, line):
        (self.stack if line.startswith("      ") else self.meaning).append(line)


class Trace:
    """Follows the file that trace writes, from an offset on."""

    def __init__(self, path, offset):
        self.file = open(path, "rb")
        self.file.seek(offset)
        self.rest = b""
        self.block = None
        self.grown = time.monotonic()

    def blocks(self):
        """Those that are complete: the next one has begun, or nothing came for a while."""
        done = []
        data = self.file.read()
        if data:
            self.grown = time.monotonic()
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in (line.decode(errors="replace") for line in lines):
            if Block.HEADER.match(line):
                if self.block:
                    done.append(self.block)
                self.block = Block(line)
            elif self.block and line.startswith("    "):
                self.block.add(line)
        if self.block and not self.rest and time.monotonic() - self.grown > 0.2:
            done.append(self.block)
            self.block = None
        return [block for block in done if block.place in PODS]


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def show(options):
    """Prints the first event of each kind as trace prints it, counts the others, and ends soon after the traffic."""
    bold, dim, plain = ("\033[1m", "\033[2m", "\033[0m") if sys.stdout.isatty() else ("", "", "")
    trace = Trace(options.trace, options.offset)
    counts = collections.Counter()
    stacks = set()
    end = time.monotonic() + options.at_most
    settled = None
    while time.monotonic() < end and (settled is None or time.monotonic() < settled):
        if settled is None and not is_running(options.while_pid):
            settled = time.monotonic() + options.settle
        for block in trace.blocks():
            counts[block.kind] += 1
            if counts[block.kind] > 1 or len(counts) > options.limit:
                continue
            print(f"  {bold}{block.line}{plain}")
            for line in block.meaning:
                print(f"  {line}")
            if block.stack and (block.type, block.why) not in stacks:
                stacks.add((block.type, block.why))
                for line in block.stack[:options.frames]:
                    print(f"  {dim}{line}{plain}")
                if len(block.stack) > options.frames:
                    print(f"  {dim}      … {len(block.stack) - options.frames} more{plain}")
            sys.stdout.flush()
        time.sleep(0.05)
    if not counts:
        print("  (no event)")
    elif max(counts.values()) > 1 or len(counts) > options.limit:
        print("  In all: " + ", ".join(
            f"{count} × {type} in {place}" + (f" {why}" if why else "")
            for (type, place, why), count in counts.most_common()))


def wait_for(options):
    """Ends when the trace has a line with the text; 1 when it does not come."""
    end = time.monotonic() + options.at_most
    while time.monotonic() < end:
        with open(options.trace, errors="replace") as trace:
            if any(options.text in line for line in trace):
                return 0
        time.sleep(0.05)
    return 1


# --- the metrics

SAMPLE = re.compile(r'^(\w+)\{(.*)\} (\S+)$')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def fetch(url):
    """Past any proxy: the agent listens on loopback."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=10) as answer:
        return answer.read().decode()


def is_ready(options):
    """Ends when the agent has loaded every probe; 1 when it does not."""
    end = time.monotonic() + options.at_most
    while time.monotonic() < end:
        try:
            text = fetch(options.url + "/readyz")
            if text.strip() == "ready":
                status = json.loads(fetch(options.url + "/status"))["inuse_probes"]["event"]
                if len(status) == options.probes and all(probe["state"] == "running" for probe in status):
                    return 0
        except OSError:
            pass
        time.sleep(0.1)
    return 1


def summary(options):
    """A row for each pod, and what happened there and why; then some lines of the metrics as they are."""
    lines = fetch(options.url + "/metrics").splitlines()
    rows = collections.Counter()
    samples = []
    for line in lines:
        found = SAMPLE.match(line)
        if not found:
            continue
        name, labels = found.group(1), dict(LABEL.findall(found.group(2)))
        pod = f'{labels.get("k8s_namespace", "")}/{labels.get("k8s_pod", "")}'
        if pod not in PODS:
            continue
        if name == "kubeskoop_packetloss_by_reason_total":
            key = (pod, "packets lost", f'{labels["reason"]} at {labels["location"]}')
        elif name == "kubeskoop_tcpretrans_by_kind_total":
            key = (pod, "segments sent again", labels["kind"] + ("" if labels["outcome"] == "sent" else ", failed"))
        elif name == "kubeskoop_tcpreset_total":
            key = (pod, "resets " + ("received" if labels["type"] == "TCPRESET_RECEIVE" else "sent"),
                   " ".join(part for part in (labels["type"], labels["reason"]) if part))
        else:
            continue
        rows[key] += int(float(found.group(3)))
        samples.append((name, line))
    print(f'  {"pod":<12}  {"what":<20}  {"count":>5}  why')
    for (pod, what, why), count in sorted(rows.items(), key=lambda row: (PODS.index(row[0][0]), row[0])):
        print(f"  {pod:<12}  {what:<20}  {count:>5}  {why}")
    print(f"\n{options.url}/metrics has {sum(not line.startswith('#') for line in lines)} samples, among them:")
    # Each metric in turn, so that none is left out by a longer one.
    turns = collections.defaultdict(list)
    for name, line in samples:
        turns[name].append(line)
    mixed = [line for row in range(5) for found in turns.values() for line in found[row:row + 1]]
    for line in mixed[:5]:
        print(f"  {line}")
    return 0 if rows else 1


# --- the check

def expected(ipv6):
    """For each fault: the events that it must give. A value in braces: one of these."""
    closed = [
        {"type": "TCPRESET_NOSOCK", "pod": "shop/api", "reason": "NO_SOCKET", "src": "10.244.2.10", "sport": "8081",
         "dst_pod": "shop/web"},
        {"type": "PacketLoss", "pod": "shop/api", "reason": "NO_SOCKET", "dst": "10.244.2.10", "dport": "8081",
         "src_pod": "shop/web"},
        {"type": "TCPRESET_RECEIVE", "pod": "shop/web", "src": "10.244.2.10", "sport": "8081"},
    ]
    if ipv6:
        closed += [
            {"type": "TCPRESET_NOSOCK", "pod": "shop/api", "reason": "NO_SOCKET", "src": "fd00:244:2::10",
             "sport": "8081", "dst_pod": "shop/web"},
            {"type": "PacketLoss", "pod": "shop/api", "reason": "NO_SOCKET", "dst": "fd00:244:2::10", "dport": "8081"},
            {"type": "TCPRESET_RECEIVE", "pod": "shop/web", "src": "fd00:244:2::10", "sport": "8081"},
        ]
    return {
        "a firewall rule drops": [
            {"type": "PacketLoss", "pod": "node/b", "reason": "NETFILTER_DROP", "src_pod": "shop/web",
             "dst_pod": "shop/db", "dport": "5432", "tcp_flags": "SYN"},
            {"type": "TCPRetrans", "pod": "shop/web", "kind": "syn", "dst_pod": "shop/db", "dport": "5432"},
        ],
        "a closed port": closed,
        "random loss": [
            {"type": "PacketLoss", "pod": "node/a", "reason": "NETFILTER_DROP", "src_pod": "shop/client",
             "dst_pod": "shop/api", "dport": "8080"},
            {"type": "TCPRetrans", "pod": "shop/client", "kind": {"fast", "timeout", "tail-loss"},
             "dst_pod": "shop/api", "dport": "8080"},
        ],
        "closed with unread data": [
            {"type": "TCPRESET_ACTIVE", "pod": "shop/api", "process": "api-impatient", "sport": "8082",
             "dst_pod": "shop/client", "reason": "TCP_ABORT_ON_CLOSE"},
            {"type": "TCPRESET_RECEIVE", "pod": "shop/client", "sport": "8082"},
        ],
        "REJECT with a reset": [
            {"type": "TCPRESET_NOSOCK", "pod": "shop/db", "reason": "NETFILTER_REJECT", "sport": "5432",
             "dst_pod": "shop/client"},
            {"type": "TCPRESET_RECEIVE", "pod": "shop/client", "sport": "5432"},
        ],
    }


def flat(event):
    """The event's labels, with pods as NAMESPACE/NAME."""
    labels = {label["name"]: label["value"] for label in event["labels"]}
    facts = dict(labels, type=event["type"], msg=event["msg"])
    namespace, pod = (labels.get("k8s_" + name, labels.get(name, "")) for name in ("namespace", "pod"))
    facts["pod"] = f"{namespace}/{pod}"
    for end in ("src", "dst"):
        facts[f"{end}_pod"] = f'{labels.get(f"{end}_namespace", "")}/{labels.get(f"{end}_pod", "")}'
    return facts


def matches(facts, wanted):
    return all(facts.get(name) in value if isinstance(value, set) else facts.get(name) == value
               for name, value in wanted.items())


def check(options):
    """Compares the events file with what the faults must give; 1 when something is missing or too much."""
    with open(options.events) as file:
        events = [flat(json.loads(line)) for line in file]
    events = [event for event in events if event["pod"] in PODS]
    failures = []
    for fault, list_ in expected(options.ipv6 == "yes").items():
        for wanted in list_:
            found = [event for event in events if matches(event, wanted)]
            print(f"  {'ok     ' if found else 'MISSING'}  {fault}: {len(found)} × "
                  + " ".join(f"{name}={'|'.join(sorted(value)) if isinstance(value, set) else value}"
                             for name, value in wanted.items()))
            if not found:
                failures.append(wanted)
            elif wanted["type"] == "PacketLoss" and "+0x" not in found[0]["msg"]:
                print("  WRONG    its message has no stack")
                failures.append(wanted)
    # Port 80 belongs to traffic that works: it may give none. And only shop/db has a rule with REJECT.
    for event in events:
        is_healthy = "80" in (event.get("sport"), event.get("dport"))
        if is_healthy or (event.get("reason") == "NETFILTER_REJECT" and event["pod"] != "shop/db"):
            print("  UNEXPECTED  " + " ".join(f"{name}={value}" for name, value in event.items() if name != "msg"))
            failures.append(event)
    return 1 if failures else 0


def free_port(options):
    """The first port of the range that is free on loopback."""
    for port in range(options.first, options.last + 1):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                probe.listen()
            except OSError:
                continue
        print(port)
        return 0
    return 1


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)

    def command(name, function):
        made = commands.add_parser(name)
        made.set_defaults(run=function)
        return made

    made = command("show", show)
    made.add_argument("--trace", required=True)
    made.add_argument("--offset", type=int, required=True)
    made.add_argument("--while-pid", type=int, required=True, help="the traffic")
    made.add_argument("--settle", type=float, default=0.6, help="seconds to go on after the traffic")
    made.add_argument("--at-most", type=float, default=8.0)
    made.add_argument("--limit", type=int, default=4, help="events to show")
    made.add_argument("--frames", type=int, default=5)
    made = command("wait-for", wait_for)
    made.add_argument("--trace", required=True)
    made.add_argument("--text", required=True)
    made.add_argument("--at-most", type=float, default=1.0)
    made = command("ready", is_ready)
    made.add_argument("--url", required=True)
    made.add_argument("--probes", type=int, required=True)
    made.add_argument("--at-most", type=float, default=20.0)
    made = command("summary", summary)
    made.add_argument("--url", required=True)
    made = command("check", check)
    made.add_argument("--events", required=True)
    made.add_argument("--ipv6", choices=["yes", "no"], default="yes")
    made = command("free-port", free_port)
    made.add_argument("first", type=int)
    made.add_argument("last", type=int)
    options = parser.parse_args()
    return options.run(options) or 0


if __name__ == "__main__":
    sys.exit(main())
