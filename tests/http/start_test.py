"""What an operator meets first: the start and what is said when it fails, signals, `check`, a restart."""

import signal
import unittest

from support import GET, ProxyTest, always, main, ok


class Signals(ProxyTest):
    def test_those_that_mean_nothing_cut_no_transfer(self):
        """They ended the process at once, and with it every transfer."""
        front = self.proxy(self.server(always(ok(b"served"))))
        client = self.client(front)
        for number in (signal.SIGUSR2, signal.SIGALRM, signal.SIGVTALRM, signal.SIGPIPE):
            front.signal(number)
            self.assertEqual(client.ask(GET).body, b"served", number)
        front.stop()

    def test_usr1_is_hup_for_those_who_know_it_from_elsewhere(self):
        front = self.proxy(self.server(always(ok(b"served"))))
        client = self.client(front)
        front.signal(signal.SIGUSR1)
        self.assertIsNotNone(front.stderr.wait_for(lambda line: "log file" in line), front.stderr.text())
        self.assertEqual(client.ask(GET).body, b"served")

    def test_quit_drains(self):
        """It dumped core."""
        front = self.proxy(self.server(always(ok(b"served"))))
        self.assertEqual(self.client(front).ask(GET).body, b"served")
        front.signal(signal.SIGQUIT)
        self.assertEqual(front.wait_exit(), 0)
        self.assertIn("draining", front.stderr.text())


if __name__ == "__main__":
    main()
