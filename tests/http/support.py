"""Raw bytes on both sides of a Breakwater: the proxy as a process, a scripted server, a raw client.

Nothing here sleeps: every wait is for an event (bytes, the end of a connection, a line of output, the end of a process)
and has the bound TIMEOUT. Nothing here understands more HTTP than a test needs to judge what it got, and what it does
understand it reads strictly: a message that is framed badly is an assertion error, never a guess.

A test class derives from ProxyTest:

    class KeepAlive(ProxyTest):
        def test_one(self):
            server = self.server(answering(ok(b"hello")))
            client = self.client(self.proxy(server))
            client.send(GET)
            self.assertEqual(client.recv_response().body, b"hello")
            self.assertEqual(server.connection(0).requests[0].head_without_ours, GET)

The program under test is $BREAKWATER, else build/src/breakwater of this tree. With $BREAKWATER_TEST_TLS its listener and the
clients speak TLS; what TLS has no word for (one direction that ends) skips its test. If it is "kernel", the kernel does the records.
"""

import errno
import json
import os
import re
import select
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time
import unittest

TIMEOUT = float(os.environ.get("BREAKWATER_TEST_SECONDS", "5"))
import certificates

LOOPBACK = "127.0.0.1"
TLS = bool(os.environ.get("BREAKWATER_TEST_TLS"))
KERNEL_TLS = os.environ.get("BREAKWATER_TEST_TLS") == "kernel"
TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BREAKWATER = os.environ.get("BREAKWATER", os.path.join(TREE, "build", "src", "breakwater"))

GET = b"GET / HTTP/1.1\r\nHost: git.example\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"
SANITIZER = re.compile(r"Sanitizer|runtime error:")


class EndOfStream(Exception):
    """The other side ended the connection where bytes were still expected."""


class Timeout(AssertionError):
    pass


# ---------------------------------------------------------------------------------------------------------------------
# Reading HTTP strictly


