"""A TCP relay in front of a real Git server that can be told to misbehave. Python's standard library only.

    relay = Relay(server)                   # .address, for a with statement; passes on what comes until it is told otherwise
    relay.misbehave(cut_in_body(500_000, "reset"), times=3)

A fault is a function that gets an Exchange, one request that was read and its answer to come, and deals with all of it.
One that does harm asks Exchange.claim() first, which is true as often as was asked for, and notes who was harmed.
"""

import socket
import struct
import threading
import time

PIECE_BYTES = 65536
WAIT_SECONDS_MAX = 60  # of a server that owes an answer; of a connection that is idle or left hanging

PACK_BYTES_MIN = 100_000  # an upload-pack's answer of so many is no list of refs


def pkt_line(text):
    return b"%04x" % (len(text) + 4) + text


class Ended(Exception):
    """A connection ended, or was ended by a fault: nothing more is to be done with it."""


class Message:
    """The head of a request or an answer, and what of its framing is needed to find its end."""

    def __init__(self, file):
        lines = [file.readline()]
        while lines[-1] not in (b"\r\n", b""):
            lines.append(file.readline())
        if not lines[-1]:
            raise Ended
        self.file, self.head, self.start_line = file, b"".join(lines), lines[0]
        self.fields = {key.strip().lower(): value.strip() for key, _, value in (line.partition(b":") for line in lines[1:-1])}
        self.is_answer = self.start_line.startswith(b"HTTP/")
        self.chunked = self.fields.get(b"transfer-encoding") == b"chunked"
        self.ends_with_connection = (self.is_answer and not self.chunked and b"content-length" not in self.fields)

    def read(self, count):
        data = self.file.read1(min(count, PIECE_BYTES))
        if not data:
            raise Ended
        return data

    def exactly(self, count):
        while count:
            data = self.read(count)
            count -= len(data)
            yield data

    def pieces(self):
        """The body as it is framed, as it comes."""
        if self.chunked:
            size = None
            while size != 0:
                line = self.file.readline()
                size = int(line.split(b";")[0] or b"0", 16)
                yield line
                yield from self.exactly(size + 2)
        elif self.ends_with_connection:
            while data := self.file.read1(PIECE_BYTES):
                yield data
        else:
            yield from self.exactly(int(self.fields.get(b"content-length", b"0")))

    def payload(self):
        """The chunked body without its framing, as it comes."""
        while size := int(self.file.readline().split(b";")[0], 16):
            yield from self.exactly(size)
            self.file.readline()
        self.file.readline()


class Exchange:
    """One request, whose head was read, and the answer that the relay owes for it."""

    def __init__(self, connection, request):
        self.connection, self.relay, self.request = connection, connection.relay, request
        self.agent = request.fields.get(b"user-agent", b"").decode()

    def ask(self):
        """Passes the request on. Returns the answer's head; its body is still to come."""
        server = self.connection.server()
        server.sendall(self.request.head)
        for piece in self.request.pieces():
            server.sendall(piece)
        return Message(self.connection.server_file)

    def send(self, data):
        self.connection.client.sendall(data)

    def pass_on(self, answer):
        self.send(answer.head)
        for piece in answer.pieces():
            self.send(piece)
        if answer.ends_with_connection:
            raise Ended

    def claim(self):
        return self.relay.claim(self.agent)

    def end(self, how):
        if how == "reset":
            self.connection.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Ended

    def hang(self):
        """Until the other side gives up."""
        while self.connection.client_file.read1(PIECE_BYTES):
            pass
        raise Ended


def behave(exchange):
    exchange.pass_on(exchange.ask())


def hang(exchange):
    if exchange.claim():
        exchange.hang()
    behave(exchange)


def answering(data):
    """Every request of Git's gets these bytes for its answer."""
    def fault(exchange):
        if not exchange.claim():
            return behave(exchange)
        for _ in exchange.request.pieces():
            pass
        return exchange.send(data)
    return fault


def page(status, content_type, body):
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def failing_git(text):
    """A 200 inside which Git says that it failed."""
    def fault(exchange):
        if not exchange.claim():
            return behave(exchange)
        for _ in exchange.request.pieces():
            pass
        if b"info/refs" in exchange.request.start_line:
            body = pkt_line(b"# service=git-upload-pack\n") + b"0000" + pkt_line(b"ERR " + text)
            return exchange.send(page("200 OK", "application/x-git-upload-pack-advertisement", body))
        return exchange.send(page("200 OK", "application/x-git-upload-pack-result", pkt_line(b"ERR " + text)))
    return fault


