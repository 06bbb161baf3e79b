#!/usr/bin/env python3
"""Seeds that once found a bug. The seed is only as good as the scenario generator that was there; what the bug was is
said by its name, and the planted bugs keep the simulator able to find its like. Python's standard library only."""

import subprocess
import sys
import unittest

SIM = ""


def replay(*arguments):
    result = subprocess.run([SIM, *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False)
    if result.returncode != 0:
        raise AssertionError(result.stdout[-2000:] + result.stderr)


class Seeds(unittest.TestCase):
    def test_a_connection_after_a_long_wait_was_closed_at_once(self):
        replay("--seed", 574)

    def test_surplus_bytes_became_the_next_answer(self):
        replay("--seed", 1000)

    def test_a_reply_without_room_was_left_out(self):
        replay("--seed", 14)

    def test_a_pump_that_spliced_waited_for_a_buffer_for_ever(self):
        replay("--seed", 14, "--clients", "4,21,23,149,151,152,154,155,173,174,175,183,184", "--requests", 3)

    def test_a_request_was_sent_three_times(self):
        replay("--seed", 704)
        replay("--seed", 830)

    def test_a_reset_told_to_the_upload_looked_like_the_end_of_the_answer(self):
        replay("--seed", 1632)

    def test_an_expectation_passed_by_http_1_0(self):
        replay("--seed", 37)

    def test_a_stale_request_was_tried_by_http_1_0_and_then_again(self):
        replay("--seed", 20026330)

    def test_a_broken_answer_became_an_empty_reply(self):
        replay("--seed", 5)

    def test_a_cancelled_receive_began_again(self):
        replay("--seed", 1000633)

    def test_a_stop_let_a_cut_body_look_whole(self):
        replay("--seed", 2081)

    def test_an_end_behind_the_next_request_ended_the_one_before(self):
        replay("--seed", 4138)

    def test_an_idle_connection_that_waited_for_a_buffer_was_reused_unseen(self):
        replay("--seed", 7783)


if __name__ == "__main__":
    SIM = sys.argv.pop()
    unittest.main()
