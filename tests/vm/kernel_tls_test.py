#!/usr/bin/env python3
"""What we rely on in the kernel's TLS, each thing by itself: `tests/vm/run -- python3 tests/vm/kernel_tls_test.py`.

Where the kernel has none, these tests are skipped. What is in here is true of Linux 6.1, the oldest that we support."""

import ctypes
import errno
import fcntl
import hmac
import os
import select
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import unittest

import kernel_tls
from kernel_tls import (ALERT, DATA, HANDSHAKE, RECORD_BYTES_MAX, RX, SOL_TLS, SUITES, TX, V1_2, V1_3, connect, keys, pair,
                        receive_exactly, receive_record, send_record, take_over)

SPLICE_NONBLOCK = 2
BYTES = bytes(at * 7 % 251 for at in range(300_000))
CLOSE_NOTIFY = b"\1\0"


def pipe(case):
    reading, writing = os.pipe()
    case.addCleanup(os.close, reading)
    case.addCleanup(os.close, writing)
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 1 << 20)
    return reading, writing


@unittest.skipUnless(kernel_tls.is_there(), "this kernel has no TLS")
class KernelTls(unittest.TestCase):
    def of(self, pair_of_ends):
        for end in pair_of_ends:
            self.addCleanup(end.close)
        return pair_of_ends

    def every_pair(self):
        for name, cipher in SUITES.items():
            for version in (V1_2, V1_3):
                with self.subTest(name, version=hex(version)):
                    yield self.of(pair(version, cipher))

    def arriving(self, end, length):
        """Starts to receive; what it returns waits for all and gives it."""
        got = []
        thread = threading.Thread(target=lambda: got.append(receive_exactly(end, length)))
        thread.start()

        def wait():
            thread.join()
            return got[0]
        return wait

    def assert_errno(self, number, call, *arguments):
        with self.assertRaises(OSError) as raised:
            call(*arguments)
        self.assertEqual(errno.errorcode[raised.exception.errno], errno.errorcode[number])


class Bytes(KernelTls):
    def test_both_ways(self):
        for one, other in self.every_pair():
            arrived = self.arriving(other, len(BYTES))
            one.sendall(BYTES)
            self.assertEqual(arrived(), BYTES)
            other.sendall(b"back")
            self.assertEqual(one.recv(100), b"back")

    def test_what_is_sent_is_encrypted(self):
        one, other = self.of(connect())
        take_over(one, keys())
        one.sendall(BYTES[:1000])
        record = receive_exactly(other, 5 + 1000 + 1 + 16)
        self.assertEqual(record[:5], b"\x17\3\3" + struct.pack(">H", 1017))
        self.assertNotIn(BYTES[:16], record)

    def test_sendfile(self):
        for one, other in self.every_pair():
            arrived = self.arriving(other, len(BYTES))
            with tempfile.TemporaryFile() as file:
                file.write(BYTES)
                file.flush()
                sent = 0
                while sent < len(BYTES):
                    sent += os.sendfile(one.fileno(), file.fileno(), sent, len(BYTES) - sent)
            self.assertEqual(arrived(), BYTES)

    def test_splice_into_it(self):
        for one, other in self.every_pair():
            reading, writing = pipe(self)
            os.write(writing, BYTES)
            arrived = self.arriving(other, len(BYTES))
            sent = 0
            while sent < len(BYTES):
                sent += os.splice(reading, one.fileno(), len(BYTES) - sent)
            self.assertEqual(arrived(), BYTES)

    def test_splice_out_of_it_takes_a_record_at_a_time(self):
        for one, other in self.every_pair():
            reading, writing = pipe(self)
            one.sendall(BYTES[:50_000])
            taken, got = [], b""
            while sum(taken) < 50_000:
                taken.append(os.splice(other.fileno(), writing, 50_000))
                got += os.read(reading, 1 << 20)
            self.assertEqual(got, BYTES[:50_000])
            self.assertLessEqual(max(taken), RECORD_BYTES_MAX)

    def test_splice_that_need_not_wait(self):
        _, other = self.of(pair())
        _, writing = pipe(self)
        self.assert_errno(errno.EAGAIN, lambda: os.splice(other.fileno(), writing, 10, flags=SPLICE_NONBLOCK))

    def test_peek_leaves_everything(self):
        one, other = self.of(pair())
        one.send(b"first")
        self.assertEqual(other.recv(3, socket.MSG_PEEK), b"fir")
        self.assertEqual(other.recv(100), b"first")

    def test_records_that_came_before_the_keys(self):
        one, other = self.of(connect())
        other.setsockopt(kernel_tls.SOL_TCP, kernel_tls.TCP_ULP, b"tls")
        take_over(one, keys())
        one.sendall(b"early")
        one.shutdown(socket.SHUT_WR)
        self.assertEqual(other.recv(1, socket.MSG_PEEK), b"\x17")
        other.setsockopt(SOL_TLS, RX, keys())
        self.assertEqual(other.recv(100), b"early")
        self.assertEqual(other.recv(100), b"")


