"""What an operator sees: the access log, the admin listener, start-up errors, SIGTERM."""

import os
import re
import signal
import socket
import subprocess
import tempfile
import threading

from support import (BREAKWATER, GET, LAST_CHUNK, LOOPBACK, TIMEOUT, ProxyTest, RawClient, always, answering, get,
                     git_post, main, ok)

SECRET = b"Z2l0OmNhbmFyeS1zZWNyZXQ="


class AccessLog(ProxyTest):
    def test_one_line_a_request_with_all_there_is_to_know(self):
        server = self.server(always(ok(b"hello")))
        proxy = self.proxy(server)
        client = self.client(proxy)
        client.ask(git_post("upload-pack", b"0000"))
        entry = proxy.wait_for_log(lambda entry: True)
        for name, value in {"client": client.address, "method": "POST", "path": "/team/repo.git/git-upload-pack",
                            "git": "upload-pack", "repository": "team/repo", "server": server.address, "status": 200,
                            "bytes_in": 4, "bytes_out": 5, "ended_by": "done", "phase": "done"}.items():
            self.assertEqual(entry[name], value, name)
        self.assertRegex(entry["time"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$")
        for name in ("head_ms", "connect_ms", "first_byte_ms", "total_ms"):
            self.assertGreaterEqual(entry[name], 0)
        client.ask(get(b"/web"))
        self.assertEqual(proxy.wait_for_log(lambda entry: entry["path"] == "/web")["method"], "GET")
        self.assertEqual(len(proxy.log_lines()), 2)

    def test_no_secret_gets_in(self):
        proxy = self.proxy(self.server(always(ok(b"x"))))
        client = self.client(proxy)
        client.ask(get(b"/x?token=canary-secret&a=b&access_token=canary-secret", b"Authorization: Basic " + SECRET,
                       b"Cookie: session=canary-secret", b"Proxy-Authorization: Basic " + SECRET))
        client.ask(get(b"/bad", b"Host: two", b"Authorization: Basic " + SECRET))
        proxy.wait_for_log(lambda entry: entry["path"].startswith("/x"))
        proxy.wait_for_log(lambda entry: entry["status"] == 400)
        self.assertNotIn("canary-secret", proxy.stdout.text() + proxy.stderr.text())
        self.assertNotIn(SECRET.decode(), proxy.stdout.text() + proxy.stderr.text())
        self.assertIn("a=b", proxy.stdout.text())

    def test_what_a_client_sends_cannot_break_a_line(self):
        proxy = self.proxy(self.server(always(ok(b"x"))))
        client = self.client(proxy)
        client.ask(get(b'/"quoted"\\back%0aslash', b'User-Agent: a"b\\c\xff'))
        entry = proxy.wait_for_log(lambda entry: True)  # each line is parsed as JSON
        self.assertEqual(entry["path"], '/"quoted"\\back%0aslash')

    def test_a_file_takes_it_too(self):
        server = self.server(always(ok(b"x")))
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "access.log")
            process = subprocess.Popen([BREAKWATER, "run", "--listen", f"{LOOPBACK}:0", "--backend", server.address, "--log", path,
                                        "--cores", "1"], stderr=subprocess.PIPE)
            try:
                port = int(re.search(rb"listening on \S+:(\d+)", process.stderr.readline())[1])
                client = RawClient(port)
                self.assertEqual(client.ask(GET).body, b"x")
                client.close()
            finally:
                process.terminate()
                process.wait(TIMEOUT)
                process.stderr.close()
            self.assertEqual(process.returncode, 0)
            with open(path, encoding="utf-8") as file:
                self.assertEqual(len(file.readlines()), 1)  # it is written out before the end


class Admin(ProxyTest):
    def test_healthz(self):
        proxy = self.proxy(self.server(always(ok(b"x"))))
        self.assertEqual(proxy.admin("/healthz").status, 200)
        self.assertEqual(proxy.admin("/healthz", b"HEAD").body, b"")

    def test_metrics_move_and_end_as_openmetrics_must(self):
        proxy = self.proxy(self.server(always(ok(b"hello"))))
        before = proxy.metrics()
        client = self.client(proxy)
        for _ in range(3):
            client.ask(GET)
        client.ask(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
        proxy.wait_for_log(lambda entry: entry["status"] == 400)
        reply = proxy.admin("/metrics")
        self.assertRegex(reply.head.value("content-type"), rb"^application/openmetrics-text\b")
        self.assertTrue(reply.body.endswith(b"\n# EOF\n"))
        after = proxy.metrics()
        requests = [name for name in after if re.match(r"breakwater_requests\w*_total", name)]
        self.assertTrue(requests, sorted(after))
        self.assertGreaterEqual(sum(after[name] - before.get(name, 0) for name in requests), 3)
        for name in after:
            self.assertRegex(name, r"^breakwater_")
        for name in ("system_calls", "ring_enters", "wake_ups", "context_switches_voluntary"):
            self.assertGreater(after[f"breakwater_{name}_total"], before[f"breakwater_{name}_total"], name)
        self.assertGreaterEqual(after["breakwater_system_calls_total"], after["breakwater_ring_enters_total"])

    def test_a_request_allocates_nothing(self):
        proxy = self.proxy(self.server(always(ok(b"hello"))))
        client = self.client(proxy)
        for _ in range(10):
            client.ask(GET)
        before = proxy.metrics()["breakwater_allocations_total"]
        for _ in range(50):
            client.ask(GET)
        self.assertEqual(proxy.metrics()["breakwater_allocations_total"], before)
        self.assertGreater(before, 0)

    def test_other_paths_and_methods(self):
        proxy = self.proxy(self.server(always(ok(b"x"))))
        self.assertEqual(proxy.admin("/nope").status, 404)
        self.assertIn(proxy.admin("/metrics", b"DELETE").status, (405, 501))
        client = RawClient(proxy.admin_port)
        self.addCleanup(client.close)
        self.assertEqual(client.ask(b"GET /metrics HTTP/1.1\r\nHost: a\nX: y\r\n\r\n").status, 400)

    def test_paths_of_the_admin_listener_are_the_servers_on_the_other(self):
        server = self.server(always(ok(b"the server's")))
        self.assertEqual(self.client(self.proxy(server)).ask(get(b"/metrics")).body, b"the server's")


class StartUp(ProxyTest):
    def start_in_vain(self, *arguments):
        done = subprocess.run([BREAKWATER, "run", *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT * 2,
                              text=True, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertGreater(done.returncode, 0, "ended by a signal")
        self.assertNotIn("listening on", done.stderr)
        self.assertEqual(done.stdout, "")
        return done

    def test_port_in_use(self):
        with socket.create_server((LOOPBACK, 0)) as taken:
            port = taken.getsockname()[1]
            done = self.start_in_vain("--listen", f"{LOOPBACK}:{port}", "--backend", f"{LOOPBACK}:1")
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn(f"{LOOPBACK}:{port}", done.stderr)
        self.assertIn("in use", done.stderr)

    def test_admin_port_in_use(self):
        with socket.create_server((LOOPBACK, 0)) as taken:
            port = taken.getsockname()[1]
            done = self.start_in_vain("--listen", f"{LOOPBACK}:0", "--backend", f"{LOOPBACK}:1", "--admin", f"{LOOPBACK}:{port}")
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn(f"{LOOPBACK}:{port}", done.stderr)

    def test_unknown_host(self):
        done = self.start_in_vain("--listen", f"{LOOPBACK}:0", "--backend", "no-such-host.invalid:3000")
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn("no-such-host.invalid", done.stderr)

    def test_log_that_cannot_be_written(self):
        done = self.start_in_vain("--listen", f"{LOOPBACK}:0", "--backend", f"{LOOPBACK}:1", "--log", "/no/such/folder/access.log")
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn("/no/such/folder/access.log", done.stderr)

    def test_missing_file(self):
        done = self.start_in_vain("-f", "/no/such/file.toml")
        self.assertEqual(done.returncode, 2)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn("/no/such/file.toml", done.stderr)

    def test_every_error_of_a_file_at_once_with_place_caret_and_suggestion(self):
        text = ('[listen.git]\nbind = "127.0.0.1:0"\npool = "gogz"\n[pool.gogs]\nservers = ["127.0.0.1:3000"]\n'
                '[timeouts]\nidel = "5m"\nhead = 10\n[limitz]\nconnections = 5\n')
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "breakwater.toml")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            done = self.start_in_vain("-f", path)
        self.assertEqual(done.returncode, 2)
        for line in (3, 7, 8, 9):
            self.assertRegex(done.stderr, rf"(?m)^{re.escape(path)}:{line}:\d+: error: ")
        self.assertIn("`idle`", done.stderr)
        self.assertIn("gogs", done.stderr)
        self.assertGreaterEqual(len(re.findall(r"(?m)^\s*\|\s*\^", done.stderr)), 4, done.stderr)
        self.assertIn('idel = "5m"', done.stderr)

    def test_a_file_that_is_no_toml(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "breakwater.toml")
            with open(path, "w", encoding="utf-8") as file:
                file.write("[listen.git\nbind = \n")
            done = self.start_in_vain("-f", path)
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, rf"(?m)^{re.escape(path)}:1:\d+: error: ")

    def test_check_took_more_buffers_than_the_kernel_takes(self):
        for key in ("head_buffers", "bulk_buffers"):
            with self.subTest(key=key), tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "breakwater.toml")
                for count, status in ((32768, 0), (32769, 2)):
                    with open(path, "w", encoding="utf-8") as file:
                        file.write(f'[listen.a]\nbind = "{LOOPBACK}:0"\n[pool.a]\nservers = ["{LOOPBACK}:1"]\n[limits]\n{key} = {count}\n')
                    checked = subprocess.run([BREAKWATER, "check", "-f", path], capture_output=True, timeout=TIMEOUT, check=False)
                    self.assertEqual(checked.returncode, status, checked.stderr)
                    if status != 0:
                        self.start_in_vain("-f", path)
            self.proxy(f"{LOOPBACK}:1", tables=f"[limits]\n{key} = 32768\n").stop()  # what is allowed works

    def test_no_addresses(self):
        self.assertEqual(self.start_in_vain().returncode, 2)

    def test_an_empty_file_is_not_called_missing(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "empty.toml")
            with open(path, "w", encoding="utf-8"):
                pass
            done = self.start_in_vain("-f", path)
        self.assertEqual(done.returncode, 2)
        self.assertNotIn("No such file", done.stderr)
        self.assertIn("[listen.", done.stderr)  # what it must have at the least

    def test_a_start_in_vain_leaves_no_pid_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "pid")
            command = [BREAKWATER, "run", "--listen", f"{LOOPBACK}:0", "--backend", f"{LOOPBACK}:1", "--cores", "1", "--log", "off",
                       "--pid-file", path]
            failed = 0
            for descriptors in range(4, 12):  # the listener, the mailbox, the ring: each of them is the first to fail once
                limited = f'ulimit -n {descriptors}; exec "$@"'
                process = subprocess.Popen(["sh", "-c", limited, "sh", *command], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
                with process:
                    said = process.stderr.readline()
                    process.terminate()
                    said += process.stderr.read()
                    process.wait(TIMEOUT)
                failed += b"listening on" not in said
                self.assertFalse(os.path.exists(path), said)
            self.assertGreater(failed, 0)


class PidFile(ProxyTest):
    """Written once it listens, gone with the process, and never taken away from another one."""

    def start(self, path):
        process = subprocess.Popen([BREAKWATER, "run", "--listen", f"{LOOPBACK}:0", "--backend", f"{LOOPBACK}:1", "--cores", "1",
                                    "--log", "off", "--pid-file", path], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertIn(b"listening on", process.stderr.readline())
        return process

    def read(self, path):
        with open(path, encoding="utf-8") as file:
            return file.read()

    def stop(self, process):
        process.terminate()
        self.assertEqual(process.wait(TIMEOUT), 0)

    def test_it_holds_the_process_id_and_goes_with_it(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "pid")
            process = self.start(path)
            self.assertEqual(self.read(path), f"{process.pid}\n")
            self.stop(process)
            self.assertFalse(os.path.exists(path))

    def test_the_old_one_that_still_drained_took_the_new_ones_pid_file_with_it(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "pid")
            old = self.start(path)
            new = self.start(path)
            self.stop(old)
            self.assertEqual(self.read(path), f"{new.pid}\n")
            self.stop(new)
            self.assertFalse(os.path.exists(path))


class Hangup(ProxyTest):
    """SIGHUP: a log that was moved away is opened anew; nobody is disturbed. It does not read the configuration again."""

    def start(self, log):
        server = self.server(always(ok(b"hello")))
        process = subprocess.Popen([BREAKWATER, "run", "--listen", f"{LOOPBACK}:0", "--backend", server.address, "--cores", "1",
                                    "--log", log], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.stderr = process.stderr
        client = RawClient(int(re.search(rb"listening on \S+:(\d+)", process.stderr.readline())[1]))
        self.clients.append(client)
        return process, client

    def end(self, process):
        process.terminate()
        self.assertEqual(process.wait(TIMEOUT), 0)

    def lines(self, path):
        with open(path, encoding="utf-8") as file:
            return len(file.readlines())

    def test_it_ended_the_process_without_a_word(self):
        process, client = self.start("off")
        client.ask(GET)
        for _ in range(2):
            process.send_signal(signal.SIGHUP)
            self.assertIn(b"asked to open the log anew", self.stderr.readline())
            self.assertEqual(client.ask(GET).body, b"hello")
        self.end(process)

    def test_a_log_that_was_moved_away_is_opened_anew(self):
        with tempfile.TemporaryDirectory() as folder:
            path, moved = os.path.join(folder, "access.log"), os.path.join(folder, "access.log.1")
            process, client = self.start(path)
            client.ask(GET)
            os.rename(path, moved)
            process.send_signal(signal.SIGHUP)
            self.assertIn(b"opened anew", self.stderr.readline())
            client.ask(GET)
            client.ask(GET)
            self.end(process)
            self.assertEqual((self.lines(moved), self.lines(path)), (1, 2))

    def test_a_log_that_cannot_be_opened_anew_goes_on_where_it_was(self):
        with tempfile.TemporaryDirectory() as folder:
            path, moved = os.path.join(folder, "access.log"), os.path.join(folder, "access.log.1")
            process, client = self.start(path)
            client.ask(GET)
            os.rename(path, moved)
            os.mkdir(path)
            process.send_signal(signal.SIGHUP)
            said = self.stderr.readline()
            self.assertIn(path.encode(), said)
            self.assertIn(b"can't be opened", said)
            client.ask(GET)
            self.end(process)
            self.assertEqual(self.lines(moved), 2)

    def test_while_it_drains_it_is_no_second_signal(self):
        process, client = self.start("off")
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab")
        self.servers[0].connection(0).wait_received(b"ab")
        process.terminate()
        self.assertIn(b"draining", self.stderr.readline())
        process.send_signal(signal.SIGHUP)
        client.send(b"cde")
        self.assertEqual(client.recv_response().body, b"hello")
        self.assertEqual(process.wait(TIMEOUT), 0)


class Stopping(ProxyTest):
    def test_a_proxy_that_has_done_nothing_ends(self):
        proxy = self.proxy(self.server(always(ok(b"x"))))
        proxy.stop()

    def test_idle_clients_and_idle_server_connections_do_not_hold_it_up(self):
        server = self.server(always(ok(b"x")))
        proxy = self.proxy(server)
        clients = [self.client(proxy) for _ in range(5)]
        for client in clients[1:]:
            client.ask(GET)
        proxy.signal()
        self.assertEqual(proxy.wait_exit(), 0)
        for client in clients:
            client.recv_until_close()
        server.connection(0).wait_end()

    def test_a_head_that_has_only_begun_does_not_hold_it_up(self):
        for requests_before in (0, 1):
            proxy = self.proxy(self.server(always(ok(b"x"))))
            client = self.client(proxy)
            for _ in range(requests_before):
                client.ask(GET)
            client.send(b"GET / HT")
            proxy.signal()
            self.assertEqual(proxy.wait_exit(), 0)

    def running(self):
        """A proxy that drains while a transfer runs; `self.tell` lets the server go on."""
        self.tell = threading.Event()

        def script(peer):
            peer.answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nPACK0\r\n")
            self.tell.wait(TIMEOUT)
            peer.try_send(b"5\r\nPACK1\r\n" + LAST_CHUNK)

        self.backend = self.server(script)
        proxy = self.proxy(self.backend)
        client = self.client(proxy)
        client.send(git_post("upload-pack", b"0000"))
        client.read_until(b"PACK0")
        proxy.signal()
        proxy.stderr.wait_for(lambda line: line if "drain" in line else None)
        return proxy, client

    def test_a_running_transfer_finishes_and_nobody_new_is_served(self):
        proxy, client = self.running()
        with self.assertRaises(OSError):
            # The listener closes after it says so; until then a connection is closed unserved, or told that TLS is spoken here.
            for _ in range(1000):
                late = RawClient(proxy.port)
                late.send(GET)
                self.assertIn(late.read_until_end()[:12], (b"", b"HTTP/1.1 400"))
                late.close()
        self.assertEqual(proxy.admin("/healthz").status, 503)
        self.tell.set()
        client.read_until(b"PACK1\r\n" + LAST_CHUNK)
        self.assert_closed(client)
        self.assertEqual(proxy.wait_exit(), 0)
        self.assertEqual(len(self.backend.connections), 1)

    def test_a_second_signal_ends_at_once_and_completes_nothing(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            proxy, client = self.running()
            proxy.signal(number)
            proxy.wait_exit()
            client.recv_until_close()
            self.assertNotIn(b"PACK1", client.record)
            self.assertFalse(bytes(client.record).endswith(LAST_CHUNK))
            self.tell.set()
            self.backend.connection(0).wait_end()

    def test_a_drain_deadline_ends_what_is_still_running(self):
        server = self.server(answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nPACK0\r\n"))
        proxy = self.proxy(server, tables='[timeouts]\ndrain = "200ms"\n')
        client = self.client(proxy)
        client.send(git_post("upload-pack", b"0000"))
        client.read_until(b"PACK0")
        proxy.signal()
        proxy.wait_exit()
        client.recv_until_close()
        self.assertFalse(bytes(client.record).endswith(LAST_CHUNK))

    def test_a_stop_resets_a_client_whose_body_would_end_with_the_connection(self):
        """An orderly end would tell a client of HTTP/1.0 that the body is whole."""
        server = self.server(answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nPACK0\r\n"))
        proxy = self.proxy(server, tables='[timeouts]\ndrain = "100ms"\n')
        client = self.client(proxy)
        client.send(b"GET / HTTP/1.0\r\nHost: a\r\n\r\n")
        client.read_until(b"PACK0")
        proxy.signal()
        proxy.wait_exit()
        client.read_until_end_keeping()
        self.assertEqual(client.ended, "reset")


if __name__ == "__main__":
    main()
