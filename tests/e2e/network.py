"""A network that the test makes itself: places with addresses of their own, and paths between them that lose, delay, reorder, repeat and
damage packets, or pass none.

    network = Network(seed=1)                # a context manager
    client, edge = network.place("client"), network.place("edge")
    network.connect(client, edge, Path(delay_ms=5, loss=0.01))
    with client.entered():                   # sockets and processes made in here live there
        ...

A place is a network namespace whose only way out is a TUN interface with an MTU of 1500. A thread of ours reads the IP packets, decides on
each by dice, and writes it to where it belongs: what the TCP of the kernel meets is real loss and real disorder. netem does the same
(netem.py), but not every kernel has it; TUN is nearly everywhere, and says exactly how many bytes had passed when something happened. What has
no namespaces or no TUN raises unittest.SkipTest. Python's standard library only.
"""

import ctypes
import fcntl
import heapq
import os
import random
import select
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
import unittest
from contextlib import contextmanager
from dataclasses import dataclass, field

MTU = 1500
CLONE_NEWNET = 0x40000000
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
IP_HEADER_BYTES, TCP_HEADER_BYTES = 20, 20
MARK = "BREAKWATER_NETWORK_INSIDE"
libc = ctypes.CDLL(None, use_errno=True)


def become_able():
    """Whoever is not root starts this program again in a user namespace, where making networks is allowed; to be called first.

    With a network that belongs to it: nobody may come back into one that does not."""
    if os.geteuid() == 0 or MARK in os.environ:
        return
    words = ["unshare", "--user", "--net", "--map-current-user", "--keep-caps"]
    if shutil.which("unshare") and subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0:
        os.environ[MARK] = "1"
        os.execvp(words[0], [*words, sys.executable, *sys.argv])


def call(name, *arguments):
    if getattr(libc, name)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), f"{name}: {os.strerror(ctypes.get_errno())}")


