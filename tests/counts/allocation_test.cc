// A request allocates nothing, once as many were served at the same time as will be: no operator new, no
// fresh coroutine frame, no malloc by anybody, on the core's thread, with the log on. What else a request
// costs is printed and never judged.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <list>
#include <memory>
#include <new>
#include <string>
#include <thread>

#include "base/thread_counts.h"
#include "coro/frame_pool.h"
#include "counts/every_malloc.h"
#include "counts/world.h"
#include "wire/http_body.h"

using namespace breakwater;
using namespace breakwater::counts;

namespace {

constexpr size_t megabyte = 1'000'000;
constexpr int warm_up_rounds = 20;
constexpr int at_once = 3;  // more than the clients that are measured, so that no overlap is left to chance

std::string request(std::string_view start_line, std::string_view body_fields, const std::string& body = "") {
  return std::string(start_line) +
         " HTTP/1.1\r\nHost: git.example.com\r\nUser-Agent: git/2.39.5\r\n"
         "Accept-Encoding: deflate, gzip, br, zstd\r\nAccept: */*\r\nGit-Protocol: version=2\r\n" +
         std::string(body_fields) + "\r\n" + body;
}

std::string with_length(size_t bytes) {
  return "Content-Length: " + std::to_string(bytes) + "\r\n";
}

std::string answer(size_t bytes) {
  return "HTTP/1.1 200 OK\r\nServer: nginx\r\nCache-Control: no-cache\r\nContent-Type: "
         "application/x-git-result\r\n" +
         with_length(bytes) + "\r\n" + std::string(bytes, 'x');
}

// As Apache sends it.
std::string chunked_answer(size_t bytes) {
  std::string text = "HTTP/1.1 200 OK\r\nServer: Apache\r\nTransfer-Encoding: chunked\r\n\r\n";
  std::array<char, wire::chunk_header_bytes_max> line;
  for (size_t left = bytes; left > 0;) {
    const size_t chunk = std::min<size_t>(left, 8000);
    text.append(line.data(), wire::write_chunk_header(chunk, line));
    text.append(chunk, 'x');
    text += "\r\n";
    left -= chunk;
  }
  return text + "0\r\n\r\n";
}

const std::string advertisement = request("GET /team/app.git/info/refs?service=git-upload-pack", "");
const std::string fetch = request(
    "POST /team/app.git/git-upload-pack",
    "Content-Type: application/x-git-upload-pack-request\r\n" + with_length(173), std::string(173, 'w'));
const std::string push =
    request("POST /team/app.git/git-receive-pack",
            "Content-Type: application/x-git-receive-pack-request\r\n" + with_length(megabyte),
            std::string(megabyte, 'p'));

void print_row(const char* what, const char* unit, const Counts& counts, double units) {
  const auto each = [units](uint64_t count) { return static_cast<double>(count) / units; };
  std::printf(
      "%-28s a %-8s %8.1f system calls %8.1f enters %8.1f SQEs %8.1f wake-ups %8.1f context switches %8.0f "
      "KB "
      "copied\n",
      what, unit, each(counts.system_calls), each(counts.enters), each(counts.sqes), each(counts.wake_ups),
      each(counts.switches), each(counts.bytes_copied) / 1000);
}

void print(const char* what, const Counts& counts) {
  print_row(what, "request:", counts, static_cast<double>(counts.requests));
  const double gigabytes = static_cast<double>(counts.bytes) / 1e9;
  if (counts.bytes / counts.requests >= megabyte) print_row(what, "GB:", counts, gigabytes);
}

void expect_no_allocation(const char* what, const Counts& counts, int requests) {
  print(what, counts);
  CHECK(counts.requests == static_cast<uint64_t>(requests));
  CHECK(counts.log_lines + 1 >= counts.requests);  // the last one may still be on its way
  CHECK(counts.allocations == 0);
  CHECK(counts.frames == 0);
  CHECK(counts.mallocs == 0);
}

void ask(Peer& client, const std::string& request) {
  REQUIRE(client.send(request));
  REQUIRE(client.read_message());
}

// Several clients at once, until everything has been needed that will be.
void warm_up(Proxy& proxy, const std::string& request) {
  std::list<Peer> clients;
  for (int round = 0; round < warm_up_rounds; round++) {
    if (round % 5 == 0) clients.clear();
    while (clients.size() < at_once) clients.emplace_back(loopback(), proxy.address());
    for (Peer& client : clients) REQUIRE(client.send(request));
    for (Peer& client : clients) REQUIRE(client.read_message());
  }
}

void serve_on_one_connection(const char* what, const std::string& request, const std::string& answer,
                             int requests) {
  const Server server(answer);
  Proxy proxy(server.address());
  warm_up(proxy, request);
  Peer client(loopback(), proxy.address());
  ask(client, request);
  const Counts before = proxy.counts();
  for (int count = 0; count < requests; count++) ask(client, request);
  expect_no_allocation(what, proxy.counts() - before, requests);
}

void serve_on_new_connections(const char* what, const Address& from) {
  const Server server(answer(1024));
  Proxy proxy(server.address());
  warm_up(proxy, advertisement);
  const Counts before = proxy.counts();
  constexpr int requests = 100;
  for (int count = 0; count < requests; count++) {
    Peer client(from, proxy.address());
    ask(client, advertisement);
  }
  expect_no_allocation(what, proxy.counts() - before, requests);
}

void probe_again_and_again(const char* what, const config::Probe& kind, const std::string& answer) {
  CAPTURE(what);
  config::Probe probe = kind;
  probe.interval = probe.fast_interval = config::Duration{2};
  const Server server(answer);
  Proxy proxy(server.address(), probe);
  const auto wait_for = [&proxy](uint64_t probes) {
    while (proxy.counts().probes < probes) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  };
  wait_for(5);
  const Counts before = proxy.counts();
  wait_for(before.probes + 50);
  const Counts counts = proxy.counts() - before;
  CHECK(counts.allocations == 0);
  CHECK(counts.frames == 0);
}

template <typename Allocate>
void expect_one(Allocate allocate) {
  const uint64_t allocations = thread_counts.allocations;
  const uint64_t mallocs = every_malloc();
  allocate();
  CHECK(thread_counts.allocations == allocations + 1);
  CHECK(every_malloc() == mallocs + 1);
}

struct alignas(64) Aligned {
  char bytes[64];
};

// Keeps the compiler from leaving out what nobody looks at.
template <typename T>
T* look_at(T* what) {
  static T* volatile seen;
  seen = what;
  return seen;
}

}  // namespace

