// The log ring: whole lines or nothing, in order, over the wrap, with a reader on another thread.
#include "core/log_ring.h"

#include <doctest/doctest.h>

#include <string>
#include <thread>

using breakwater::LogRing;

TEST_CASE("a line goes in whole or not at all") {
  LogRing ring(16);
  CHECK(ring.push("0123456789\n"));
  CHECK_FALSE(ring.push("0123456789\n"));
  std::string got;
  ring.drain([&](const char* data, size_t bytes) { got.append(data, bytes); });
  CHECK(got == "0123456789\n");
  CHECK(ring.push("abcdefghij\n"));
  got.clear();
  ring.drain([&](const char* data, size_t bytes) { got.append(data, bytes); });
  CHECK(got == "abcdefghij\n");
}

TEST_CASE("a writer and a reader on two threads lose nothing that was taken in") {
  LogRing ring(1024);
  constexpr int lines = 20'000;
  std::string got;
  std::thread reader([&] {
    size_t seen = 0;
    while (seen < lines) {
      ring.drain([&](const char* data, size_t bytes) {
        got.append(data, bytes);
        for (size_t index = 0; index < bytes; index++) seen += data[index] == '\n';
      });
    }
  });
  std::string wanted;
  for (int number = 0; number < lines; number++) {
    const std::string line = std::to_string(number) + "\n";
    wanted += line;
    while (!ring.push(line)) std::this_thread::yield();
  }
  reader.join();
  CHECK(got == wanted);
}
