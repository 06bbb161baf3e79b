#!/usr/bin/env python3
"""Classic bugs that the simulator must find. Each is one small change of one source file; the build makes a copy of that
file with the bug in it and links a simulator with it. No trace of this is in the product's own sources.

    planted_bugs.py --list                    name, file, the first seed, and the number of seeds within which it must be found
    planted_bugs.py NAME SOURCE OUTPUT        writes the copy; fails if the place is not there any more

Python's standard library only.
"""

import sys
from pathlib import Path

# name: (file below src/, seeds, what stands there, what the bug makes of it)
BUGS = {
    # A pipe goes back to the pool with bytes of somebody in it.
    "pipe_with_bytes_reused": (
        "core/pipes.cc", 400,
        "put_back(ends_, held_bytes_ == 0);",
        "put_back(ends_, true);"),
    # The session is freed while its poll is still in flight.
    "last_completion_not_awaited": (
        "proxy/session.cc", 20,
        "    worker_.core.ring().cancel(gone_);\n    co_await gone_ended_;",
        "    worker_.core.ring().cancel(gone_);"),
    # A buffer goes back to the kernel while its bytes are still being sent.
    "buffer_reused_too_early": (
        "proxy/pump.cc", 20,
        "if (pieces_.count == 0 && front.raw_bytes == 0) pop_front_slot();",
        "if (front.raw_bytes == 0) pop_front_slot();"),
    # The idle timer of a pooled connection goes on while it is used.
    "timer_fires_after_its_time": (
        "proxy/upstream.cc", 100,
        "  connection.unlink();\n  connection.idle_timer_.disarm();",
        "  connection.unlink();"),
    # The last chunk of a spliced body has no end of line.
    "chunk_not_ended": (
        "proxy/pump.cc", 200,
        "if (chunk_open_) add_part(line_end.data(), line_end.size());",
        "if (chunk_open_ && chunk_line_[0] == 0) add_part(line_end.data(), line_end.size());"),
    # A form is posted on a pooled connection that may be stale.
    "stale_connection_for_a_post": (
        "proxy/exchange_attempt.cc", 100,
        "const bool may_reuse = replayable_ && !fresh_only_ &&",
        "const bool may_reuse = !fresh_only_ &&"),
    # Whatever came whole with its head may be sent again, a push too.
    "push_replayed": (
        "proxy/exchange.cc", 100,
        "wire::is_replayable(request_, git_.operation) && whole_request_at_hand()",
        "whole_request_at_hand()"),
    # The end of one direction of a tunnel is not passed on.
    "half_close_lost": (
        "proxy/pump.cc", 40,
        "if (plan_.half_close_sink && !sink_ended_) return end_sink();",
        ""),
    # Bytes that landed on a pooled connection become the next client's answer.
    "answer_of_another_client": (
        "proxy/upstream.cc", 3000,
        "if (last != nullptr && !last->receiver_.listens() && oldest->receiver_.listens()) return take(*oldest);",
        "if (last != nullptr && !last->receiver_.listens()) return take(*oldest);"),
    # The same, in the turn in which the connection came back.
    "reuse_without_a_look": (
        "proxy/upstream.cc", 4000,
        "!connection->receiver_.listens() && ",
        "false && "),
    # Hooks see the time of the turn before, which may be long ago.
    "old_clock": (
        "core/core.cc", 400,
        "  now_ns_ = sys::monotonic_ns();  // before any hook: the wait may have been long\n  ring_->dispatch();",
        "  ring_->dispatch();\n  now_ns_ = sys::monotonic_ns();"),
    # A body that was cut off is finished as if it were whole.
    "short_body_completed": (
        "proxy/pump.cc", 100,
        "fail_behind_pieces({Code::truncated, plan_.source_side, 0});\n}",
        "reader_.start({});\n}"),
    # An answer for which there was no room is left out, and the next one takes its place.
    "reply_left_out": (
        "proxy/session.cc", 1000,
        " && !reset_) co_return Next::request;",
        ") co_return Next::request;"),
    # A reset heard by the upload passes for the orderly end of the answer.
    "reset_told_once": (
        "proxy/pump.cc", 200,
        "if (told.sys_errno == ECONNRESET && told.side == plan_.source_side)",
        "if (told.sys_errno == ECONNRESET && told.side == Side::internal)"),
    # A timeout fires, but much later than its name says.
    "timeout_too_late": (
        "proxy/exchange_time.cc", 40,
        "if (limit > 0 && self.core_.now_ns() >= active + limit)",
        "if (limit > 0 && self.core_.now_ns() >= active + 10 * limit)"),
    # A client that takes a byte now and then is waited for as long as it likes.
    "slow_client_kept": (
        "proxy/exchange_time.cc", 300,
        "  self.mind_the_client(next);\n",
        ""),
    # A waiter that has no use for its buffer swallows the wake-up of the next one.
    "wake_up_lost": (
        "core/buffers.cc", 400,
        "for (uint32_t free = count_ - leased_; free > 0; free--)",
        "for (uint32_t free = leased_ + 1 == count_ ? 1 : 0; free > 0; free--)"),
    # A request goes to one stale connection after the other.
    "third_attempt": (
        "proxy/exchange.cc", 400,
        "      fresh_only_ = true;",
        ""),
    # An answer that broke before its first byte becomes an empty reply.
    "empty_reply": (
        "proxy/exchange.cc", 1000,
        "failure_.side == Side::upstream && !client_knows",
        "failure_.side == Side::internal && !client_knows"),
    # A stop ends a connection in good order before it resets it.
    "orderly_stop": (
        "proxy/session.cc", 3000,
        "sys::abort_connection(stream_.fd());",
        "sys::shutdown_write(stream_.fd());"),
    # Another server's words are put behind a line that the one before had not ended.
    "open_line_of_progress": (
        "proxy/exchange_takeover.cc", 3000,
        "const std::string_view head = framed(open);",
        "const std::string_view head = framed(0 * open);"),
    # Another server begins anew what a client has a part of.
    "taken_over_too_late": (
        "wire/pack_progress.cc", 3000,
        "!(band == pack_band && is_empty)",
        "band != pack_band"),
    # A pack that lasts until the connection ends is whole when it ends, whatever Git says.
    "git_end_not_proven": (
        "proxy/pump.cc", 1000,
        ": git_end_.proven();",
        ": true;"),
    # A pooled connection still waits for as many bytes at once as the last pack had.
    "low_water_left": (
        "proxy/splicer.cc", 400,
        "  set_low_water(1);\n  pipe_.release();",
        "  pipe_.release();"),
    # The end of a body was looked at, and what stands before it is left behind.
    "looked_at_and_left": (
        "proxy/splicer.cc", 400,
        "while (pipe_.held_bytes() < pipe_.capacity() && !nothing_may_pass()) {",
        "while (pipe_.held_bytes() < pipe_.capacity() && !stuck_ && !reader_->done()) {"),
    # Between two runs of the splicer nobody remembers that a chunk of ours is open.
    "open_chunk_forgotten": (
        "proxy/pump.cc", 200,
        "framing, chunk_open_, git_unseen_}",
        "framing, false, git_unseen_}"),
    # The requests of one operation go to any server.
    "affinity_forgotten": (
        "proxy/exchange_attempt.cc", 40,
        "if (bound != backends::no_server && health()",
        "if (bound == backends::no_server - 1 && health()"),
    # A server that failed is asked again, by the same request.
    "asked_twice": (
        "proxy/exchange_attempt.cc", 400,
        "  tried_.add(server_index_);\n",
        ""),
    # Who goes to another server keeps its place on the first one, too.
    "place_not_moved": (
        "proxy/queue.cc", 400,
        "!queue_->places_.has_limits()) return;\n  leave_server();",
        "!queue_->places_.has_limits()) return;"),
    # What waited as long as it may begins without a place, and gives one back.
    "place_of_nobody": (
        "proxy/queue.cc", 1000,
        "  admission_.enter_anyway(wish.part);\n",
        ""),
    # A drained core goes on to probe.
    "probes_without_end": (
        "proxy/serving.cc", 40,
        "  for (Prober& prober : probers_) prober.stop();\n",
        ""),
    # Who is down stays down.
    "return_not_noticed": (
        "proxy/prober.cc", 400,
        "lives ? probe_.rise : probe_.fall",
        "lives ? 100 * probe_.rise : probe_.fall"),
    # What may be sent once goes to the next server when the first one breaks.
    "form_sent_elsewhere": (
        "proxy/exchange_attempt.cc", 100,
        "if (!replayable_ || interim_passed_) return Attempt::failed;",
        "if (interim_passed_) return Attempt::failed;"),
}

# Where the way from the first seed to one that finds it takes long.
FIRST_SEEDS = {
    "orderly_stop": 780,
    "place_of_nobody": 475,
    "return_not_noticed": 340,
    "answer_of_another_client": 195,
    "reuse_without_a_look": 195,
    "empty_reply": 185,
    "open_chunk_forgotten": 165,
    "git_end_not_proven": 90,
}


def main():
    if sys.argv[1:] == ["--list"]:
        for name, (source, seeds, _, _) in BUGS.items():
            print(name, source, FIRST_SEEDS.get(name, 1), seeds)
        return 0
    if len(sys.argv) != 4:
        print(__doc__, file=sys.stderr)
        return 2
    name, source, output = sys.argv[1:]
    _, _, old, new = BUGS[name]
    text = Path(source).read_text(encoding="utf-8")
    if text.count(old) != 1:
        print(f"{source}: the place of the planted bug {name} is there {text.count(old)} times: mend {__file__}", file=sys.stderr)
        return 1
    Path(output).write_text(text.replace(old, new), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