def slower(ratio):
    """The first byte takes so many times as long as it does."""
    def fault(exchange):
        begun = time.monotonic()
        answer = exchange.ask()
        if exchange.claim():
            time.sleep((time.monotonic() - begun) * (ratio - 1))
        exchange.pass_on(answer)
    return fault


def cut_in_head(count, how):
    """`how`: "reset" or "close"."""
    def fault(exchange):
        answer = exchange.ask()
        if not exchange.claim():
            return exchange.pass_on(answer)
        exchange.send(answer.head[:count])
        return exchange.end(how)
    return fault


def cut_in_body(count, how, of=b""):
    """After so many bytes, of every body that is longer, of requests with `of` in their first line."""
    def fault(exchange):
        answer = exchange.ask()
        if of not in exchange.request.start_line:
            return exchange.pass_on(answer)
        exchange.send(answer.head)
        passed = 0
        for piece in answer.pieces():
            if passed <= count < passed + len(piece) and exchange.claim():
                exchange.send(piece[:count - passed])
                exchange.end(how)
            passed += len(piece)
            exchange.send(piece)
        if answer.ends_with_connection:
            raise Ended
        return None
    return fault


def cut_before_pack(how):
    """A pack's answer ends behind Git's progress messages, or at once behind its first line."""
    def fault(exchange):
        answer = exchange.ask()
        if b"git-upload-pack" not in exchange.request.start_line:
            return exchange.pass_on(answer)
        exchange.send(answer.head)
        for piece in answer.pieces():
            begin = piece.find(b"\x01PACK")
            if begin >= 0 and exchange.claim():
                exchange.send(piece[:begin - len(b"0000")])
                exchange.end(how)
            exchange.send(piece)
        if answer.ends_with_connection:
            raise Ended
        return None
    return fault


def shortened_pack(missing):
    """A pack whose last bytes are missing, in a body that ends as it should."""
    def fault(exchange):
        answer = exchange.ask()
        if not answer.chunked or b"git-upload-pack" not in exchange.request.start_line:
            return exchange.pass_on(answer)
        exchange.send(answer.head)
        held, passed = b"", 0
        for piece in answer.payload():
            held, ready = (held + piece)[-missing:], (held + piece)[:-missing]
            passed += len(ready)
            if ready:
                exchange.send(b"%x\r\n" % len(ready) + ready + b"\r\n")
        if passed < PACK_BYTES_MIN or not exchange.claim():
            exchange.send(b"%x\r\n" % len(held) + held + b"\r\n")
        return exchange.send(b"0\r\n\r\n")
    return fault


class Connection:
    def __init__(self, relay, client):
        self.relay, self.client, self.upstream, self.server_file, self.busy = relay, client, None, None, False
        client.settimeout(WAIT_SECONDS_MAX)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.client_file = client.makefile("rb")

    def server(self):
        if self.upstream is None:
            host, port = self.relay.server.address.split(":")
            self.upstream = socket.create_connection((host, int(port)), timeout=WAIT_SECONDS_MAX)
            self.upstream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.server_file = self.upstream.makefile("rb")
        return self.upstream

    def run(self):
        try:
            while True:
                request = Message(self.client_file)
                self.busy = True
                self.relay.asked.set()
                self.relay.fault(Exchange(self, request))
                self.busy = False
        except (Ended, OSError, ValueError):
            pass
        finally:
            self.relay.connections.discard(self)
            for each in (self.client_file, self.client, self.server_file, self.upstream):
                if each is not None:
                    each.close()

    def wake(self):
        for each in (self.client, self.upstream):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except (AttributeError, OSError):
                pass  # none, or it has ended by itself


class Relay:
    def __init__(self, server):
        self.server, self.fault, self.times, self.harmed = server, behave, 0, []
        self.asked = threading.Event()  # something was
        self.connections, self.lock = set(), threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            connection = Connection(self, client)
            self.connections.add(connection)
            threading.Thread(target=connection.run, daemon=True).start()

    def misbehave(self, fault, times=None):
        """From now on, for each request that comes; with `times`, that often."""
        self.times = times
        self.fault = fault

    def claim(self, agent):
        with self.lock:
            if self.times == 0:
                return False
            self.times = self.times and self.times - 1
            self.harmed.append(agent)
            return True

    def end(self):
        self.refuse(and_end=lambda connection: True)

    def refuse(self, and_end=lambda connection: not connection.busy):
        """Nobody listens any more; connections that carry no request end."""
        try:
            self.listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
        except OSError:
            pass
        self.listener.close()
        for connection in list(self.connections):
            if and_end(connection):
                connection.wake()