class Head:
    """One message head as it came: `raw` with its blank line, the start line, and the fields in order."""

    # Fields that a proxy owns: it frames and traces anew. Everything else must pass byte for byte.
    FRAMING = {b"content-length", b"transfer-encoding"}
    TRACING = {b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-request-id"}

    def __init__(self, raw):
        assert raw.endswith(b"\r\n\r\n"), raw
        self.raw = bytes(raw)
        lines = self.raw[:-4].split(b"\r\n")
        self.start_line = lines[0]
        self.fields = []
        for line in lines[1:]:
            match = re.fullmatch(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*", line)
            assert match, f"not a header field: {line!r} in {self.raw!r}"
            assert b"\r" not in line and b"\n" not in line and b"\0" not in line, line
            self.fields.append((match[1], match[2]))

    def values(self, name):
        """Every value of that name, in order."""
        name = name.encode() if isinstance(name, str) else name
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def value(self, name):
        """The value of a field that must be there once."""
        values = self.values(name)
        assert len(values) == 1, f"{name}: {values} in {self.raw!r}"
        return values[0]

    def names(self):
        return [key.lower() for key, _ in self.fields]

    def without(self, *owned):
        """The head byte for byte, less the lines of these names."""
        gone = {name.lower().encode() if isinstance(name, str) else name for name in owned}
        lines = self.raw[:-4].split(b"\r\n")
        kept = [line for line in lines[1:] if line.split(b":", 1)[0].lower() not in gone]
        return b"\r\n".join([lines[0], *kept]) + b"\r\n\r\n"

    @property
    def status(self):
        match = re.fullmatch(rb"HTTP/1\.1 ([1-9][0-9][0-9]) (.*)", self.start_line)
        assert match, f"not a status line: {self.start_line!r}"
        return int(match[1])

    @property
    def method(self):
        return self.start_line.split(b" ")[0]

    def framing(self):
        """(kind, length) of a message that may have a body: "length", "chunked" or "none". Ambiguity is an error."""
        lengths = self.values("content-length")
        codings = self.values("transfer-encoding")
        assert len(lengths) <= 1, self.raw
        assert not (lengths and codings), self.raw
        if codings:
            assert codings == [b"chunked"], self.raw
            return "chunked", None
        if lengths:
            assert re.fullmatch(rb"[0-9]+", lengths[0]), self.raw
            return "length", int(lengths[0])
        return "none", None


class Message:
    """A head with its body: `body` is the payload, `body_raw` the bytes as framed, `trailers` lines of a chunked one."""

    def __init__(self, head, body=b"", body_raw=b"", trailers=(), extensions=0, kind="none"):
        self.head = head
        self.body = bytes(body)
        self.body_raw = bytes(body_raw)
        self.trailers = list(trailers)
        self.extensions = extensions
        self.kind = kind

    @property
    def status(self):
        return self.head.status

    @property
    def head_without_ours(self):
        """The head byte for byte, less framing and the fields a proxy adds; those have checks of their own."""
        return self.head.without(*Head.FRAMING, *Head.TRACING)

    def __repr__(self):
        return f"<{self.head.raw!r} {self.body[:200]!r}>"


class TlsSocket:
    """A TLS connection that one thread may send to while another receives. OpenSSL must not be entered by both at once, so
    they take turns, and wait outside."""

    def __init__(self, sock):
        self._sock = sock
        self._turn = threading.Lock()
        self._timeout = sock.gettimeout()
        sock.setblocking(False)

    def __getattr__(self, name):
        return getattr(self._sock, name)

    def settimeout(self, seconds):
        self._timeout = seconds

    def _when_possible(self, call, argument):
        while True:
            with self._turn:
                try:
                    return call(argument)
                except ssl.SSLWantReadError:
                    wanted = ([self._sock], [])
                except ssl.SSLWantWriteError:
                    wanted = ([], [self._sock])
            if not any(select.select(*wanted, [], self._timeout)):
                raise TimeoutError

    def recv(self, count):
        return self._when_possible(self._sock.recv, count)

    def recv_now(self, count):
        with self._turn:
            return self._sock.recv(count)

    def sendall(self, data):
        rest = memoryview(data)
        while rest:
            rest = rest[self._when_possible(self._sock.send, rest[:65536]):]


class Stream:
    """A socket with a buffer and a record. Reads wait for what they are asked for, at most TIMEOUT."""

    gave_up = False  # the test was skipped in the middle: its servers may complain

    def __init__(self, sock):
        self.sock = sock
        self.buffer = bytearray()
        self.record = bytearray()  # every byte ever received
        self.ended = None          # "fin" or "reset", once the other side ended
        self.changed = threading.Condition()
        self.deadline = True
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def fill(self):
        """Receives something. False once the other side has ended."""
        if self.ended:
            return False
        self.sock.settimeout(TIMEOUT if self.deadline else None)
        try:
            data = self.sock.recv(262144)
            end = None if data else "fin"
        except TimeoutError:
            raise Timeout(f"{type(self).__name__}: nothing came; so far: {bytes(self.record[-2000:])!r}") from None
        except OSError:  # of TLS an end without a close_notify, too
            data, end = b"", "reset"
        with self.changed:
            self.buffer += data
            self.record += data
            self.ended = end
            self.changed.notify_all()
        return end is None

    def need(self):
        if not self.fill():
            raise EndOfStream(f"{self.ended} after {bytes(self.record[-2000:])!r}")

    def take(self, count):
        data = bytes(self.buffer[:count])
        del self.buffer[:count]
        return data

    def read_exact(self, count):
        while len(self.buffer) < count:
            self.need()
        return self.take(count)

    def read_until(self, mark):
        looked = 0
        while True:
            at = self.buffer.find(mark, looked)
            if at >= 0:
                return self.take(at + len(mark))
            looked = max(0, len(self.buffer) - len(mark) + 1)
            self.need()

    def read_until_seen(self, mark):
        """Takes nothing."""
        while mark not in self.record:
            self.need()

    def read_head(self):
        return Head(self.read_until(b"\r\n\r\n"))

    def read_until_end(self):
        """Everything up to the end of the connection; `ended` then says how it ended."""
        while self.fill():
            pass
        return self.take(len(self.buffer))

    def read_chunked(self, head):
        payload, raw, trailers, extensions = bytearray(), bytearray(), [], 0
        while True:
            line = self.read_until(b"\r\n")
            match = re.fullmatch(rb"([0-9A-Fa-f]{1,16})(;[^\r\n]*)?\r\n", line)
            assert match, f"not a chunk size: {line!r}"
            raw += line
            extensions += bool(match[2])
            size = int(match[1], 16)
            if size == 0:
                break
            data = self.read_exact(size + 2)
            assert data.endswith(b"\r\n"), f"chunk without its CRLF: {data[-20:]!r}"
            raw += data
            payload += data[:-2]
        while True:
            line = self.read_until(b"\r\n")
            raw += line
            if line == b"\r\n":
                return Message(head, payload, raw, trailers, extensions, "chunked")
            trailers.append(line[:-2])

    def read_body(self, head, otherwise="none"):
        kind, length = head.framing()
        if kind == "chunked":
            return self.read_chunked(head)
        if kind == "length":
            body = self.read_exact(length)
            return Message(head, body, body, kind=kind)
        if otherwise == "until_close":
            body = self.read_until_end()
            assert self.ended == "fin", f"an until-close body that ended in a {self.ended}"
            return Message(head, body, body, kind=otherwise)
        return Message(head)

    def send(self, data):
        self.sock.settimeout(TIMEOUT)
        self.sock.sendall(data)

    def try_send(self, data):
        """Sends to a side that may be gone. False if it was."""
        try:
            self.send(data)
            return True
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            return False

    def shutdown_write(self):
        if isinstance(self.sock, TlsSocket):
            Stream.gave_up = True
            raise unittest.SkipTest("Python's TLS can't end one direction")
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError as error:
            if error.errno != errno.ENOTCONN:  # the other side has reset it already, which its test will see
                raise

    half_close = shutdown_write

    def end(self):
        """Both directions, while a thread may read, which then closes it."""
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def close(self):
        self.end()  # wakes a thread that reads
        self.sock.close()

    def reset(self):
        """Ends the connection with a RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


# ---------------------------------------------------------------------------------------------------------------------
# The client


class RawClient(Stream):
    def __init__(self, port, receive_buffer=None, source=None, tls=False):
        sock = socket.socket()
        if source:
            sock.bind((source, 0))
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.settimeout(TIMEOUT)
        sock.connect((LOOPBACK, port))
        if tls:  # or the context to speak it with
            context = certificates.trusting() if tls is True else tls
            sock = TlsSocket(context.wrap_socket(sock, server_hostname="localhost", suppress_ragged_eofs=False))
        super().__init__(sock)
        self.address = "%s:%d" % sock.getsockname()

    def has_something(self):
        """Are there bytes, or the end, to be read? Waits a moment for them."""
        if self.buffer or not select.select([self.sock], [], [], 0.01)[0]:
            return bool(self.buffer)
        if not isinstance(self.sock, TlsSocket):
            return True
        try:
            self.buffer += self.sock.recv_now(65536)  # what came may be a ticket, and nothing for us
        except ssl.SSLWantReadError:
            return False
        except OSError:
            pass
        return True

    recv_head = Stream.read_head
    recv_exact = Stream.read_exact
    recv_until_close = Stream.read_until_end

    def recv_response(self, method="GET"):
        """One final answer, complete, or an error. 1xx are an error here: use recv_head for them."""
        head = self.read_head()
        status = head.status
        assert status >= 200, head.raw
        if method == "HEAD" or status in (204, 304):
            return Message(head)
        return self.read_body(head, "until_close")

    def ask(self, request, method="GET"):
        self.send(request)
        return self.recv_response(method)

    def recv_aborted(self):
        """Reads to the end what must not be a complete answer. Returns (head or None, the payload that came)."""
        self.read_until_end_keeping()
        if b"\r\n\r\n" not in self.buffer:
            return None, bytes(self.buffer)
        head = self.read_head()
        try:
            message = self.read_body(head, "until_close")
        except (EndOfStream, AssertionError):
            return head, bytes(self.buffer)
        raise AssertionError(f"the answer looks complete: {message!r}, then {self.ended}")

    def read_until_end_keeping(self):
        while self.fill():
            pass


# ---------------------------------------------------------------------------------------------------------------------
# The scripted server


class Peer(Stream):
    """The server's end of one connection. `requests` are those its script has read whole."""

    def __init__(self, sock, index):
        super().__init__(sock)
        self.index = index
        self.requests = []
        self.deadline = False  # a script waits as long as the test lives

    def read_request(self):
        message = self.read_body(self.read_head())
        with self.changed:
            self.requests.append(message)
            self.changed.notify_all()
        return message

    def answer(self, data):
        """Reads one request, sends `data`."""
        request = self.read_request()
        self.send(data)
        return request

    # For the test's own thread: the script's thread does the reading.

    def wait(self, condition, what):
        with self.changed:
            if not self.changed.wait_for(condition, TIMEOUT):
                raise Timeout(f"server connection {self.index}: no {what}; received {bytes(self.record[-2000:])!r}")

    def wait_received(self, data):
        self.wait(lambda: data in self.record, f"{data!r}")

    def wait_end(self):
        """How the proxy ended this connection: "fin" or "reset". The script must be reading (or done)."""
        self.wait(lambda: self.ended, "end of the connection")
        return self.ended

    def wait_requests(self, count):
        self.wait(lambda: len(self.requests) >= count, f"{count} requests")


class ScriptedServer:
    """Listens on a port of its own. The nth connection runs the nth script, later ones the last; then it is read out.

    After its script a connection is read to its end, so that `record` holds every byte the proxy ever sent on it and
    `ended` how it ended. A script that wants the connection closed closes it.
    """

    def __init__(self, *scripts):
        self.scripts = scripts
        self.connections = []
        self.changed = threading.Condition()
        self.errors = []
        self.closing = False
        self._listen()
        self.threads = [threading.Thread(target=self._accept, daemon=True)]
        self.threads[0].start()

    def _listen(self):
        self.listener = socket.create_server((LOOPBACK, 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.address = f"{LOOPBACK}:{self.port}"

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            with self.changed:
                peer = Peer(sock, len(self.connections))
                self.connections.append(peer)
                script = self.scripts[min(peer.index, len(self.scripts) - 1)]
                thread = threading.Thread(target=self._run, args=(peer, script), daemon=True)
                thread.start()  # before close() can find it, which joins it
                self.threads.append(thread)
                self.changed.notify_all()

    def secure(self, sock):
        """What a connection is spoken over; OSError if that can't be."""
        return sock

    def _run(self, peer, script):
        try:
            peer.sock = self.secure(peer.sock)
            peer.sock_reused = getattr(peer.sock, "session_reused", False)  # of TLS: it came back with a ticket
        except OSError:
            peer.close()
            return
        try:
            script(peer)
        except EndOfStream:
            pass  # the proxy ended it: peer.ended says so, and the test judges
        except Exception as error:  # noqa: BLE001 (a test must hear of any)
            if not self.closing:
                self.errors.append(f"server connection {peer.index}: {type(error).__name__}: {error}")
        try:
            if peer.sock.fileno() >= 0:
                peer.read_until_end()
                peer.close()
        except (OSError, ValueError):
            pass

    def connection(self, index):
        """The nth connection, once there is one."""
        with self.changed:
            if not self.changed.wait_for(lambda: len(self.connections) > index, TIMEOUT):
                raise Timeout(f"the server got {len(self.connections)} connections, not {index + 1}")
            return self.connections[index]

    @property
    def received(self):
        """Every byte that any connection got."""
        return b"".join(bytes(peer.record) for peer in self.connections)

    @property
    def requests(self):
        return [request for peer in self.connections for request in peer.requests]

    def close(self):
        self.closing = True
        self.listener.close()
        for peer in self.connections:
            peer.close()
        for thread in self.threads[1:]:
            thread.join(TIMEOUT)

    def check(self):
        if self.errors:
            raise AssertionError("; ".join(self.errors))


class UnixServer(ScriptedServer):
    """The same on a unix socket."""

    def _listen(self):
        self.folder = tempfile.mkdtemp(prefix="breakwater-http-")
        path = os.path.join(self.folder, "server.sock")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(64)
        self.address = f"unix:{path}"

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)  # to close it does not wake who accepts
        super().close()
        shutil.rmtree(self.folder, ignore_errors=True)


class RefusingServer:
    """An address where nobody listens, kept so that nobody else can."""

    def __init__(self):
        self.socket = socket.socket()
        self.socket.bind((LOOPBACK, 0))
        self.port = self.socket.getsockname()[1]
        self.address = f"{LOOPBACK}:{self.port}"

    def close(self):
        self.socket.close()

    def check(self):
        pass


class SilentServer(RefusingServer):
    """An address where a connection is neither accepted nor refused: its queue is full, so a SYN is dropped."""

    def __init__(self):
        super().__init__()
        self.socket.listen(0)
        self.fillers = []
        while True:
            filler = socket.socket()
            filler.setblocking(False)
            self.fillers.append(filler)
            if filler.connect_ex((LOOPBACK, self.port)) != 0:
                filler.settimeout(0.2)
                try:
                    filler.connect((LOOPBACK, self.port))
                except (TimeoutError, BlockingIOError):
                    return
                except OSError:
                    return
            assert len(self.fillers) < 16

    def close(self):
        for filler in self.fillers:
            filler.close()
        super().close()


# Scripts and messages


def answering(*answers):
    """A script: one answer for each request, then silence."""

    def script(peer):
        for answer in answers:
            peer.answer(answer)

    return script


def always(answer):
    """A script: the same answer to every request."""

    def script(peer):
        while True:
            peer.answer(answer)

    return script


def ok(body=b"", *fields, status=b"200 OK"):
    lines = [b"HTTP/1.1 " + status, *fields, b"Content-Length: %d" % len(body)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def chunked(*chunks, trailers=()):
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return body + b"0\r\n" + b"".join(line + b"\r\n" for line in trailers) + b"\r\n"


def get(path=b"/", *fields):
    return b"\r\n".join([b"GET " + path + b" HTTP/1.1", b"Host: git.example", *fields]) + b"\r\n\r\n"


def post(path, body, *fields):
    head = [b"POST " + path + b" HTTP/1.1", b"Host: git.example", *fields, b"Content-Length: %d" % len(body)]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def git_post(service, body=None, repository=b"/team/repo.git"):
    """A fetch ("upload-pack") or push ("receive-pack") request; without a body, only its head for a chunked one."""
    service = service.encode()
    fields = [b"Content-Type: application/x-git-" + service + b"-request"]
    path = repository + b"/git-" + service
    if body is not None:
        return post(path, body, *fields)
    return b"\r\n".join([b"POST " + path + b" HTTP/1.1", b"Host: git.example", *fields,
                         b"Transfer-Encoding: chunked"]) + b"\r\n\r\n"


def pattern(count):
    """Bytes of which no two places look the same."""
    words = b"".join(b"%08x" % number for number in range(count // 8 + 1))
    return words[:count]


# ---------------------------------------------------------------------------------------------------------------------
# The proxy


class Lines:
    """Lines of a process's output as they come."""

    def __init__(self, stream):
        self.stream = stream
        self.lines = []
        self.ended = False
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        for line in self.stream:
            with self.changed:
                self.lines.append(line.decode("utf-8", "replace").rstrip("\n"))
                self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def wait_for(self, wanted):
        """What `wanted` gives for the first line for which it gives something true; None if the output ends without."""
        looked, found = 0, None

        def look():
            nonlocal looked, found
            while not found and looked < len(self.lines):
                found = wanted(self.lines[looked])
                looked += 1
            return found or self.ended

        with self.changed:
            if not self.changed.wait_for(look, TIMEOUT):
                raise Timeout("no such line in time, only:\n" + "\n".join(self.lines))
        return found or None

    def text(self):
        with self.changed:
            return "\n".join(self.lines)


class Proxy:
    """A running Breakwater, for a with statement. `tables` is TOML after [listen] and [pool], such as [timeouts]; `listen`
    is more of [listen].

    `admin` is where its admin listener is; None: where `tables` say. `program` may have words in front that start it. `log` is
    where the access log goes; log_lines() and wait_for_log() read stdout."""

    def __init__(self, servers, tables=None, trusted=None, cores=1, admin=f"{LOOPBACK}:0", tls=None, listen=None,
                 host=LOOPBACK, program=(BREAKWATER,), log="stdout"):
        self.folder = tempfile.mkdtemp(prefix="breakwater-http-")
        self.tls = TLS if tls is None else tls
        addresses = [server if isinstance(server, str) else server.address for server in servers]
        authority = next((server.authority for server in servers if hasattr(server, "authority")), None)
        command = [*program, "run", "--log", log, "--cores", str(cores)]
        if admin is not None:
            command += ["--admin", admin]
        if tables is None and trusted is None and listen is None and not self.tls:
            command += ["--listen", f"{host}:0"]
            for address in addresses:
                command += ["--backend", address]
        else:
            config = os.path.join(self.folder, "breakwater.toml")
            with open(config, "w", encoding="utf-8") as file:
                file.write(f'[listen.test]\nbind = "{host}:0"\npool = "test"\n')
                if listen is not None:
                    file.write(listen + "\n")
                if self.tls and "tls = " not in (listen or ""):
                    file.write(f"tls = {json.dumps(str(certificates.folder()))}\n")
                if self.tls and KERNEL_TLS and "tls_kernel" not in (listen or ""):
                    file.write("tls_kernel = true\n")
                if trusted is not None:
                    file.write(f"trusted = {json.dumps(trusted)}\n")
                file.write(f"[pool.test]\nservers = {json.dumps(addresses)}\n")
                if authority is not None:
                    file.write(f"tls = true\ntls_ca = {json.dumps(str(authority))}\n")
                file.write(f"{tables or ''}\n")
            command += ["-f", config]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        self.stderr = Lines(self.process.stderr)
        self.stdout = Lines(self.process.stdout)
        try:
            self.port = self._announced("listening on")
            self.admin_port = self._announced("admin on") if admin is not None and not admin.startswith("unix:") else None
        except AssertionError:
            self.kill()
            raise

    def _announced(self, what):
        found = self.stderr.wait_for(lambda line: re.fullmatch(rf"{what} \S+:(\d+)", line))
        if found is None:
            raise AssertionError(f"the proxy said no `{what}`: {self.stderr.text()}")
        return int(found[1])

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.stop() if kind is None else self.kill()

    def log_lines(self):
        """The access log so far, one dict a request."""
        with self.stdout.changed:
            return [json.loads(line) for line in self.stdout.lines]

    def wait_for_log(self, wanted):
        """The first access log entry, past or to come, for which `wanted(entry)` is true."""

        def look(line):
            entry = json.loads(line)
            return entry if wanted(entry) else None

        found = self.stdout.wait_for(look)
        if found is None:
            raise AssertionError(f"the log ended without it: {self.stdout.text()}")
        return found

    def admin(self, path, method=b"GET", host=b"admin"):
        client = RawClient(self.admin_port)
        try:
            client.send(method + b" " + path.encode() + b" HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
            return client.recv_response(method.decode())
        finally:
            client.close()

    def metrics(self):
        """name{labels} -> value."""
        text = self.admin("/metrics").body.decode()
        values = {}
        for line in text.splitlines():
            if line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                values[name] = float(value)
        return values

    def signal(self, number=signal.SIGTERM):
        self.process.send_signal(number)

    def wait_exit(self):
        try:
            status = self.process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Timeout("the proxy did not end: " + self.stderr.text()) from None
        self._finish()
        return status

    def stop(self):
        """SIGTERM; the proxy must end well. Once is enough, a second call does nothing."""
        if self.process.returncode is not None:
            return
        self.signal()
        status = self.wait_exit()
        if status != 0:
            raise AssertionError(f"the proxy ended with {status}: {self.stderr.text()}")

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._finish(check=False)

    def _finish(self, check=True):
        self.stderr.thread.join(TIMEOUT)
        self.stdout.thread.join(TIMEOUT)
        self.process.stdout.close()
        self.process.stderr.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        if check and SANITIZER.search(self.stderr.text()):
            raise AssertionError("sanitizer report:\n" + self.stderr.text())


# ---------------------------------------------------------------------------------------------------------------------


class ProxyTest(unittest.TestCase):
    """Cleans up in the right order: clients, then the proxy (which must end well), then the servers (which must be happy)."""

    maxDiff = None

    def setUp(self):
        self.clients, self.proxies, self.servers = [], [], []
        Stream.gave_up = False
        self.addCleanup(self._clean_up)

    def _clean_up(self):
        for client in self.clients:
            client.close()
        problems = []
        for each in self.proxies:
            try:
                each.stop()
            except AssertionError as error:
                problems.append(str(error))
        for server in self.servers:
            server.close()
        for server in self.servers if not Stream.gave_up else []:
            try:
                server.check()
            except AssertionError as error:
                problems.append(str(error))
        if problems:
            raise AssertionError("\n".join(problems))

    def server(self, *scripts):
        return self.keep(ScriptedServer(*scripts))

    def keep(self, server):
        self.servers.append(server)
        return server

    def proxy(self, *servers, **options):
        proxy = Proxy(servers, **options)
        self.proxies.append(proxy)
        return proxy

    def client(self, proxy, **options):
        client = RawClient(proxy.port, **{"tls": proxy.tls} | options)
        self.clients.append(client)
        return client

    def wait_until(self, condition, what):
        """Looks again and again; each look has to be an event of its own, such as a round trip to the admin listener."""
        end = time.monotonic() + 6 * TIMEOUT
        while not condition():
            self.assertLess(time.monotonic(), end, what)

    def assert_closed(self, client):
        """The proxy has ended the client's connection without another byte, and not by a reset."""
        self.assertEqual(client.read_until_end(), b"")
        self.assertEqual(client.ended, "fin")

    def assert_own_reply(self, proxy, reply, status, side=None):
        """A reply of the proxy's own: text/plain, which side, and a request id that the access log has too.

        `side` is "client", "server" or "proxy", by default what the status says; "any" leaves that unchecked.
        """
        self.assertEqual(reply.status, status, reply)
        self.assertRegex(reply.head.value("content-type"), rb"^text/plain\b")
        self.assertEqual(reply.kind, "length", reply)
        text = reply.body.decode("utf-8")
        if side is None:
            side = "client" if status < 500 or status == 501 else "server"
        words = {"client": r"\b(client|request)\b", "server": r"\bservers?\b", "proxy": r"\bproxy\b", "any": r"\w"}[side]
        sentence = "\n".join(line for line in text.splitlines() if "request id" not in line)
        self.assertRegex(sentence, words)
        entry = proxy.wait_for_log(lambda entry: entry["request_id"] in text)
        self.assertGreaterEqual(len(entry["request_id"]), 8)
        self.assertEqual(entry["status"], status)
        return entry

    def assert_never_completed(self, proxy, server):
        """No connection of `server` holds a complete request: whatever came was cut off, visibly."""
        proxy.stop()  # with it every connection ends, so every record is whole
        for peer in list(server.connections):
            peer.wait_end()
            self.assertEqual(peer.requests, [], "the server saw a complete request")
            self.assertNotIn(b"\r\n0\r\n", peer.record)


def main():
    if not os.access(BREAKWATER, os.X_OK):
        raise SystemExit(f"no program to test at {BREAKWATER}: build it, or set BREAKWATER")
    unittest.main()
