#!/usr/bin/env python3
"""A server that goes on to answer, but wrongly, while real git works: what do its users notice?

A relay of ours in front of one of three real servers resets, closes, or answers with something else. What fails before
an answer began is had from another server. A pack that was cut fails loudly, and the next operation goes well.
"""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from relay import Relay, answering, cut_before_pack, cut_in_body, cut_in_head, failing_git, page, shortened_pack  # noqa: E402
from traffic import Reads, Scenario  # noqa: E402

CHUNKED = 'upload_pack_framing = "chunked"\n'
MIDDLE_OF_A_PACK = 500_000
MIDDLE_OF_REFS = 100       # before the last capability
FIRST_WORDS = 10           # within "version 2", the chunk line included
ERROR_PAGE = page("500 Internal Server Error", "text/plain", b"the database is gone\n")
WEB_PAGE = page("200 OK", "text/html; charset=utf-8", b"<!DOCTYPE html><title>We will be back soon</title>\n")
TIMES = 3


class BrokenAnswers(Scenario):
    operations, before = 50, 20

    def harm(self, name, fault, times=None, **git):
        work = Reads(self.git, self.url, self.origin, **git)
        self.play(name, lambda stream: self.relay.misbehave(fault, times), work=work,
                  enough=lambda: len(self.relay.harmed) >= (times or 1))


class NothingIsNoticed(BrokenAnswers):
    """The server does so with every answer from the fault on."""

    def check(self, name, fault, tables="", **git):
        self.start(front=Relay, tables=tables)
        self.harm(name, fault, **git)
        self.assert_nothing_noticed()
        self.assertGreater(len(self.relay.harmed), 0)

    def test_500(self):
        self.check("500s", answering(ERROR_PAGE))

    def test_a_web_page(self):
        self.check("a web page where refs should be", answering(WEB_PAGE))

    def test_an_err_packet(self):
        self.check("ERR instead of refs and packs", failing_git(b"upload-pack: cannot lock the repository"))

    def test_a_reset_in_the_head(self):
        self.check("reset in the answer's head", cut_in_head(20, "reset"))

    def test_a_close_in_the_head(self):
        self.check("close in the answer's head", cut_in_head(20, "close"))

    def test_a_reset_before_the_body(self):
        self.check("reset before the answer's body", cut_in_body(0, "reset"))

    def test_a_close_before_the_body(self):
        self.check("close before the answer's body", cut_in_body(0, "close"))

    def test_a_reset_in_the_first_words(self):
        self.check("reset in the first words of the refs", cut_in_body(FIRST_WORDS, "reset", of=b"info/refs"))

    def test_a_close_in_the_first_words(self):
        self.check("close in the first words of the refs", cut_in_body(FIRST_WORDS, "close", of=b"info/refs"))


    def test_a_reset_in_the_capabilities(self):
        self.check("reset in the capabilities", cut_in_body(MIDDLE_OF_REFS, "reset", of=b"info/refs"))

    def test_a_close_in_the_capabilities(self):
        self.check("close in the capabilities", cut_in_body(MIDDLE_OF_REFS, "close", of=b"info/refs"))

    def test_a_reset_before_the_pack(self):
        self.check("reset in the progress before a pack", cut_before_pack("reset"), verbosity="--progress")

    def test_a_close_before_the_pack(self):
        self.check("close in the progress before a pack", cut_before_pack("close"), CHUNKED, verbosity="--progress")

    def test_a_close_before_a_quiet_pack(self):
        self.check("close right before a pack", cut_before_pack("close"))


class GitFailsLoudly(BrokenAnswers):
    """The server does so some times; what it has begun nobody can finish."""

    def check(self, name, fault, tables="", **git):
        self.start(front=Relay, tables=tables)
        self.harm(name, fault, TIMES, **git)
        self.assert_none_failed()
        self.assertEqual(len(self.relay.harmed), TIMES)
        self.assertEqual(len(self.cut), TIMES, [str(operation) for operation in self.cut])

    def test_a_reset_in_the_refs(self):
        self.check("reset in the refs", cut_in_body(MIDDLE_OF_REFS, "reset", of=b"info/refs"), protocol=0)

    def test_a_close_in_the_refs(self):
        self.check("close in the refs", cut_in_body(MIDDLE_OF_REFS, "close", of=b"info/refs"), protocol=0)

    def test_a_reset_in_a_pack(self):
        self.check("reset in a pack", cut_in_body(MIDDLE_OF_A_PACK, "reset"))

    def test_a_close_in_a_pack(self):
        self.check("close in a pack", cut_in_body(MIDDLE_OF_A_PACK, "close"))

    def test_a_close_in_a_chunked_pack(self):
        self.check("close in a chunked pack", cut_in_body(MIDDLE_OF_A_PACK, "close"), CHUNKED)


class AnEndThatLies(BrokenAnswers):
    """Only Git can tell that such a body is not whole, and does."""

    def was_cut(self, operation, harmed):
        return operation.agent in harmed

    def check(self, name, missing):
        self.start(front=Relay, tables=CHUNKED)
        self.harm(name, shortened_pack(missing), TIMES)
        self.assert_none_failed()
        self.assertEqual(len(self.relay.harmed), TIMES)

    def test_a_pack_without_its_second_half(self):
        self.check("half a pack in a whole body", MIDDLE_OF_A_PACK)
        self.assertEqual(len(self.cut), TIMES)

    def test_a_pack_without_its_flush(self):
        self.check("a pack without its flush-pkt in a whole body", len(b"0000"))  # git may call that whole, for its pack is


if __name__ == "__main__":
    unittest.main()
