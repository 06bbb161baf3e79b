// How another server takes over a pack, inside the answer that its client already reads. As long as nothing
// but Git's progress messages passed, a server that fails has said nothing that the client will keep
// (wire/pack_progress.h): another one is sent the same request, and what it says is put behind that.
#include <cstring>

#include "proxy/exchange.h"
#include "proxy/limits.h"
#include "proxy/send.h"
#include "wire/pkt_line.h"

namespace breakwater::proxy {

using config::ns;

namespace {

// In the room where what goes before another server's words is made ready.
constexpr size_t line_end_bytes = 2;
constexpr size_t header_room = wire::chunk_header_bytes_max;

constexpr std::string_view sorry =
    "\x03"
    "breakwater: the server failed while it prepared the pack, and no other one could take over; try again\n";

}  // namespace

// May another server go on with the answer whose head is there? The client must not have been told its
// length.
bool Exchange::another_may_go_on(const wire::BodyFraming& towards_client) noexcept {
  if (git_.operation != wire::GitOperation::upload_pack || !towards_client.is_open_ended() || !replayable_ ||
      !has_git_result())
    return false;
  if (health().present_count() <= 1 || interim_passed_) return false;
  const wire::UploadPackAsk& ask = upload_pack_ask();
  return ask.is_fetch && ask.answer != wire::UploadPackAnswer::unprovable;
}

// Is the answer of the server that is to take over one that can be put behind what the client has?
bool Exchange::goes_on_well() noexcept {
  return response_.body.is_open_ended() && has_git_result() && verdict_ == backends::Outcome::good &&
         answer_ == wire::GitAnswer::fine;
}

// Git says that it failed: true if another server is to try.
bool Exchange::leaves_failed_git(void* context) {
  Exchange& self = *static_cast<Exchange*>(context);
  if (self.find_another(Move::again)) return true;
  self.verdict_ = backends::Outcome::git_error;  // the client hears of it: no better than those before
  return false;
}

// The pump has ended. As long as it failed while another server may go on, one does.
Task<void> Exchange::take_over() {
  while (failure_.code == Code::none && download_.error().code != Code::none) {
    const Error why = download_.error();
    const bool may = has_room_for_line() && download_.end_open_line(room_for_line()).has_value();
    if (!may || !find_another(Move::again)) break;
    if (why.code == Code::failed)  // Git says so
      suspects_.add(server_index_);
    else
      report_failure(why);
    co_await abandon_server();
    if (failure_.code != Code::none) co_return;  // whoever waited for it has gone
    takes_over_ = true;
    enter_next_server();
    core_.stats().retries.add();
    co_await ask_servers();
    if (failure_.code != Code::none) break;
    const size_t open = download_.end_open_line(room_for_line()).value_or(0);
    const std::string_view head = framed(open);
    opening_sent_ = download_.opening_passed();
    taken_over_bytes_ += download_.passed_bytes() + open;
    phase_ = Phase::response_body;
    co_await relay_body(head);
  }
  const bool failed = failure_.code != Code::none || download_.error().code != Code::none;
  if (!failed && takes_over_ && verdict_ == backends::Outcome::good) core_.stats().packs_taken_over.add();
  if (failed && failure_.side != Side::downstream) co_await say_that_pack_failed();
}

// Git's client shows this and fails; an end without a word it would show as trouble with the network.
Task<void> Exchange::say_that_pack_failed() {
  if (!has_room_for_line()) co_return;
  const std::span<char> room = room_for_line();
  const std::optional<size_t> open = download_.end_open_line(room);
  if (!open || !download_.opening_passed().whole) co_return;
  const size_t said = wire::write_pkt_line(sorry, room.subspan(*open));
  if (said == 0) co_return;
  const std::string_view message = framed(*open + said);
  const Error error =
      co_await send_all(core_, session_.stream(), Side::downstream, message, ns(config_.timeouts.idle));
  if (error.code == Code::none) taken_over_bytes_ += *open + said;
  if (failure_.code == Code::none) failure_ = error.code != Code::none ? error : download_.error();
}

// The head that stood there is with the client. False: there is no room any more.
bool Exchange::has_room_for_line() noexcept {
  if (!response_room_) response_room_ = core_.head_room().acquire();
  return static_cast<bool>(response_room_);
}

// Between a chunk's line and its end.
std::span<char> Exchange::room_for_line() noexcept {
  const std::span<char> room = response_room_.span();
  return room.subspan(header_room, room.size() - header_room - line_end_bytes);
}

// What stands in the room, framed for the client; `bytes` may be 0.
std::string_view Exchange::framed(size_t bytes) noexcept {
  char* const begin = room_for_line().data();
  if (bytes == 0 || client_framing_ == Pump::Framing::plain) return {begin, bytes};
  BW_ASSERT(bytes <= room_for_line().size());
  std::array<char, wire::chunk_header_bytes_max> header;
  const size_t header_bytes = wire::write_chunk_header(bytes, header);
  std::memcpy(begin - header_bytes, header.data(), header_bytes);
  std::memcpy(begin + bytes, "\r\n", line_end_bytes);
  return {begin - header_bytes, header_bytes + bytes + line_end_bytes};
}

}  // namespace breakwater::proxy