class ControlRecords(KernelTls):
    def test_only_recvmsg_gets_one(self):
        for one, other in self.every_pair():
            _, writing = pipe(self)
            one.send(b"data")
            send_record(one, ALERT, CLOSE_NOTIFY)
            self.assertEqual(other.recv(100), b"data")
            self.assert_errno(errno.EIO, other.recv, 100)
            self.assert_errno(errno.EINVAL, os.splice, other.fileno(), writing, 100)
            self.assertEqual(receive_record(other), (ALERT, CLOSE_NOTIFY))

    def test_recvmsg_stops_between_kinds(self):
        one, other = self.of(pair())
        for kind, data in ((DATA, b"data"), (HANDSHAKE, b"ticket"), (HANDSHAKE, b"another"), (DATA, b"more")):
            send_record(one, kind, data)
        self.assertEqual([receive_record(other) for _ in range(4)],
                         [(DATA, b"data"), (HANDSHAKE, b"ticket"), (HANDSHAKE, b"another"), (DATA, b"more")])

    def test_an_end_without_a_word_looks_like_one_with(self):
        one, other = self.of(pair())
        one.shutdown(socket.SHUT_WR)
        self.assertEqual(receive_record(other), (None, b""))


class RealClient(KernelTls):
    """OpenSSL at the other end: keys are derived as TLS 1.3 says (RFC 8446, 7.3), and numbers of records go on."""

    def setUp(self):
        made = tempfile.TemporaryDirectory()
        self.addCleanup(made.cleanup)
        self.certificate, self.key, self.secrets = (os.path.join(made.name, name) for name in ("crt", "key", "secrets"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-subj", "/CN=localhost", "-keyout", self.key, "-out", self.certificate],
                       check=True, capture_output=True)

    def server(self, tickets):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(self.certificate, self.key)
        context.num_tickets = tickets
        context.keylog_filename = self.secrets
        return context

    def handshake(self, end, context):
        """A server's; reads only what the handshake has, so that what is behind it stays in the socket."""
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        connection = context.wrap_bio(incoming, outgoing, server_side=True)
        while True:
            try:
                connection.do_handshake()
                end.sendall(outgoing.read())
                return connection
            except ssl.SSLWantReadError:
                end.sendall(outgoing.read())
                head = receive_exactly(end, 5)
                incoming.write(head + receive_exactly(end, struct.unpack(">H", head[3:])[0]))

    def traffic_keys(self, who, name, records):
        with open(self.secrets, encoding="ascii") as file:
            secret = next(bytes.fromhex(line.split()[2]) for line in file if line.startswith(f"{who}_TRAFFIC_SECRET_0 "))
        digest = "sha384" if name.endswith("SHA384") else "sha256"

        def expand(label, length):
            label = b"tls13 " + label
            info = struct.pack(">HB", length, len(label)) + label + b"\0\1"  # one block is enough
            return hmac.digest(secret, info, digest)[:length]
        cipher = {"TLS_AES_256_GCM_SHA384": kernel_tls.AES_256_GCM, "TLS_AES_128_GCM_SHA256": kernel_tls.AES_128_GCM,
                  "TLS_CHACHA20_POLY1305_SHA256": kernel_tls.CHACHA20_POLY1305}[name]
        number, _, key_bytes, salt_bytes = cipher
        vector = expand(b"iv", 12)
        return (struct.pack("HH", V1_3, number) + vector[salt_bytes:] + expand(b"key", key_bytes) + vector[:salt_bytes] +
                struct.pack(">Q", records))

    def test_bytes_and_the_end(self):
        for tickets in (0, 2):
            with self.subTest(tickets=tickets):
                if os.path.exists(self.secrets):
                    os.remove(self.secrets)
                client_end, end = self.of(connect())
                context = ssl.create_default_context(cafile=self.certificate)
                replies = []

                def be_the_client():
                    with context.wrap_socket(client_end, server_hostname="localhost") as client:
                        client.sendall(b"question")
                        replies.append(receive_exactly(client, len(BYTES)))
                        client.sendall(b"thanks")
                        replies.append(client.unwrap() is not None)
                thread = threading.Thread(target=be_the_client)
                thread.start()
                server = self.handshake(end, self.server(tickets))
                name = server.cipher()[0]
                # OpenSSL sends each ticket in a record of its own, which counts.
                take_over(end, self.traffic_keys("SERVER", name, tickets), self.traffic_keys("CLIENT", name, 0))
                self.assertEqual(receive_exactly(end, 8), b"question")
                end.sendall(BYTES)
                self.assertEqual(receive_exactly(end, 6), b"thanks")
                self.assertEqual(receive_record(end), (ALERT, CLOSE_NOTIFY))
                send_record(end, ALERT, CLOSE_NOTIFY)
                thread.join()
                self.assertEqual(replies, [BYTES, True])


class Refusals(KernelTls):
    def test_no_peer_that_has_ended_is_taken_over(self):
        one, other = self.of(connect())
        other.shutdown(socket.SHUT_WR)
        self.assertEqual(one.recv(1), b"")
        self.assert_errno(errno.ENOTCONN, take_over, one)

    def test_a_record_that_was_changed(self):
        one, between = self.of(connect())
        again, other = self.of(connect())
        take_over(one, keys())
        take_over(other, None, keys())
        one.send(b"data")
        record = bytearray(between.recv(100))
        record[-1] ^= 1
        again.sendall(record)
        self.assert_errno(errno.EBADMSG, other.recv, 100)
        self.assert_errno(errno.EBADMSG, other.recv, 100)


class Traps(KernelTls):
    """What we have to go around. Where a kernel does better, a test here fails, and the way around may be questioned."""

    def part_of_a_record(self, length):
        """An end that has the first bytes of a record, and a function that lets it have the others."""
        one, between = self.of(connect())
        again, other = self.of(connect())
        take_over(one, keys())
        take_over(other, None, keys())
        one.send(b"data")
        record = between.recv(100)
        again.sendall(record[:length])
        return other, lambda: again.sendall(record[length:])

    def test_a_poll_hears_of_a_part_of_a_record_which_cannot_be_received(self):
        other, rest = self.part_of_a_record(3)
        self.assertEqual(select.select([other], [], [], 5)[0], [other])
        self.assert_errno(errno.EAGAIN, other.recv, 100, socket.MSG_DONTWAIT)
        rest()
        self.assertEqual(other.recv(100), b"data")

    def test_an_edge_triggered_poll_hears_of_whole_records_only_but_for_the_first_time(self):
        other, rest = self.part_of_a_record(3)
        with select.epoll() as epoll:
            epoll.register(other, select.EPOLLIN | select.EPOLLET)
            self.assertEqual(len(epoll.poll(5)), 1)
            self.assertEqual(epoll.poll(0.1), [])
            rest()
            self.assertEqual(len(epoll.poll(5)), 1)

    def test_what_was_held_back_is_lost_at_the_end(self):
        one, other = self.of(pair())
        one.send(b"data", socket.MSG_MORE)
        one.shutdown(socket.SHUT_WR)
        self.assertEqual(other.recv(100), b"")

    def test_a_connection_cannot_be_aborted_by_connecting_to_nowhere(self):
        one, _ = self.of(pair())
        libc = ctypes.CDLL(None, use_errno=True)
        unspecified = bytes(16)
        self.assertEqual(libc.connect(one.fileno(), unspecified, len(unspecified)), -1)
        self.assertEqual(ctypes.get_errno(), errno.EOPNOTSUPP)

    def full(self):
        """Both ends, one of them full, and how many bytes it took. Its room is small, and less than what is sent."""
        one, other = self.of(connect())
        one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 30_000)
        other.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 30_000)
        take_over(one, keys())
        take_over(other, None, keys())
        taken = 0
        try:
            while True:
                taken += one.send(BYTES[:91_551], socket.MSG_DONTWAIT)
        except BlockingIOError:
            return one, other, taken

    def test_the_last_record_of_a_full_connection_is_lost_at_its_end(self):
        one, other, taken = self.full()
        one.shutdown(socket.SHUT_WR)
        self.assertLess(len(receive_exactly(other, taken)), taken)

    def test_but_not_behind_a_close_notify(self):
        one, other, taken = self.full()
        arrived = self.arriving(other, taken)
        send_record(one, ALERT, CLOSE_NOTIFY)
        one.shutdown(socket.SHUT_WR)
        self.assertEqual(len(arrived()), taken)
        self.assertEqual(receive_record(other), (ALERT, CLOSE_NOTIFY))

    def test_both_directions_have_one_version_and_one_cipher(self):
        one, _ = self.of(connect())
        take_over(one, keys())
        self.assert_errno(errno.EINVAL, one.setsockopt, SOL_TLS, RX, keys(V1_2))
        self.assert_errno(errno.EINVAL, one.setsockopt, SOL_TLS, RX, keys(V1_3, kernel_tls.AES_256_GCM))


class Report(KernelTls):
    """Prints what may differ from kernel to kernel, and fails for nothing."""

    def test_keys_a_second_time(self):
        one, _ = self.of(pair())
        told = []
        for direction in (TX, RX):
            try:
                one.setsockopt(SOL_TLS, direction, keys(seed=50))
                told.append("accepted")
            except OSError as error:
                told.append(errno.errorcode[error.errno])
        print(f"keys a second time, for sending and receiving: {', '.join(told)}", file=sys.stderr)

    def test_kernel(self):
        with open("/proc/net/tls_stat", encoding="ascii") as file:
            counts = " ".join(f"{name}={count}" for name, count in map(str.split, file))
        print(f"kernel {os.uname().release}: {counts}", file=sys.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
