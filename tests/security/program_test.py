#!/usr/bin/env python3
"""The program that was built has what hardens it: readelf tells.

Python's standard library and binutils only. Of control-flow protection the linker leaves a mark only if every object has it;
where libc's own, or wolfSSL's assembly, have none, that is said and nothing fails.
"""

import os
import platform
import re
import subprocess
import unittest

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BREAKWATER = os.environ.get("BREAKWATER", os.path.join(TREE, "build", "src", "breakwater"))
X86 = platform.machine() == "x86_64"


def readelf(*words):
    return subprocess.run(["readelf", "-W", *words], capture_output=True, text=True, check=True, env=os.environ | {"LC_ALL": "C"}).stdout


class Hardened(unittest.TestCase):
    def test_it_lies_at_another_address_each_time(self):
        self.assertRegex(readelf("-h", BREAKWATER), r"Type:\s+DYN \(Position-Independent Executable file\)")

    def test_addresses_of_functions_are_found_at_the_start_and_never_written_again(self):
        self.assertRegex(readelf("-l", BREAKWATER), r"(?m)^\s+GNU_RELRO\s")
        dynamic = readelf("-d", BREAKWATER)
        self.assertRegex(dynamic, r"\(FLAGS\).*BIND_NOW|\(BIND_NOW\)")
        self.assertRegex(dynamic, r"\(FLAGS_1\).*\bNOW\b.*\bPIE\b")
        self.assertNotIn("(TEXTREL)", dynamic)

    def test_no_memory_is_written_and_executed(self):
        segments = readelf("-l", BREAKWATER)
        stack = re.search(r"(?m)^\s+GNU_STACK\s.*?\s([RWE ]{3})\s+0x", segments)
        self.assertIsNotNone(stack, segments)
        self.assertNotIn("E", stack[1])
        for flags in re.findall(r"(?m)^\s+LOAD\s.*?\s([RWE ]{3})\s+0x", segments):
            self.assertFalse("W" in flags and "E" in flags, segments)

    def test_stacks_have_canaries_and_libc_knows_the_size_of_buffers(self):
        symbols = readelf("--dyn-syms", BREAKWATER)
        self.assertIn("__stack_chk_fail", symbols)
        self.assertRegex(symbols, r"__(memcpy|read|recv|snprintf|fprintf|readlink|poll)_chk\b")

    def test_the_tls_library_has_them_too(self):
        """It had none: the packages' compiler adds them only where it is asked to."""
        archive = os.path.join(TREE, ".cache", "wolfssl", "lib", "libwolfssl.a")
        if not os.path.exists(archive):
            self.skipTest("the packaged library is linked, or there is none")
        symbols = readelf("--syms", archive)
        with_canaries = set(re.findall(r"(?m)^File: \S+\((\S+?)\)$", "\n".join(
            part.splitlines()[0] for part in re.split(r"(?m)^(?=File: )", symbols) if "__stack_chk_fail" in part)))
        for name in ("internal", "tls13", "asn", "ssl", "tls", "ecc"):
            self.assertTrue(any(name in file for file in with_canaries), f"{name} has no canary; {sorted(with_canaries)} have")
        self.assertRegex(symbols, r"__(memcpy|memset|memmove)_chk\b")

    def test_indexes_are_looked_at(self):
        self.assertIn("std::__glibcxx_assert_fail", subprocess.run(
            ["c++filt"], input=readelf("--dyn-syms", BREAKWATER), capture_output=True, text=True, check=True).stdout)

    @unittest.skipUnless(X86, "of x86")
    def test_jumps_land_on_marks(self):
        folder = os.path.dirname(BREAKWATER)
        for name in ("app", "proxy", "tls", "wire"):
            members = re.split(r"(?m)^(?=File: )", readelf("-n", os.path.join(folder, name, f"lib{name}.a")))[1:]
            self.assertGreater(len(members), 5)
            self.assertEqual([member.splitlines()[0] for member in members if "IBT, SHSTK" not in member], [])
        whole = readelf("-n", BREAKWATER)
        if "IBT" not in whole or "SHSTK" not in whole:
            self.skipTest("our objects have it, but something that is linked in has not: libc's start files, or wolfSSL's assembly")


if __name__ == "__main__":
    unittest.main()