def tool(*words):
    ran = subprocess.run([*map(str, words)], capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        raise OSError(f"{' '.join(map(str, words))}: {ran.stderr.strip()}")
    return ran.stdout


def ip(*words):
    return tool("ip", *words)


class Host:
    """A network namespace with an address, which may be taken away and given back; by what it reaches others is the subclass's, which says at
    what device the address is and how long the prefix of its network."""

    def __init__(self, name, number):
        self.name, self.address = name, f"10.83.0.{number}"
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            call("unshare", CLONE_NEWNET)
            self.namespace = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
            ip("link", "set", "lo", "up")
            self.set_up()
        finally:
            call("setns", home, CLONE_NEWNET)
            os.close(home)

    @contextmanager
    def entered(self):
        """For this thread; what it starts meanwhile, threads and processes, stays."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        call("setns", self.namespace, CLONE_NEWNET)
        try:
            yield self
        finally:
            call("setns", home, CLONE_NEWNET)
            os.close(home)

    def give_address(self):
        ip("address", "add", f"{self.address}/{self.prefix}", "dev", self.device)

    def lose_address(self):
        """Its connections stay, and nothing that comes for them is its own any more."""
        with self.entered():
            ip("address", "delete", f"{self.address}/{self.prefix}", "dev", self.device)

    def get_address_back(self):
        """With what went with it."""
        with self.entered():
            self.give_address()

    def close(self):
        os.close(self.namespace)


class Place(Host):
    device, prefix = "wire", 24

    def set_up(self):
        self.wire = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(self.wire, TUNSETIFF, struct.pack("16sH22x", b"wire", IFF_TUN | IFF_NO_PI))
        self.give_address()
        ip("link", "set", "wire", "mtu", MTU, "txqueuelen", 2000, "up")

    def close(self):
        os.close(self.wire)
        super().close()


@dataclass
class Path:
    """What happens to packets of one direction; shares are from 0 to 1."""

    delay_ms: float = 0
    jitter_ms: float = 0  # more, by dice for each packet: so they overtake each other
    loss: float = 0
    repeats: float = 0
    damage: float = 0     # a bit is turned, which the checksum of TCP finds
    parted: bool = False  # nothing passes


@dataclass
class Count:
    """What one direction has had."""

    packets: int = 0
    payload_bytes: int = 0  # of TCP, passed on or not
    lost: int = 0
    repeated: int = 0
    damaged: int = 0
    delayed: int = 0
    size_max: int = 0  # of a packet
    due: list = field(default_factory=list)  # (payload_bytes, what to do then)

    def fewest(self):
        """Of the fault that came least often."""
        return min(self.lost, self.repeated, self.damaged, self.delayed)

    def is_cut_to_mtu(self):
        return self.size_max == MTU


class Network:
    def __init__(self, seed):
        self.dice = random.Random(seed)
        self.places, self.paths, self.counts = {}, {}, {}
        self.waiting, self.sent = [], 0  # (when, number, to which wire, packet)
        self.wake_from, self.wake_to = os.pipe()
        self.stopping = False
        self.errors = []
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stopping = True
        os.write(self.wake_to, b"x")
        if self.thread.is_alive():
            self.thread.join()
        for place in self.places.values():
            place.close()
        os.close(self.wake_from)
        os.close(self.wake_to)
        if self.errors:
            raise self.errors[0]

    def place(self, name):
        assert not self.thread.is_alive(), "places come before start()"
        try:
            made = Place(name, len(self.places) + 1)
        except OSError as error:
            raise unittest.SkipTest(f"no networks of our own here: {error}") from error
        self.places[socket.inet_aton(made.address)] = made
        return made

    def connect(self, one, other, path):
        """Both directions. A pair that is not connected has no way to each other."""
        for pair in ((one, other), (other, one)):
            self.paths[self.key(*pair)] = path
            self.counts.setdefault(self.key(*pair), Count())

    def set(self, source, target, path):
        """One direction."""
        self.paths[self.key(source, target)] = path

    def count(self, source, target):
        return self.counts[self.key(source, target)]

    def after(self, source, target, payload_bytes, action):
        """Calls it when so many more bytes have gone this way; the returned event is set then. It runs between two packets."""
        count, happened = self.count(source, target), threading.Event()

        def act():
            action()
            happened.set()

        count.due.append((count.payload_bytes + payload_bytes, act))
        return happened

    @staticmethod
    def key(source, target):
        return socket.inet_aton(source.address) + socket.inet_aton(target.address)

    def start(self):
        self.thread.start()

    def run(self):
        try:
            wires = [place.wire for place in self.places.values()]
            while not self.stopping:
                wait = max(0, self.waiting[0][0] - time.monotonic()) if self.waiting else None
                for wire in select.select([*wires, self.wake_from], [], [], wait)[0]:
                    if wire != self.wake_from:
                        self.take_from(wire)
                self.send_due()
        except BaseException as error:  # the test must hear of it
            self.errors.append(error)

    def take_from(self, wire):
        for _ in range(64):  # then the others have their turn
            try:
                packet = os.read(wire, 65536)
            except BlockingIOError:
                return
            self.judge(packet)

    def judge(self, packet):
        path = self.paths.get(packet[12:20])
        if packet[0] >> 4 != 4 or path is None:
            return
        count = self.counts[packet[12:20]]
        count.packets += 1
        count.size_max = max(count.size_max, len(packet))
        if packet[9] == socket.IPPROTO_TCP:
            count.payload_bytes += len(packet) - IP_HEADER_BYTES - (packet[IP_HEADER_BYTES + 12] >> 4) * 4
        if path.parted or self.dice.random() < path.loss:
            count.lost += 1
        else:
            if self.dice.random() < path.damage and len(packet) > IP_HEADER_BYTES + TCP_HEADER_BYTES:
                count.damaged += 1
                packet = self.damaged(packet)
            self.pass_on(packet, path, count)
            if self.dice.random() < path.repeats:
                count.repeated += 1
                self.pass_on(packet, path, count)
        while count.due and count.payload_bytes >= count.due[0][0]:
            count.due.pop(0)[1]()

    def damaged(self, packet):
        changed = bytearray(packet)
        changed[self.dice.randrange(IP_HEADER_BYTES, len(packet))] ^= 1 << self.dice.randrange(8)
        return bytes(changed)

    def pass_on(self, packet, path, count):
        wire = self.places[packet[16:20]].wire
        delay_ms = path.delay_ms + self.dice.random() * path.jitter_ms
        if delay_ms == 0:
            self.write(wire, packet)
            return
        count.delayed += 1
        self.sent += 1
        heapq.heappush(self.waiting, (time.monotonic() + delay_ms / 1000, self.sent, wire, packet))

    def send_due(self):
        now = time.monotonic()
        while self.waiting and self.waiting[0][0] <= now:
            _, _, wire, packet = heapq.heappop(self.waiting)
            self.write(wire, packet)

    @staticmethod
    def write(wire, packet):
        try:
            os.write(wire, packet)
        except OSError:
            pass  # a host whose interface is down, or whose queue is full: lost
