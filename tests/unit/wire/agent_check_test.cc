// The words of HAProxy's agent-check.
#include "wire/agent_check.h"

#include <doctest/doctest.h>

using namespace breakwater::wire;
using Health = AgentAnswer::Health;
using Order = AgentAnswer::Order;

TEST_CASE("agent: every word by itself, in any case of letters") {
  CHECK(parse_agent_line("up").health == Health::up);
  for (const char* word : {"down", "failed", "fail", "stopped", "STOPPED", "Down"})
    CHECK(parse_agent_line(word).health == Health::down);
  CHECK(parse_agent_line("ready").order == Order::ready);
  CHECK(parse_agent_line("drain").order == Order::drain);
  CHECK(parse_agent_line("Maint").order == Order::maintenance);
  CHECK(parse_agent_line("75%").weight_percent == 75);
  CHECK(parse_agent_line("0%").weight_percent == 0);
  CHECK(parse_agent_line("maxconn:30").connections_max == 30);
  CHECK(parse_agent_line("MAXCONN:0").connections_max == 0);
}

TEST_CASE("agent: several words, whatever stands between them") {
  for (const char* line :
       {"up ready 50%", "50%,ready,up", "\t up,\t,ready , 50% ", "50%  up ready # all is well"}) {
    CAPTURE(line);
    const AgentAnswer answer = parse_agent_line(line);
    CHECK(answer.health == Health::up);
    CHECK(answer.order == Order::ready);
    CHECK(answer.weight_percent == 50);
    CHECK_FALSE(answer.connections_max.has_value());
  }
  const AgentAnswer last = parse_agent_line("up down 10% drain 20% ready");
  CHECK(last.health == Health::down);
  CHECK(last.order == Order::ready);
  CHECK(last.weight_percent == 20);
}

TEST_CASE("agent: what follows # is for people") {
  CHECK(parse_agent_line("down #  the disk is full, ready soon").reason == "the disk is full, ready soon");
  CHECK(parse_agent_line("down # x").order == Order::unsaid);
  CHECK(parse_agent_line("down #").reason.empty());
  CHECK(parse_agent_line("up#x").health == Health::unsaid);  // one word
}

TEST_CASE("agent: what is no word says nothing, and large numbers are cut") {
  for (const char* line : {"", " \t,", "# up", "upp", "%", "-5%", "5 %", "5%5", "0x5%",
                           "maxconn:", "maxconn:x", "maxconn", "HTTP/1.1 400 Bad Request"}) {
    CAPTURE(line);
    CHECK_FALSE(parse_agent_line(line).says_anything());
  }
  CHECK(parse_agent_line("30000%").weight_percent == agent_percent_max);
  CHECK(parse_agent_line("99999999999999999999%").weight_percent == agent_percent_max);
}

TEST_CASE("agent: a line ends with CR or LF") {
  CHECK(end_of_agent_line("up\ndown\n") == 2);
  CHECK(end_of_agent_line("up\r\n") == 2);
  CHECK(end_of_agent_line("\n") == 0);
  CHECK(end_of_agent_line("up") == std::string_view::npos);
}
