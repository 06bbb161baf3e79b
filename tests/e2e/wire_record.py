"""What a client sends, request by request: a relay in front of a server that keeps all of it. Python's standard library only."""

import re
import socket
import threading

PIECE_BYTES = 65536


class Request:
    """One request: its line, its fields in their order, its body as it was meant (without chunks)."""

    def __init__(self, line, fields, body):
        self.line, self.fields, self.body = line, fields, body

    def field(self, name):
        return next((value for key, value in self.fields if key.lower() == name.lower()), None)


def take_request(sent):
    """The first request of these bytes, and the rest."""
    head, _, rest = sent.partition(b"\r\n\r\n")
    line, *lines = head.decode("latin-1").split("\r\n")
    fields = [tuple(part.strip() for part in each.split(":", 1)) for each in lines]
    request = Request(line, fields, b"")
    if request.field("Transfer-Encoding") == "chunked":
        while True:
            size, _, rest = rest.partition(b"\r\n")
            count = int(size, 16)
            request.body += rest[:count]
            rest = rest[count + 2:]
            if count == 0:
                return request, rest
    count = int(request.field("Content-Length") or 0)
    request.body = rest[:count]
    return request, rest[count:]


class Recorder:
    """Listens on .port; .connections has a list of requests for each connection that has ended, in the order of their beginnings;
    .received is how many bytes the server sent."""

    def __init__(self, server_port):
        self.server_port = server_port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.changed = threading.Condition()
        self.sent, self.ended, self.received = [], 0, 0
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()

    def clear(self):
        with self.changed:
            assert self.ended == len(self.sent), "a connection is still open"
            self.sent, self.ended, self.received = [], 0, 0

    def wait_for(self, connections, seconds=60):
        """Until so many have ended."""
        with self.changed:
            assert self.changed.wait_for(lambda: self.ended >= connections, seconds), f"{self.ended} of {connections} connections have ended"

    @property
    def connections(self):
        with self.changed:
            self.changed.wait_for(lambda: self.ended == len(self.sent), 60)
            found = []
            for sent in self.sent:
                requests, rest = [], bytes(sent)
                while rest:
                    request, rest = take_request(rest)
                    requests.append(request)
                found.append(requests)
            return found

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.server_port))
            with self.changed:
                sent = bytearray()
                self.sent.append(sent)
            up = threading.Thread(target=self._pass_on, args=(client, server, sent), daemon=True)
            down = threading.Thread(target=self._pass_on, args=(server, client, None), daemon=True)
            up.start()
            down.start()
            threading.Thread(target=self._end, args=(up, down, client, server), daemon=True).start()

    def _pass_on(self, source, target, kept):
        try:
            while data := source.recv(PIECE_BYTES):
                if kept is not None:
                    kept += data
                else:
                    with self.changed:
                        self.received += len(data)
                target.sendall(data)
        except OSError:
            pass
        try:
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def _end(self, up, down, client, server):
        up.join()
        down.join()
        client.close()
        server.close()
        with self.changed:
            self.ended += 1
            self.changed.notify_all()


def pkt_lines(body):
    """What a body says, as text for people and for comparison; a pack is one word."""
    lines = []
    while body:
        if body.startswith(b"PACK"):
            return lines + ["(pack)"]
        count = int(body[:4], 16)
        payload, body = (b"", body[4:]) if count < 4 else (body[4:count], body[count:])
        lines.append({0: "(flush)", 1: "(delimiter)"}.get(count, payload.decode("latin-1")))
    return lines


def without_ids(text):
    return re.sub(r"\b[0-9a-f]{40}\b", "(id)", text)