TEST_CASE("the counter counts: every form of new, what the library allocates for us, and frames") {
  expect_one([] { delete look_at(new int(1)); });
  expect_one([] { delete[] look_at(new char[100]); });
  expect_one([] { delete look_at(new (std::nothrow) int(1)); });
  expect_one([] { delete[] look_at(new (std::nothrow) char[100]); });
  expect_one([] { delete look_at(new Aligned); });
  expect_one([] { delete[] look_at(new Aligned[2]); });
  expect_one([] { delete look_at(new (std::nothrow) Aligned); });
  expect_one([] { delete[] look_at(new (std::nothrow) Aligned[2]); });
  expect_one([] {
    std::string text(100, 'x');
    look_at(text.data());
  });
  expect_one([] {
    FramePool pool;
    void* const frame = pool.acquire(1000);
    pool.release(frame, 1000);
    void* const again = pool.acquire(1000);  // it is at hand
    pool.release(again, 1000);
  });
}

TEST_CASE("the counter counts: malloc by whoever calls it") {
  const uint64_t allocations = thread_counts.allocations;
  const uint64_t mallocs = every_malloc();
  std::free(look_at(std::malloc(10)));
  std::free(look_at(std::calloc(10, 10)));
  std::free(look_at(strdup("text")));
  CHECK(every_malloc() == mallocs + 3);
  CHECK(thread_counts.allocations == allocations);
}

TEST_CASE("the counter counts: the core's thread allocates as more is served at the same time") {
  const Server server(answer(1024));
  Proxy proxy(server.address());
  std::list<Peer> clients;
  ask(clients.emplace_back(loopback(), proxy.address()), advertisement);
  const Counts before = proxy.counts();
  for (int count = 0; count < 20; count++)
    ask(clients.emplace_back(loopback(), proxy.address()), advertisement);
  const Counts after = proxy.counts() - before;
  CHECK(after.frames >= 20 - 1);  // the last one's may not be published yet
  CHECK(after.allocations >= after.frames);
  CHECK(after.mallocs >= 20 - 1);
}

TEST_CASE("info/refs with an answer of 1 KiB allocates nothing") {
  serve_on_one_connection("info/refs", advertisement, answer(1024), 300);
}

TEST_CASE("upload-pack answered with 1 MB in chunks allocates nothing") {
  serve_on_one_connection("upload-pack, chunked", fetch, chunked_answer(megabyte), 40);
}

TEST_CASE("upload-pack answered with 1 MB of known length allocates nothing") {
  serve_on_one_connection("upload-pack, length", fetch, answer(megabyte), 40);
}

TEST_CASE("receive-pack of 1 MB allocates nothing, although it has a server connection of its own") {
  serve_on_one_connection("receive-pack", push, answer(100), 40);
}

TEST_CASE("a new client connection allocates nothing") {
  serve_on_new_connections("new connection", loopback());
}

TEST_CASE("a client whose address is a long text allocates nothing") {
  serve_on_new_connections("new connection, from afar", loopback(0x646464));  // 127.100.100.100
}

TEST_CASE("a probe allocates nothing") {
  using Type = config::Probe::Type;
  probe_again_and_again("tcp", {.type = Type::tcp}, answer(10));
  probe_again_and_again("http", {.type = Type::http, .path = "/health"}, answer(10));
  probe_again_and_again("http, another status", {.type = Type::http, .path = "/health", .status = 204},
                        answer(10));
  probe_again_and_again("git, not Git", {.type = Type::git, .path = "/a.git"}, chunked_answer(10));
}
