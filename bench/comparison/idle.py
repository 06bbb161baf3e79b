"""What an idle connection costs a contender: its resident memory with more and more of them, after one request each.

The requests come one after another, so what is held is held for the connections. What the kernel keeps for their sockets
is not in it.
"""

import contextlib
import socket
import ssl
import time
from pathlib import Path

from comparison.certificates import SERVER_NAME
from comparison.measure import Failed

REQUEST = (b"GET /small/team/app.git/info/refs?service=git-upload-pack HTTP/1.1\r\nHost: git.example\r\n"
           b"Git-Protocol: version=2\r\n\r\n")
SECONDS_MAX = 10
# Long enough for a proxy to give back what it held for the last request.
SETTLE_SECONDS = 0.2


def resident_kib(pids):
    total = 0
    for pid in pids:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        total += next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
    return total


def ask(connection):
    """One request and its whole answer."""
    connection.sendall(REQUEST)
    seen = b""
    while b"\r\n\r\n" not in seen or len(seen.partition(b"\r\n\r\n")[2]) < 1024:
        got = connection.recv(4096)
        if not got or not b"HTTP/1.1 200".startswith(seen[:12]):
            raise Failed(f"no answer on an idle connection: {seen[:40]!r}")
        seen += got


def trusting(certificate):
    """What it takes to speak TLS to a contender with this certificate."""
    context = ssl.create_default_context(cafile=certificate.file)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_alpn_protocols(["http/1.1"])
    return context


def measure(contender, some, many):
    """The metrics for 1, then some, then many connections."""
    context = trusting(contender.certificate) if contender.certificate else None
    with contextlib.ExitStack() as stack:
        opened, resident = 0, []
        for count in (1, some, many):
            for _ in range(count - opened):
                connection = socket.create_connection(("127.0.0.1", contender.port), SECONDS_MAX)
                if context:
                    connection = context.wrap_socket(connection, server_hostname=SERVER_NAME)
                stack.enter_context(connection)
                ask(connection)
            opened = count
            time.sleep(SETTLE_SECONDS)
            resident.append(resident_kib(contender.pids()))
    of_one, of_some, of_many = resident
    return {"failures": {}, "resident_kib_1": of_one, "kib_per_connection_of_some": (of_some - of_one) / (some - 1),
            "kib_per_connection_of_many": (of_many - of_one) / (many - 1)}
