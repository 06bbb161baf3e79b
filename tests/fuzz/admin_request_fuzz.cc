// Requests on the admin listener, over a socket as there: it takes what a second reader of HTTP takes, with
// the same method, path and body, and nothing else; whatever it takes or refuses is answered in a form that
// can be read.
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>
#include <string_view>

#include "app/admin_guard.h"
#include "app/admin_http.h"
#include "base/assert.h"
#include "fuzz/strict_reader.h"

using namespace breakwater::app;

namespace {

constexpr strict::Limits limits{.head_bytes_max = 8192, .target_bytes_max = 1024};

std::string read_all(int fd) {
  std::string all;
  std::array<char, 4096> part;
  for (ssize_t got; (got = recv(fd, part.data(), part.size(), 0)) > 0;)
    all.append(part.data(), static_cast<size_t>(got));
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 32768) return 0;  // all of it fits into a socket
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  static const int never = eventfd(0, EFD_CLOEXEC);
  int ends[2];
  BW_ASSERT(never >= 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  if (size > 0) BW_ASSERT(send(ends[0], data, size, 0) == static_cast<ssize_t>(size));
  shutdown(ends[0], SHUT_WR);
  AdminRequest request;
  AdminAnswer answer;
  AdminConnection connection(ends[1], never);
  const AdminConnection::Got got = connection.read(request, answer);
  const strict::Message expected = strict::read_request(bytes, 0, limits);
  const bool sound = expected.head == strict::Verdict::whole;
  if (got == AdminConnection::Got::request) {
    BW_ASSERT(expected.is_whole());
    BW_ASSERT(request.method == expected.method && request.host == expected.authority);
    BW_ASSERT(request.path == expected.path_query.substr(0, expected.path_query.find('?')));
    BW_ASSERT(request.body == expected.payload);
    BW_ASSERT(request.has_origin == (expected.find("origin") != nullptr));
    if (is_own_host(request.host)) BW_ASSERT(request.host.find_first_of(" /@\r\n") == std::string::npos);
    answer.body = "all is well\n";
  } else if (got == AdminConnection::Got::fault) {
    const bool declined = answer.status == 411 || answer.status == 413;
    BW_ASSERT(sound ? declined : answer.status >= 400);
  } else {
    BW_ASSERT(!expected.is_whole());
  }
  if (got != AdminConnection::Got::nothing) {
    connection.send(answer, request.method != "HEAD");
    close(ends[1]);
    std::string said = read_all(ends[0]);
    constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    if (said.starts_with(go_on)) said.erase(0, go_on.size());
    const strict::Message read = strict::read_response(said, 0, request.method, false, true, limits);
    BW_ASSERT(read.is_whole() && read.end == said.size() && read.status == answer.status);
  } else {
    close(ends[1]);
  }
  close(ends[0]);
  return 0;
}
