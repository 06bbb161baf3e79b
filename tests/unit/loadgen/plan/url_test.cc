// URLs of repositories and of servers, and rates.
#include "plan/url.h"

#include <doctest/doctest.h>

#include "plan/rate.h"

using namespace breakwater::storm;

TEST_CASE("url: a repository's") {
  Target target;
  CHECK(read_url("https://git.example.com/team/app.git/", target) == "");
  CHECK(target.tls);
  CHECK(target.port == 443);
  CHECK(target.host == "git.example.com");
  CHECK(target.repositories == std::vector<std::string>{"/team/app.git"});
  CHECK(read_url("http://[::1]:3000/a", target) == "");
  CHECK(target.host == "::1");
  CHECK(target.port == 3000);
  CHECK_FALSE(target.tls);
  CHECK(read_url("http://h/", target) == "'http://h/' is no URL of a repository: its path is missing");
  CHECK(read_url("http://h//", target) == "'http://h//' is no URL of a repository: its path is missing");
  CHECK(read_url("http://h:0/a", target) == "'http://h:0/a' is no URL of a repository: its port is none");
  CHECK(read_url("http://:1/a", target) == "'http://:1/a' is no URL of a repository: its host is missing");
  CHECK(read_url("http://a b/a", target) == "'http://a b/a' is no URL of a repository: its host is none");
  CHECK(read_url("http://h/a?b", target) ==
        "'http://h/a?b' is no URL of a repository: its path has what no path has");
}

TEST_CASE("url: a server's, and back") {
  for (const char* const url : {"http://127.0.0.1:3000", "https://[::1]:8443/git", "http://h:80/a/b"}) {
    Target target;
    CHECK(read_server_url(url, target) == "");
    CHECK(server_url(target) == url);
  }
  Target target;
  CHECK(read_server_url("http://h/git/", target) == "");
  CHECK(target.prefix == "/git");
  CHECK(target.port == 80);
}

TEST_CASE("url: a complaint about credentials in a URL does not repeat them") {
  Target target;
  const std::string why = read_url("http://ann:sesame@h/a.git", target);
  CHECK(why.find("credentials don't belong there") != std::string::npos);
  CHECK(why.find("sesame") == std::string::npos);
}

TEST_CASE("url: the path of a repository") {
  CHECK(read_repository("team/app.git") == "/team/app.git");
  CHECK(read_repository("//team/app.git//") == "/team/app.git");
  for (const char* const none : {"", "/", "a b", "a#b", "\xc3\xa4"}) CHECK(read_repository(none) == "");
}

TEST_CASE("rate: with its unit") {
  CHECK(parse_rate("50/s") == 50.0);
  CHECK(parse_rate("120/m") == 2.0);
  CHECK(parse_rate("3600/h") == 1.0);
  CHECK(parse_rate("0.5/s") == 0.5);
  CHECK(parse_rate("0/s") == 0.0);
  for (const char* const none :
       {"", "7", "/s", "x/s", "5/d", "-1/s", "inf/s", "nan", "1e3/s", "2000000/s", "5 /s"})
    CHECK_MESSAGE(!parse_rate(none), none);
  CHECK(rate_text(50) == "50/s");
  CHECK(rate_text(66.6666) == "66.67/s");
  CHECK(rate_text(0.5) == "0.5/s");
}
