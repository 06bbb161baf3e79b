"""A small DNS server on loopback: answers A, AAAA and SRV questions as a test says, or fails, or keeps silent."""

import ipaddress
import socket
import struct
import threading
import time

from support import LOOPBACK, TIMEOUT, Timeout

A, AAAA, SRV = 1, 28, 33
SERVFAIL, NXDOMAIN = 2, 3


def encoded(name):
    labels = [label.encode() for label in name.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


class DnsServer:
    """`set(name, ...)` says what a name has: IP addresses, or (priority, weight, port, host) of a service."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((LOOPBACK, 0))
        self.address = "%s:%d" % self.socket.getsockname()
        self.records = {}     # name -> [(type, ttl, data)]
        self.broken = {}      # type -> SERVFAIL, or None for silence
        self.questions = []   # (name, type, when), in the order they came
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def set(self, name, *values, ttl=0):
        records = []
        for value in values:
            if isinstance(value, tuple):
                priority, weight, port, host = value
                records.append((SRV, ttl, struct.pack("!HHH", priority, weight, port) + encoded(host)))
            else:
                ip = ipaddress.ip_address(value)
                records.append((A if ip.version == 4 else AAAA, ttl, ip.packed))
        with self.changed:
            self.records[name] = records

    def remove(self, name):
        with self.changed:
            del self.records[name]

    def break_down(self, *types, silently=False):
        """Questions of these types, by default of all, are not answered as they should be."""
        with self.changed:
            self.broken = dict.fromkeys(types or (A, AAAA, SRV), None if silently else SERVFAIL)

    def mend(self):
        with self.changed:
            self.broken = {}

    def times(self, name, kind=A):
        with self.changed:
            return [when for asked, asked_kind, when in self.questions if (asked, asked_kind) == (name, kind)]

    def wait_asked(self, name, count, kind=A):
        """When the name was asked for, once that was so often."""
        with self.changed:
            if not self.changed.wait_for(lambda: len(self.times(name, kind)) >= count, TIMEOUT):
                raise Timeout(f"{name} was asked for {len(self.times(name, kind))} times, not {count}")
        return self.times(name, kind)

    def _run(self):
        while True:
            try:
                data, client = self.socket.recvfrom(4096)
            except OSError:
                return
            if not data:
                return  # close() was called
            answer = self._answer(data)
            if answer:
                self.socket.sendto(answer, client)

    def _answer(self, data):
        labels, at = [], 12
        while data[at]:
            labels.append(data[at + 1 : at + 1 + data[at]].decode().lower())
            at += 1 + data[at]
        kind = struct.unpack("!H", data[at + 1 : at + 3])[0]
        question, name = data[12 : at + 5], ".".join(labels)
        with self.changed:
            self.questions.append((name, kind, time.monotonic()))
            self.changed.notify_all()
            if kind in self.broken:
                return self.broken[kind] and data[:2] + struct.pack("!HHHHH", 0x8180 | SERVFAIL, 1, 0, 0, 0) + question
            found = [record for record in self.records.get(name, []) if record[0] == kind]
            code = 0 if name in self.records else NXDOMAIN
        answers = b"".join(encoded(name) + struct.pack("!HHIH", each, 1, ttl, len(value)) + value
                           for each, ttl, value in found)
        return data[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, len(found), 0, 0) + question + answers

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)  # wakes who receives, though it says that nobody is connected
        except OSError:
            pass
        self.socket.close()

    def check(self):
        pass
