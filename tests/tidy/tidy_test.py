#!/usr/bin/env python3
"""Keeps the source tree in order: the rules that docs/ARCHITECTURE.md and docs/HACKING.md promise, checked.

Each rule is a function from a tree to a list of complaints. The rules run on this repository, and each also runs on a
small made-up tree that breaks it, so that a rule that can no longer fail is noticed. Python's standard library only.
"""

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(os.environ.get("BREAKWATER_SOURCE_ROOT", Path(__file__).resolve().parents[2]))

# An include may only point to a strictly lower floor, or stay inside its own folder.
FLOORS = {
    "base": 0,
    "coro": 1, "ring": 1, "wire": 1, "config": 1,
    "core": 2,
    "tls": 3, "identity": 3, "backends": 3,
    "proxy": 4,
    "app": 5,
}
FLOOR_OF_MAIN = 6
LOADGEN_MAY_USE = {"base", "coro", "ring", "wire", "config", "core", "tls"}
LOADGEN_FLOORS = {"git": 0, "plan": 0, "measure": 1, "client": 2, "origin": 2, "report": 2, "command": 3}

# A library that only one place may know, so that it can be replaced there.
LIBRARY_HOMES = {
    "liburing.h": "src/ring/",
    "llhttp.h": "src/wire/http_head.cc",
    "toml++/": "src/config/toml.h",
    "CLI/": ("src/app/command_line.cc", "loadgen/command/command_line.cc"),
    "ares.h": "src/app/dns.cc",
    "seccomp.h": "src/app/sandbox.cc",
    "wolfssl/": ("src/tls/", "bench/load/tls.cc"),  # the load client is to favour nobody, ours least of all
}

# What the simulator can replace only if it goes through src/ring: the kernel, clocks, chance, and other threads.
SEAM_FLOORS = {"coro", "core", "tls", "identity", "backends", "proxy"}
BEHIND_THE_SEAM = re.compile(r"(unistd|fcntl|time|netdb|signal|pthread|sched|poll/.*|sys/(socket|epoll|eventfd|timerfd|stat|time|random))"
                             r"\.h|thread|mutex|condition_variable|random|fstream|filesystem")
CALLS_BEHIND_THE_SEAM = re.compile(r"(?<![\w:])::(accept4?|bind|close|connect|epoll_\w+|getpeername|getsockname|getsockopt|listen|open|pipe2?|"
                                   r"poll|read|recv\w*|send\w*|setsockopt|shutdown|socket|splice|tee|vmsplice|write)\(|_clock::now\(|clock_gettime\(")

# Parsers of outside bytes that are not in src/wire.
PARSERS_ELSEWHERE = ["config/parse.h", "tls/engine.h", "tls/records.h", "tls/certificate.h", "tls/pem.h",
                     "tls/staple.h", "proxy/serving.h", "app/admin_http.h", "app/ctl_tables.h", "app/dns.h",
                     "app/server_change.h"]
# Headers of src/wire that parse nothing, each with the reason.
NOT_PARSERS = {
    "http_fault.h": "names and sentences",
    "http_write.h": "writes, reads nothing",
    "field_rules.h": "tables of names",
    "byte_class.h": "tables of bytes",
}

# Parsers of loadgen that are not in its git/.
LOADGEN_PARSERS_ELSEWHERE = ["client/inflater.h", "origin/fetch_ask.h", "origin/lfs_ask.h", "origin/push_ask.h", "origin/received_pack.h",
                             "origin/request_body.h", "plan/read_access_log.h"]

# A header of loadgen/git with one of these reads what a server said.
READER_OF_BYTES = re.compile(r"\b(take|read_\w+)\(std::string_view")

CODE = {".cc", ".h"}
COLUMNS_MAX = 120
NOT_OURS = {".git", ".cache", "__pycache__", "subprojects"}


