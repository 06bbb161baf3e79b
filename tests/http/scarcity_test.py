#!/usr/bin/env python3
"""Out of descriptors, buffers and pipes; io_uring denied. New work waits or is refused, running work goes on, and a counter
or a sentence says so.
"""

import ctypes
import os
import resource
import struct
import subprocess
import tempfile
import threading
import unittest

import support
from support import BREAKWATER, ProxyTest, always, get, main, ok

BODY = os.urandom(300_000)
IO_URING_SETUP = 425  # on every architecture
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO, EPERM = 0x7FFF0000, 0x00050000, 1


def deny_io_uring():
    """As container runtimes do by default: the system call answers EPERM. Runs in the child before it starts."""
    program = b"".join(struct.pack("HBBI", *instruction) for instruction in (
        (0x20, 0, 0, 0),                                # load the system call's number
        (0x15, 0, 1, IO_URING_SETUP),                   # is it this one?
        (0x06, 0, 0, SECCOMP_RET_ERRNO | EPERM),
        (0x06, 0, 0, SECCOMP_RET_ALLOW)))
    buffer = ctypes.create_string_buffer(program)
    header = struct.pack("HP", 4, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.create_string_buffer(header), 0, 0) != 0:
        os._exit(99)


class Denied(unittest.TestCase):
    def test_a_denied_io_uring_is_said_with_its_cure(self):
        command = [BREAKWATER, "run", "--listen", "127.0.0.1:0", "--backend", "127.0.0.1:1"]
        result = subprocess.run(command, capture_output=True, text=True, timeout=20, preexec_fn=deny_io_uring, check=False)
        self.assertEqual(result.returncode, 1)
        self.assertIn("denies io_uring", result.stderr)
        self.assertIn("kernel.io_uring_disabled", result.stderr)
        self.assertIn("seccomp", result.stderr)
        self.assertEqual(result.stderr.count("\n"), 1)


class Scarce(ProxyTest):
    def test_bodies_pass_without_pipes_and_with_few_buffers(self):
        server = self.server(*[always(ok(BODY))] * 40)
        proxy = self.proxy(server, tables='[limits]\npipes = 0\nhead_buffers = 16\nbulk_buffers = 4\n')
        clients = [self.client(proxy) for _ in range(40)]
        for client in clients:
            client.send(get(b"/x"))
        for client in clients:
            self.assertEqual(client.recv_response().body, BODY)
        self.assertEqual(proxy.metrics()["breakwater_bytes_spliced_total"], 0)

    def test_a_missing_pipe_is_counted_and_the_body_is_copied(self):
        begun = threading.Event()

        def script(peer):
            answer = ok(BODY)
            split = len(answer) - len(BODY) + 10
            peer.answer(answer[:split])
            begun.wait(support.TIMEOUT)
            peer.send(answer[split:])

        proxy = self.proxy(self.server(script), tables='[limits]\npipes = 0\n')
        client = self.client(proxy)
        client.send(get(b"/x"))
        client.read_until(BODY[:10])  # so nothing of the body is in a buffer, and a pipe would be worth it
        begun.set()
        client.read_exact(len(BODY) - 10)
        self.assertTrue(bytes(client.record).endswith(BODY))
        counted = proxy.metrics()
        self.assertEqual(counted["breakwater_pipe_misses_total"], 1)
        self.assertEqual(counted["breakwater_bytes_spliced_total"], 0)

    def test_out_of_descriptors_running_work_goes_on_and_new_work_waits(self):
        # The kernel reads an accept's limit when it is armed, so the limit is there from the start.
        program = os.path.join(self.enterContext(tempfile.TemporaryDirectory()), "limited")
        with open(program, "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\nulimit -n 40\nexec {BREAKWATER} "$@"\n')
        os.chmod(program, 0o755)
        proxy = self.proxy(self.server(*[always(ok(b"x"))] * 300), tables="[limits]\npipes = 0\n", program=(program,))
        running = self.client(proxy)
        self.assertEqual(running.ask(get(b"/before")).body, b"x")
        crowd = [self.client(proxy) for _ in range(60)]  # more than there are descriptors: the rest stays in the backlog
        self.assertEqual(running.ask(get(b"/during")).body, b"x")
        for client in crowd:
            client.close()
        self.wait_until(lambda: proxy.metrics()["breakwater_accept_pauses_total"] > 0, "accepting did not pause")
        self.assertEqual(self.client(proxy).ask(get(b"/after")).body, b"x")

    def test_no_descriptor_for_the_server_is_a_503(self):
        server = self.server(*[always(ok(b"x"))] * 10)
        proxy = self.proxy(server, tables="[limits]\npipes = 0\nservers_idle = 0\n")
        client = self.client(proxy)
        self.assertEqual(client.ask(get(b"/before")).body, b"x")
        self.wait_until(lambda: proxy.metrics()["breakwater_server_connections_open"] == 0, "a connection to the server stays")
        before = resource.prlimit(proxy.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(proxy.process.pid, resource.RLIMIT_NOFILE, (1, before[1]))  # new ones would be above it
        reply = client.ask(get(b"/during"))
        entry = self.assert_own_reply(proxy, reply, 503, "proxy")
        self.assertEqual((entry["ended_by"], entry["reason"]), ("proxy", "proxy no_descriptors"))
        resource.prlimit(proxy.process.pid, resource.RLIMIT_NOFILE, before)
        self.assertEqual(self.client(proxy).ask(get(b"/after")).body, b"x")
        self.assertEqual(proxy.metrics()["breakwater_requests_refused_total"], 1)


if __name__ == "__main__":
    main()
