// How servers are probed, as operators write it, and the paths that may stand in a request.
#include "config/probe.h"

#include <doctest/doctest.h>

#include <string>

#include "config/schema.h"

using namespace breakwater::config;

namespace {

Probe good(std::string_view text) {
  Probe probe{.status = 500, .interval = minute};
  std::string why;
  REQUIRE_MESSAGE(parse_probe(text, probe, why), why);
  CHECK(probe.interval == minute);  // not its business
  return probe;
}

std::string why_not(std::string_view text) {
  Probe probe{.type = Probe::Type::http, .path = "/untouched", .status = 201};
  std::string why;
  CHECK_FALSE(parse_probe(text, probe, why));
  CHECK(format_probe(probe) == "http /untouched 201");
  return why;
}

}  // namespace

TEST_CASE("probe: what is taken, and printed back") {
  for (const char* text :
       {"off", "tcp", "http /", "http /health 204", "http /a%20b 599", "git /owner/repo.git"}) {
    CAPTURE(text);
    CHECK(format_probe(good(text)) == text);
  }
  CHECK(good("tcp").type == Probe::Type::tcp);
  CHECK(good("http /health").status == 200);
  CHECK(format_probe(good("  http   /health 200 ")) == "http /health");
  CHECK(good("git /owner/repo.git").path == "/owner/repo.git");
}

TEST_CASE("probe: what is refused, with a sentence") {
  CHECK(why_not("") == "the first word must be \"off\", \"tcp\", \"http\" or \"git\"");
  CHECK(why_not("htpp /x") ==
        "the first word must be \"off\", \"tcp\", \"http\" or \"git\"; did you mean `http`?");
  CHECK(why_not("http") == "a path must follow, as in \"http /healthcheck\"");
  CHECK(why_not("git") == "a path must follow, as in \"git /owner/repo.git\"");
  CHECK(why_not("http health") == "a path begins with /");
  CHECK(why_not("http http://a/") == "a path begins with /");
  CHECK(why_not("http /x?y") == "a path has no ? and no #");
  CHECK(why_not("http /h\xC3\xB6") == "a path is of visible ASCII characters; write others as %XX");
  CHECK(why_not("http /" + std::string(request_path_bytes_max, 'x')) == "a path has at most 1024 bytes");
  CHECK(why_not("http /x 199") == "the status must be an integer from 200 to 599");
  CHECK(why_not("http /x 600") == "the status must be an integer from 200 to 599");
  CHECK(why_not("http /x 200x") == "the status must be an integer from 200 to 599");
  CHECK(why_not("http /x 200 5") == "`5` is a word too many");
  CHECK(why_not("git /a.git 200") == "`200` is a word too many");
  CHECK(why_not("git /") == "the path must be that of a repository, as in \"git /owner/repo.git\"");
  CHECK(why_not("git /a/") == "the path must be that of a repository, as in \"git /owner/repo.git\"");
  CHECK(why_not("tcp 80") == "`80` is a word too many");
  CHECK(why_not("off off") == "`off` is a word too many");
}
