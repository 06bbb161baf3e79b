"""network.py's network, made of veth pairs and the kernel's own netem: the same places, paths and faults, for a kernel that has both.

Two places that are connected have a veth pair of their own, with an MTU of 1500 and no segment larger than that, and netem at both of its ends. Its
address a place has at its loopback interface. What is "after so many bytes" is seen here by looking at the interface's count every millisecond, so it
comes some packets later. The kernel throws the dice: a seed means nothing. Python's standard library only.
"""

import json
import subprocess
import threading
import time
import unittest
from dataclasses import dataclass

from network import MTU, Host, ip, tool

QUEUE_PACKETS = 2000
ETHERNET_HEADER_BYTES = 14


class Place(Host):
    device, prefix = "lo", 32

    def set_up(self):
        self.give_address()
        self.ways = {}  # to other places: the interface
        # Who stays in the namespace, so that an interface can be sent there. It ends with its input, and so with us.
        self.inhabitant = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)

    def add_way(self, other, device):
        with self.entered():
            ip("link", "set", device, "mtu", MTU, "gso_max_segs", 1, "txqueuelen", QUEUE_PACKETS, "up")
        self.ways[other] = device
        self.add_route(other)

    def add_route(self, other):
        with self.entered():
            ip("route", "replace", f"{other.address}/32", "dev", self.ways[other], "src", self.address)

    def get_address_back(self):
        super().get_address_back()
        for other in self.ways:
            self.add_route(other)

    def close(self):
        self.inhabitant.stdin.close()
        self.inhabitant.wait()
        super().close()


@dataclass
class Count:
    """What the kernel tells of one direction."""

    lost: int
    faults: set  # which netem makes there
    packet_bytes: float  # on average

    def fewest(self):
        """Only losses are counted one by one."""
        return self.lost if self.faults >= {"delay", "loss-random", "duplicate", "corrupt"} else 0

    def is_cut_to_mtu(self):
        """Most packets of a transfer are full ones."""
        return MTU / 2 < self.packet_bytes <= MTU + ETHERNET_HEADER_BYTES


class Network:
    def __init__(self, _seed):
        self.places = []
        self.watching = []
        self.stopping = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stopping = True
        for thread in self.watching:
            thread.join()
        for place in self.places:
            place.close()

    def place(self, name):
        try:
            made = Place(name, len(self.places) + 1)
            self.places.append(made)
            with made.entered():  # whether there is netem at all
                tool("tc", "qdisc", "add", "dev", "lo", "root", "netem", "limit", QUEUE_PACKETS)
                tool("tc", "qdisc", "delete", "dev", "lo", "root")
        except OSError as error:
            raise unittest.SkipTest(f"no networks of our own with netem here: {error}") from error
        return made

    def connect(self, one, other, path):
        """Both directions. A pair that is not connected has no way to each other."""
        if other not in one.ways:
            there, back = f"to-{other.name}", f"to-{one.name}"
            with one.entered():
                ip("link", "add", there, "type", "veth", "peer", "name", back, "netns", other.inhabitant.pid)
            one.add_way(other, there)
            other.add_way(one, back)
        self.set(one, other, path)
        self.set(other, one, path)

    def set(self, source, target, path):
        """One direction."""
        jitter_ms = path.jitter_ms / 2  # theirs goes both ways
        loss = 1 if path.parted else path.loss
        with source.entered():
            tool("tc", "qdisc", "replace", "dev", source.ways[target], "root", "netem", "limit", QUEUE_PACKETS,
                 "delay", f"{path.delay_ms + jitter_ms}ms", f"{jitter_ms}ms", "loss", f"{loss:.2%}",
                 "duplicate", f"{path.repeats:.2%}", "corrupt", f"{path.damage:.2%}")

    def count(self, source, target):
        with source.entered():
            told = json.loads(tool("tc", "-s", "-j", "qdisc", "show", "dev", source.ways[target]))[0]
            sent_bytes, packets = self.sent(source.ways[target])
        return Count(lost=told["drops"], faults=set(told["options"]), packet_bytes=sent_bytes / packets)

    def after(self, source, target, payload_bytes, action):
        """Calls it when so many more bytes have gone this way; the returned event is set then."""
        happened = threading.Event()
        device = source.ways[target]
        with source.entered():
            wanted = self.sent(device)[0] + payload_bytes

        def watch():
            with source.entered():
                while self.sent(device)[0] < wanted:
                    if self.stopping:
                        return
                    time.sleep(0.001)
            action()
            happened.set()

        self.watching.append(threading.Thread(target=watch))
        self.watching[-1].start()
        return happened

    @staticmethod
    def sent(device):
        """Bytes and packets, of this thread's namespace."""
        with open("/proc/thread-self/net/dev") as table:
            line = next(line for line in table if line.strip().startswith(device + ":"))
        return tuple(map(int, line.partition(":")[2].split()[8:10]))

    def start(self):
        """Nothing is to be done: the kernel runs it."""
