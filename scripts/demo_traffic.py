#!/usr/bin/env python3
"""Traffic for the demo: servers that answer or hang up, and clients that say what they saw.

Runs inside a pod's network namespace. One line asked, one line answered. Everything ends by itself after a time.
"""
import argparse
import asyncio
import selectors
import socket
import time

LIFETIME = 180  # Seconds a server lives at most, should nobody stop it.


def take_name(name):
    """The process name that the kernel, and so skoop, knows (15 characters at most)."""
    with open("/proc/self/comm", "w") as comm:
        comm.write(name)


def listener(port):
    """Listens on IPv4, and on IPv6 where there is any."""
    if socket.has_dualstack_ipv6():
        return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
    return socket.create_server(("", port))


def serve(options):
    """Answers every line with `ok`."""

    async def answer(reader, writer):
        try:
            while await reader.readline():
                writer.write(b"ok\n")
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def run():
        servers = [await asyncio.start_server(answer, sock=listener(port)) for port in options.port]
        print("ready", flush=True)
        await asyncio.sleep(LIFETIME)
        for server in servers:
            server.close()

    take_name(options.name)
    asyncio.run(run())


def hang_up(options):
    """Waits until a request has come, and closes without reading it: the kernel then sends a reset, not a FIN."""
    take_name(options.name)
    end = time.monotonic() + LIFETIME
    with listener(options.port[0]) as server, selectors.DefaultSelector() as requests:
        server.settimeout(1)
        print("ready", flush=True)
        while time.monotonic() < end:
            try:
                connection, _ = server.accept()
            except TimeoutError:
                continue
            with connection:
                requests.register(connection, selectors.EVENT_READ)
                requests.select(timeout=2)
                requests.unregister(connection)


def what(error):
    if isinstance(error, TimeoutError):
        return "no answer"
    return {ConnectionRefusedError: "connection refused", ConnectionResetError: "connection reset"}.get(
        type(error), str(error))


def ask(options):
    """Asks once for every address given and prints what came of it."""
    take_name(options.name)
    for target in options.target:
        host, _, port = target.rpartition(":")
        began = time.monotonic()
        try:
            with socket.create_connection((host.strip("[]"), int(port)), timeout=options.timeout) as connection:
                connection.sendall(b"hello\n")
                answer = connection.makefile().readline()
            outcome = "answered" if answer else "closed without an answer"
        except OSError as error:
            outcome = what(error)
        print(f"{options.who} asked {target}: {outcome} ({time.monotonic() - began:.3f} s)", flush=True)


def upload(options):
    """Sends bulk and then single requests over one connection each, for a bounded time.

    Bulk keeps many segments under way, so that a lost one is noticed by those behind it; a single request has nothing
    behind it, so that only a timer can notice.
    """
    take_name(options.name)
    host, _, port = options.target[0].rpartition(":")
    address = (host.strip("[]"), int(port))
    line = b"x" * 999 + b"\n"
    began = time.monotonic()

    async def bulk(reader, writer):
        async def send():
            for _ in range(400):
                writer.write(line)
                await writer.drain()
            writer.write_eof()

        async def receive():
            while await reader.read(65536):
                pass

        await asyncio.gather(send(), receive())

    async def singles(reader, writer):
        for _ in range(12):
            writer.write(line)
            await reader.readline()
            await asyncio.sleep(0.02)

    async def attempt(work):
        sock = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1000)
        writer = None
        try:
            await asyncio.get_running_loop().sock_connect(sock, address)
            reader, writer = await asyncio.open_connection(sock=sock)
            await work(reader, writer)
        finally:
            writer.close() if writer else sock.close()

    async def run():
        works = [("400 kB at once", bulk), ("12 requests in turn", singles)]
        tasks = [asyncio.wait_for(attempt(work), options.timeout) for _, work in works]
        for (text, _), outcome in zip(works, await asyncio.gather(*tasks, return_exceptions=True)):
            if isinstance(outcome, BaseException):
                result = f"not finished after {options.timeout:g} s" if isinstance(
                    outcome, (TimeoutError, asyncio.TimeoutError)) else what(outcome)
                print(f"{options.who} sent {options.target[0]} {text}: {result}", flush=True)
            else:
                print(f"{options.who} sent {options.target[0]} {text}: arrived", flush=True)
        print(f"{options.who} took {time.monotonic() - began:.1f} s", flush=True)

    asyncio.run(run())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)
    for name, function in [("serve", serve), ("hang-up", hang_up)]:
        command = commands.add_parser(name)
        command.add_argument("--name", required=True)
        command.add_argument("port", type=int, nargs="+")
        command.set_defaults(run=function)
    for name, function in [("ask", ask), ("upload", upload)]:
        command = commands.add_parser(name)
        command.add_argument("--name", required=True)
        command.add_argument("--who", required=True)
        command.add_argument("--timeout", type=float, default=2.0)
        command.add_argument("target", nargs="+", help="HOST:PORT or [HOST]:PORT")
        command.set_defaults(run=function)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