def files(root):
    """Every file of the tree, without build folders and what belongs to other tools."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(f for f in folders if f not in NOT_OURS and not re.fullmatch(r"build(-.*)?", f))
        for name in sorted(names):
            path = Path(folder) / name
            if path.is_file() and not path.is_symlink() and name != ".git":
                yield path


def relative(path, root):
    return path.relative_to(root).as_posix()


def text_of(path):
    """The file's text, or None if it is no text."""
    data = path.read_bytes()
    if b"\0" in data:
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def includes(path):
    """(line number, quoted?, what) of each #include."""
    found = []
    for number, line in enumerate((text_of(path) or "").splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', line)
        if match:
            found.append((number, match[1] is not None, match[1] or match[2]))
    return found


def code_files(root, *tops):
    for path in files(root):
        if path.suffix in CODE and relative(path, root).split("/")[0] in tops:
            yield path


def resolve_include(root, path, what):
    """The file of this tree that a quoted include means, or None."""
    for base in (path.parent, root / "src", root / "loadgen", root / "tests", root / "bench"):
        target = base / what
        if target.is_file():
            return Path(os.path.normpath(target))
    return None


def check_include_direction(root):
    complaints = []
    for path in code_files(root, "src", "loadgen"):
        place = relative(path, root).split("/")
        in_loadgen = place[0] == "loadgen"
        folder = None if len(place) == 2 else place[1]
        floors = LOADGEN_FLOORS if in_loadgen else FLOORS
        if folder is not None and folder not in floors:
            complaints.append(f"{relative(path, root)}:1: {place[0]}/{folder} has no floor")
            continue
        for number, quoted, what in includes(path):
            if not quoted:
                continue
            where = f"{relative(path, root)}:{number}"
            target = resolve_include(root, path, what)
            if target is None:
                complaints.append(f'{where}: "{what}" is no file of this repository')
                continue
            there = relative(target, root).split("/")
            target_folder = None if len(there) == 2 else there[1]
            if in_loadgen and there[0] == "src":
                if target_folder not in LOADGEN_MAY_USE:
                    complaints.append(f'{where}: loadgen may not include "{what}"')
            elif there[0] != place[0]:
                complaints.append(f'{where}: {place[0]} may not include "{what}" of {there[0]}')
            elif target_folder != folder:
                own = FLOOR_OF_MAIN if folder is None else floors[folder]
                other = FLOOR_OF_MAIN if target_folder is None else floors.get(target_folder, FLOOR_OF_MAIN)
                if other >= own:
                    complaints.append(f'{where}: {folder} (floor {own}) may not include "{what}" (floor {other})')
    return complaints


def check_library_homes(root):
    complaints = []
    for path in code_files(root, "src", "loadgen", "tests", "bench"):
        place = relative(path, root)
        for number, _, what in includes(path):
            for library, home in LIBRARY_HOMES.items():
                belongs = what == library or (library.endswith("/") and what.startswith(library))
                if belongs and not place.startswith(home):
                    complaints.append(f"{place}:{number}: <{what}> belongs in {home if isinstance(home, str) else ' and '.join(home)} only")
    return complaints


def check_seam(root):
    complaints = []
    for path in code_files(root, "src"):
        place = relative(path, root)
        if place.split("/")[1] not in SEAM_FLOORS:
            continue
        for number, quoted, what in includes(path):
            if not quoted and BEHIND_THE_SEAM.fullmatch(what):
                complaints.append(f"{place}:{number}: <{what}>: the simulator could not replace that; it belongs in src/ring/sys.h")
        for number, line in enumerate(text_of(path).splitlines(), 1):
            match = CALLS_BEHIND_THE_SEAM.search(line.split("//")[0])
            if match:
                complaints.append(f"{place}:{number}: {match[0]}: the simulator could not replace that; it belongs in src/ring/sys.h")
    return complaints


def names_in_builds(root, path):
    """Every quoted string of the meson.build files from this file's folder upwards, with the folder it is seen from."""
    folder = path.parent
    while True:
        build = folder / "meson.build"
        if build.is_file():
            without_comments = re.sub(r"(?m)#.*$", "", build.read_text())
            for name in re.findall(r"'([^'\n]+)'", without_comments):
                yield folder, name
        if folder == root:
            return
        folder = folder.parent


def is_built(root, path):
    """Named in a meson.build: whole, without its ending, or without _test, _fuzz, _bench (lists of names in a loop)."""
    for folder, name in names_in_builds(root, path):
        place = path.relative_to(folder).as_posix()
        stem = place[: -len(path.suffix)]
        if name in (place, stem, path.name, path.stem, re.sub(r"_(test|fuzz|bench)$", "", stem),
                    re.sub(r"_(test|fuzz|bench)$", "", path.stem)):
            return True
    return False


def linked_documents(root):
    """Follows links from README.md; returns the documents reached and the links that lead nowhere."""
    reached, broken = set(), []
    todo = [root / "README.md"]
    while todo:
        page = todo.pop()
        if page in reached or not page.is_file():
            continue
        reached.add(page)
        for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            if re.match(r"[a-z]+:|#", link):
                continue
            target = Path(os.path.normpath(page.parent / link.split("#")[0]))
            if not target.exists():
                broken.append(f"{relative(page, root)}: the link to {link} leads nowhere")
            elif target.suffix == ".md":
                todo.append(target)
    return reached, broken


def check_nothing_unused(root):
    complaints = []
    included = set()
    for path in code_files(root, "src", "loadgen", "tests", "bench"):
        for _, quoted, what in includes(path):
            target = resolve_include(root, path, what) if quoted else None
            if target is not None and target != path:
                included.add(target)
    for path in code_files(root, "src", "loadgen", "tests", "bench"):
        if path not in included and not is_built(root, path):
            how = "included by no file" if path.suffix == ".h" else "named in no meson.build"
            complaints.append(f"{relative(path, root)}: is {how}")

    scripts = [p for p in files(root) if p.suffix == ".py" or relative(p, root).startswith("tools/") or
               (relative(p, root).startswith(("bench/", "tests/vm/")) and is_script(p))]
    programs = {p: text_of(p) or "" for p in scripts}
    mentions = {p: text_of(p) or "" for p in files(root) if p.suffix not in CODE and (
        p.name == "meson.build" or not relative(p, root).startswith("tests/"))}
    for path in scripts:
        if path.name == "meson.build":
            continue
        # By itself, out of a package ("from a.b import c") or as one of its modules ("from a import b, c").
        imported = re.compile(rf"(?m)^[ \t]*(?:import|from)[ \t](?:.*[ \t.])?{re.escape(path.stem)}\b")
        mentioned = path.name if path.suffix == ".py" else relative(path, root)
        used = (any(other != path and imported.search(text) for other, text in programs.items()) or
                any(other != path and mentioned in text for other, text in mentions.items()))
        if not used and not is_built(root, path):
            complaints.append(f"{relative(path, root)}: is used, imported and documented nowhere")

    reached, broken = linked_documents(root)
    complaints += broken
    for path in files(root):
        if path.suffix == ".md" and relative(path, root).startswith("docs/") and path not in reached:
            complaints.append(f"{relative(path, root)}: no link leads here from README.md")
    return complaints


def fuzzed_headers(root):
    """What the fuzz targets include, themselves or by a header of the tests."""
    fuzzed, left = set(), [p for p in files(root) if relative(p, root).startswith("tests/fuzz/") and p.name.endswith("_fuzz.cc")]
    while left:
        path = left.pop()
        for _, quoted, what in includes(path):
            if not quoted or what in fuzzed:
                continue
            fuzzed.add(what)
            target = resolve_include(root, path, what)
            if target and relative(target, root).startswith("tests/"):
                left.append(target)
    return fuzzed


def check_fuzz_targets(root):
    fuzzed = fuzzed_headers(root)
    parsers = [f"wire/{p.name}" for p in sorted((root / "src/wire").glob("*.h")) if p.name not in NOT_PARSERS]
    parsers += [name for name in PARSERS_ELSEWHERE if (root / "src" / name).is_file()]
    complaints = [f"src/{p}:1: no tests/fuzz/*_fuzz.cc includes this parser" for p in parsers if p not in fuzzed]
    readers = [f"git/{p.name}" for p in sorted((root / "loadgen/git").glob("*.h")) if READER_OF_BYTES.search(text_of(p))]
    readers += [name for name in LOADGEN_PARSERS_ELSEWHERE if (root / "loadgen" / name).is_file()]
    return complaints + [f"loadgen/{name}:1: no tests/fuzz/*_fuzz.cc includes this reader" for name in readers if name not in fuzzed]


def is_script(path):
    if path.suffix in (".py", ".sh"):
        return True
    return path.suffix == "" and path.read_bytes()[:2] == b"#!"


def check_opening_comment(root):
    complaints = []
    for path in files(root):
        if path.suffix == ".cc" and path.with_suffix(".h").is_file():
            continue  # its header says it
        if path.suffix in CODE:
            opening = re.match(r"\s*(?://|/\*)\s*(.*)", text_of(path) or "")
        elif is_script(path):
            opening = re.match(r'(?:#!.*\n)?\s*(?:#|"""|\'\'\')\s*(.*)', text_of(path) or "")
        else:
            continue
        if not opening or len(opening[1]) < 20:
            complaints.append(f"{relative(path, root)}:1: does not open with a comment that says what it is for")
    return complaints


def check_layout(root):
    complaints = []
    for path in files(root):
        place = relative(path, root)
        text = text_of(path)
        # Inputs of parsers may look as they like.
        if text is None or "/corpus/" in place or "/regressions/" in place or path.name == "LICENSE":
            continue
        for number, line in enumerate(text.split("\n"), 1):
            if line != line.rstrip():
                complaints.append(f"{place}:{number}: white space at the end of the line")
            if "\t" in line and (path.suffix in CODE | {".py"} or path.name == "meson.build"):
                complaints.append(f"{place}:{number}: a tab")
            if path.suffix in CODE and len(line) > COLUMNS_MAX:
                complaints.append(f"{place}:{number}: {len(line)} columns, the most is {COLUMNS_MAX}")
        if text and not text.endswith("\n"):
            complaints.append(f"{place}: the last line has no end")
    return complaints


def machine_paths(root):
    """What only this machine has: someone's home, and the place where the repository happens to lie. Two patterns: one
    for every file, and one for files outside of tests/, which make up paths of their own."""
    patterns = [r"/home/[a-z][\w.-]*/", r"/Users/\w+/", r"(?<![\w.}])/root/"]
    if len(root.parts) > 2:
        patterns.append(re.escape(root.as_posix()) + r"\b")
    # The first folder of that place, unless every machine has it or the repository has a folder of that name.
    common = {"bin", "boot", "dev", "etc", "home", "lib", "media", "mnt", "opt", "private", "proc", "root", "run",
              "sbin", "srv", "sys", "tmp", "usr", "var", "Users"}
    first = root.parts[1] if len(root.parts) > 2 else None
    everywhere = re.compile("|".join(patterns))
    if first and first not in common and not (root / first).exists():
        patterns.append(r"(?<![\w.})-])/" + re.escape(first) + "/")
    return everywhere, re.compile("|".join(patterns))


def check_machine_paths(root, lies_at=None):
    everywhere, outside_tests = machine_paths(lies_at or root)
    complaints = []
    for path in files(root):
        # This file makes up trees that break the rule.
        if path.name == "tidy_test.py" or path.name == "LICENSE":
            continue
        pattern = everywhere if relative(path, root).startswith("tests/") else outside_tests
        for number, line in enumerate((text_of(path) or "").splitlines(), 1):
            match = pattern.search(line)
            if match:
                complaints.append(f"{relative(path, root)}:{number}: names a path of one machine: {match[0]}")
    return complaints


def types_of(path):
    """(line number, full name) of each type that this file defines for others, too: at the margin, where no anonymous namespace is."""
    found, spaces = [], []
    for number, line in enumerate((text_of(path) or "").splitlines(), 1):
        if match := re.match(r"(?:inline )?namespace\s*([\w:]*)\s*\{(?!.*\})", line):
            spaces.append(match[1])
        elif line.startswith("}  // namespace") and spaces:
            spaces.pop()
        elif "" not in spaces and (match := re.match(r"(?:struct|class|union|enum class|enum) (\w+)(?: final)?(?: \{| : |\{)", line)):
            found.append((number, "::".join([*spaces, match[1]])))
    return found


def check_one_definition(root):
    """Two types of one name and different shapes link without a word, and then use each other's code ([basic.def.odr])."""
    places = {}
    for path in code_files(root, "src", "loadgen"):
        for number, name in types_of(path):
            places.setdefault(name, []).append(f"{relative(path, root)}:{number}")
    return [f"{name} is defined in {' and in '.join(where)}" for name, where in sorted(places.items()) if len(where) > 1]


def check_format(root, formatter=None):
    formatter = formatter or shutil.which("clang-format-19")
    sources = [str(p) for p in code_files(root, "src", "loadgen", "tests", "bench")]
    if formatter is None or not sources:
        return []
    ran = subprocess.run([formatter, "--dry-run", "--Werror", *sources], capture_output=True, text=True, check=False)
    if ran.returncode == 0:
        return []
    badly = sorted({line.split(":")[0] for line in ran.stderr.splitlines() if "clang-format-violations" in line})
    return [f"{relative(Path(p), root)}: layout differs; run tools/check-format --fix" for p in badly] or [ran.stderr]


class ThisRepository(unittest.TestCase):
    """The rules, on the repository itself."""

    def expect_none(self, complaints):
        if complaints:
            self.fail("\n" + "\n".join(complaints))

    def test_includes_point_downwards(self):
        self.expect_none(check_include_direction(ROOT))

    def test_each_library_is_known_in_one_place(self):
        self.expect_none(check_library_homes(ROOT))

    def test_the_kernel_is_reached_through_the_seam(self):
        self.expect_none(check_seam(ROOT))

    def test_nothing_is_unused(self):
        self.expect_none(check_nothing_unused(ROOT))

    def test_every_parser_is_fuzzed(self):
        self.expect_none(check_fuzz_targets(ROOT))

    def test_every_file_says_what_it_is_for(self):
        self.expect_none(check_opening_comment(ROOT))

    def test_layout(self):
        self.expect_none(check_layout(ROOT))

    def test_no_two_types_share_a_name(self):
        self.expect_none(check_one_definition(ROOT))

    def test_no_machine_paths(self):
        self.expect_none(check_machine_paths(ROOT))

    @unittest.skipUnless(shutil.which("clang-format-19"), "clang-format-19 is not installed")
    def test_format(self):
        self.expect_none(check_format(ROOT))


class TheRulesCanFail(unittest.TestCase):
    """Each rule on a small tree that breaks it, and on the same tree mended."""

    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.root = Path(holder.name).resolve()

    def write(self, place, text):
        path = self.root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def expect(self, rule, *parts):
        """Exactly one complaint, which holds each of `parts`."""
        complaints = rule(self.root)
        self.assertEqual(1, len(complaints), complaints)
        for part in parts:
            self.assertIn(part, complaints[0])

    def test_include_upwards(self):
        self.write("src/base/a.h", "\n")
        self.write("src/core/b.h", '#include "base/a.h"\n#include <vector>\n')
        self.assertEqual([], check_include_direction(self.root))
        self.write("src/base/a.h", '\n#include "core/b.h"\n')
        self.expect(check_include_direction, "src/base/a.h:2", "core/b.h")

    def test_include_sideways(self):
        self.write("src/wire/a.h", "\n")
        self.write("src/ring/b.h", '#include "wire/a.h"\n')
        self.expect(check_include_direction, "src/ring/b.h:1")

    def test_include_of_nothing(self):
        self.write("src/wire/a.h", '#include "wire/gone.h"\n')
        self.expect(check_include_direction, "wire/gone.h", "no file")

    def test_folder_without_floor(self):
        self.write("src/attic/a.h", "\n")
        self.expect(check_include_direction, "src/attic has no floor")

    def test_main_may_use_all(self):
        self.write("src/app/a.h", "\n")
        self.write("src/main.cc", '#include "app/a.h"\n')
        self.assertEqual([], check_include_direction(self.root))

    def test_loadgen_stays_out_of_the_proxy(self):
        self.write("src/wire/a.h", "\n")
        self.write("src/proxy/b.h", "\n")
        self.write("loadgen/plan/c.h", "\n")
        self.write("loadgen/client/d.cc", '#include "plan/c.h"\n#include "wire/a.h"\n')
        self.assertEqual([], check_include_direction(self.root))
        self.write("loadgen/client/d.cc", '#include "proxy/b.h"\n')
        self.expect(check_include_direction, "loadgen may not include")

    def test_loadgen_has_floors_too(self):
        self.write("loadgen/client/a.h", "\n")
        self.write("loadgen/plan/b.h", '#include "client/a.h"\n')
        self.expect(check_include_direction, "loadgen/plan/b.h:1", "client/a.h")

    def test_library_away_from_home(self):
        self.write("src/ring/ring_uring.cc", "#include <liburing.h>\n")
        self.write("src/config/toml.h", "#include <toml++/toml.h>\n")
        self.assertEqual([], check_library_homes(self.root))
        self.write("src/core/core.cc", "#include <liburing.h>\n")
        self.expect(check_library_homes, "src/core/core.cc:1", "src/ring/")

    def test_ways_around_the_seam(self):
        self.write("src/ring/sys_linux.cc", "#include <unistd.h>\nint f() { return ::close(3); }\n")
        self.write("src/proxy/a.cc", "#include <poll.h>\nint f() { return sys::close(3); }\n")
        self.assertEqual([], check_seam(self.root))
        self.write("src/proxy/a.cc", "\n#include <unistd.h>\n")
        self.expect(check_seam, "src/proxy/a.cc:2", "unistd.h")
        self.write("src/proxy/a.cc", "int f() { return ::recv(3, nullptr, 0, 0); }\n")
        self.expect(check_seam, "src/proxy/a.cc:1", "::recv(")
        self.write("src/proxy/a.cc", "auto f() { return std::chrono::steady_clock::now(); }\n")
        self.expect(check_seam, "_clock::now(")

    def test_unbuilt_source(self):
        self.write("README.md", "nothing\n")
        self.write("src/base/meson.build", "static_library('base', 'a.cc')\n")
        self.write("src/base/a.cc", "\n")
        self.assertEqual([], check_nothing_unused(self.root))
        self.write("src/base/b.cc", "\n")
        self.expect(check_nothing_unused, "src/base/b.cc", "no meson.build")

    def test_source_named_only_in_a_comment(self):
        self.write("README.md", "nothing\n")
        self.write("src/base/meson.build", "# not 'a.cc'\n")
        self.write("src/base/a.cc", "\n")
        self.expect(check_nothing_unused, "src/base/a.cc")

    def test_unused_header(self):
        self.write("README.md", "nothing\n")
        self.write("src/base/meson.build", "static_library('base', 'a.cc')\n")
        self.write("src/base/a.cc", '#include "base/a.h"\n')
        self.write("src/base/a.h", "\n")
        self.assertEqual([], check_nothing_unused(self.root))
        self.write("src/base/b.h", "\n")
        self.expect(check_nothing_unused, "src/base/b.h", "included by no file")

    def test_unused_script(self):
        self.write("README.md", "see tools/known\n")
        self.write("tools/known", "#!/bin/sh\n")
        self.assertEqual([], check_nothing_unused(self.root))
        self.write("tools/unknown", "#!/bin/sh\n")
        self.expect(check_nothing_unused, "tools/unknown")

    def test_module_of_a_package(self):
        self.write("README.md", "see bench/run\n")
        self.write("bench/run", "#!/usr/bin/env python3\nfrom parts import first, second\n")
        self.write("bench/parts/first.py", "from parts.third import run\n")
        self.write("bench/parts/second.py", "\n")
        self.write("bench/parts/third.py", "\n")
        self.assertEqual([], check_nothing_unused(self.root))
        self.write("bench/run", "#!/usr/bin/env python3\nfrom parts import first\n")
        self.expect(check_nothing_unused, "bench/parts/second.py")

    def test_unlinked_document(self):
        self.write("README.md", "[more](docs/A.md)\n")
        self.write("docs/A.md", "[and](B.md#part)\n")
        self.write("docs/B.md", "end\n")
        self.assertEqual([], check_nothing_unused(self.root))
        self.write("docs/C.md", "alone\n")
        self.expect(check_nothing_unused, "docs/C.md")

    def test_broken_link(self):
        self.write("README.md", "[more](docs/A.md)\n")
        self.expect(check_nothing_unused, "docs/A.md", "nowhere")

    def test_parser_without_fuzzer(self):
        self.write("src/wire/uri.h", "\n")
        self.write("src/config/parse.h", "\n")
        self.write("tests/fuzz/uri_fuzz.cc", '#include "wire/uri.h"\n')
        self.expect(check_fuzz_targets, "src/config/parse.h")
        self.write("tests/fuzz/parse_fuzz.cc", '#include "config/parse.h"\n')
        self.assertEqual([], check_fuzz_targets(self.root))

    def test_reader_of_the_load_generator_without_fuzzer(self):
        self.write("loadgen/git/digest.h", "void add(std::string_view bytes);\n")
        self.write("loadgen/git/lfs.h", "Answer read_lfs(std::string_view json);\n")
        self.write("loadgen/git/refs.h", "bool take(std::string_view piece);\n")
        self.write("tests/fuzz/git_fuzz.cc", '#include "unit/readers.h"\n')
        self.write("tests/unit/readers.h", '#include "git/lfs.h"\n')
        self.expect(check_fuzz_targets, "loadgen/git/refs.h")
        self.write("tests/unit/readers.h", '#include "git/lfs.h"\n#include "git/refs.h"\n')
        self.assertEqual([], check_fuzz_targets(self.root))

    def test_missing_opening_comment(self):
        self.write("src/base/a.h", "// What a caller may expect of this.\n")
        self.write("tools/x", "#!/bin/sh\n# Shows what this is good for.\n")
        self.write("tests/x.py", '#!/usr/bin/env python3\n"""Tests a thing that must be tested."""\n')
        self.write("src/base/a.cc", '#include "base/a.h"\n')
        self.assertEqual([], check_opening_comment(self.root))
        self.write("src/base/b.cc", '#include "base/a.h"\n')
        self.expect(check_opening_comment, "src/base/b.cc")
        (self.root / "src/base/b.cc").unlink()
        self.write("tools/x", "#!/bin/sh\necho\n")
        self.expect(check_opening_comment, "tools/x")
        self.write("tools/x", "#!/bin/sh\n# Shows what this is good for.\n")
        self.write("src/base/a.h", "#pragma once\n")
        self.expect(check_opening_comment, "src/base/a.h")

    def test_layout_faults(self):
        self.write("src/base/a.h", "// " + "x" * 117 + "\n")
        self.assertEqual([], check_layout(self.root))
        self.write("src/base/a.h", "// " + "x" * 118 + "\n")
        self.expect(check_layout, "121 columns")
        self.write("src/base/a.h", "int a; \n")
        self.expect(check_layout, "white space")
        self.write("src/base/a.h", "\tint a;\n")
        self.expect(check_layout, "a tab")
        self.write("src/base/a.h", "int a;")
        self.expect(check_layout, "no end")

    def test_two_lfs_objects(self):
        """One with two members, one with three; whichever code of a vector of them the linker kept was wrong for the other."""
        self.write("loadgen/git/lfs.h", "namespace a::b {\n\nstruct Object {\n  int x;\n};\n\n}  // namespace a::b\n")
        other = "namespace a::b {\n\nstruct Object;\n\nnamespace {\n\n%sclass Object : X {\n};\n\n}  // namespace\n\n%s}  // namespace a::b\n"
        self.write("loadgen/git/content.cc", other % ("", ""))
        self.assertEqual([], check_one_definition(self.root))
        self.write("loadgen/git/content.cc", other % ("", "struct Object {\n};\n"))
        self.expect(check_one_definition, "a::b::Object", "lfs.h:3", "content.cc:12")

    def test_machine_path(self):
        lies_at = Path("/odd/place/breakwater")

        def rule(root):
            return check_machine_paths(root, lies_at)

        self.write("README.md", "cp tools/odd/x /usr/bin/ && ls /oddity/ ./odd/\n")
        self.assertEqual([], rule(self.root))
        for path in ("/home/somebody/x", "/root/x", "/odd/place/breakwater/src", "/odd/x"):
            self.write("README.md", f"see {path}\n")
            self.expect(rule, "README.md:1")
        self.write("README.md", "\n")
        self.write("tests/a.py", "ask('/odd/x')\n")
        self.assertEqual([], rule(self.root))
        self.write("tests/a.py", "ask('/odd/place/breakwater/x')\n")
        self.expect(rule, "tests/a.py:1")

    @unittest.skipUnless(shutil.which("clang-format-19"), "clang-format-19 is not installed")
    def test_bad_format(self):
        self.write(".clang-format", "BasedOnStyle: Google\n")
        self.write("src/base/a.h", "int a;\n")
        self.assertEqual([], check_format(self.root))
        self.write("src/base/a.h", "int   a ;\n")
        self.expect(check_format, "src/base/a.h", "check-format --fix")

    def test_build_folders_are_left_out(self):
        self.write("build/a.h", "\t\n")
        self.write("build-asan/a.h", "\t\n")
        self.assertEqual([], check_layout(self.root))


if __name__ == "__main__":
    unittest.main(verbosity=2)
