"""What comes while a request is still being sent: in a network namespace of its own, whose sockets hold next to nothing."""

import os
import socket
import subprocess
import sys

from support import ProxyTest, ScriptedServer, always, git_post, main, ok
from upload_pack_framing_test import ANSWER_V2, OID, RESULT, line

SKIPPED = 77
INSIDE = "BREAKWATER_SMALL_BUFFERS"
SET_UP = "ip link set lo up && echo 4096 4096 4096 > /proc/sys/net/ipv4/tcp_wmem"


class SmallServer(ScriptedServer):
    def _listen(self):
        super()._listen()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)


class UselessAnswer(ProxyTest):
    def test_one_that_comes_before_the_request_was_read_is_replaced(self):
        body = b"".join(line(b"want " + OID + b"\n") for _ in range(320)) + b"0000" + line(b"done\n")

        def script(peer):
            peer.read_exact(1)
            peer.send(ok(b"no", status=b"503 Busy"))
            good.connection(0).wait_requests(1)

        good = self.server(always(ok(ANSWER_V2, RESULT)))
        bad = self.keep(SmallServer(script))
        reply = self.client(self.proxy(bad, good)).ask(git_post("upload-pack", body))
        self.assertEqual((reply.status, reply.body), (200, ANSWER_V2))


if __name__ == "__main__":
    if INSIDE not in os.environ:
        if subprocess.run(["unshare", "-n", "sh", "-c", SET_UP], capture_output=True, check=False).returncode != 0:
            print("skipped: no network namespace may be made here")
            sys.exit(SKIPPED)
        os.environ[INSIDE] = "1"
        os.execvp("unshare", ["unshare", "-n", "sh", "-c", f'{SET_UP} && exec "$0" "$@"', sys.executable, *sys.argv])
    main()
