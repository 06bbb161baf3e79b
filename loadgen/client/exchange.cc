#include "client/exchange.h"

#include <span>

namespace breakwater::storm {

namespace {

void note_fields(const wire::ResponseHead& head, Answer& answer) {
  const std::string_view type = head.fields.find("content-type");
  answer.is_dumb = !type.starts_with("application/x-git-");
  answer.retry_after = head.fields.find("retry-after").data() != nullptr;
  if (head.status >= 300 && head.status < 400) answer.location = head.fields.find("location");
  answer.offers_basic = answer.offers_bearer = false;
  for (size_t i = 0; i < head.fields.size(); ++i) {
    const wire::Field field = head.fields[i];
    if (!wire::equals_ignoring_case(field.name, "www-authenticate") &&
        !wire::equals_ignoring_case(field.name, "lfs-authenticate"))
      continue;
    const std::string_view scheme = field.value.substr(0, field.value.find(' '));
    answer.offers_basic = answer.offers_basic || wire::equals_ignoring_case(scheme, "basic");
    answer.offers_bearer = answer.offers_bearer || wire::equals_ignoring_case(scheme, "bearer");
  }
}

std::string bad_head(wire::Fault fault) {
  return "the head of the answer: " + std::string(wire::name(fault));
}

}  // namespace

Failure Exchange::fail(Failure failure, std::string_view why) {
  why_ = why;
  return failure;
}

Task<Failure> Exchange::perform(const Message& message, Sink& sink, Answer& answer,
                                Connection::Times& times) {
  for (;;) {
    const bool reused = connection_.is_reusable();
    why_.clear();
    if (!reused) {
      connection_.close();
      Connection::Times opened;
      const Failure failure = co_await connection_.open(opened);
      if (times.connected_ns < 0) times = opened;
      if (failure != Failure::none) co_return failure;
    }
    answer = {};
    Failure failure = co_await send(message);
    // A server may answer, and stop listening, before it has the whole request.
    if (failure == Failure::none || failure == Failure::http) failure = co_await read_head(message, answer);
    // It closed the connection while our request was under way to it. What is made while it is sent is gone.
    const bool again =
        failure == Failure::http && reused && answer.first_byte_ns < 0 && message.pieces == nullptr;
    if (again) {
      connection_.close();
      continue;
    }
    if (failure == Failure::none) failure = co_await read_body(sink, answer);
    if (failure != Failure::none)
      connection_.reset();
    else if (!keep_alive_)
      connection_.close();
    co_return failure;
  }
}

Task<Failure> Exchange::send(const Message& message) {
  // In one piece if there is a body: curl sends small ones with their heads.
  std::string all(message.head);
  all += message.body;
  Failure failure = co_await connection_.send(all);
  if (message.pieces == nullptr) co_return failure;
  std::array<char, wire::chunk_header_bytes_max> size;
  while (failure == Failure::none) {
    const std::string_view piece = message.pieces->next();
    if (piece.empty()) break;
    const size_t bytes = wire::write_chunk_header(piece.size(), size);
    all.assign(size.data(), bytes);
    all += piece;
    all += "\r\n";
    failure = co_await connection_.send(all);
  }
  if (failure != Failure::none) co_return failure;
  failure = co_await connection_.send("0\r\n\r\n");
  co_return failure;
}

// The final one, behind interim ones.
Task<Failure> Exchange::read_head(const Message& message, Answer& answer) {
  scanner_.reset();
  for (;;) {
    bool is_final = false;
    const Failure bad = look_at_head(message, answer, is_final);
    if (bad != Failure::none) co_return bad;
    if (is_final) co_return Failure::none;
    const Failure failure = co_await connection_.receive();
    if (failure != Failure::none) co_return failure;
    if (connection_.ended()) co_return fail(Failure::http, "the connection ended before an answer");
    if (answer.first_byte_ns < 0) answer.first_byte_ns = core_.now_ns();
  }
}

Failure Exchange::look_at_head(const Message& message, Answer& answer, bool& is_final) {
  for (;;) {
    const std::span<char> bytes = connection_.bytes();
    const std::string_view text(bytes.data(), bytes.size());
    if (text.empty()) return Failure::none;
    const wire::HeadScanner::State state = scanner_.scan(text);
    if (state == wire::HeadScanner::State::incomplete) return Failure::none;
    if (state == wire::HeadScanner::State::refused || scanner_.start() != 0)
      return fail(Failure::http, bad_head(scanner_.fault()));
    wire::ResponseHead head;
    const std::string_view whole = text.substr(0, scanner_.end());
    const wire::Fault fault = wire::parse_response(whole, head_limits, message.method, head);
    if (fault != wire::Fault::none) return fail(Failure::http, bad_head(fault));
    if (head.status == 101) return fail(Failure::http, "status 101: nobody asked for another protocol");
    is_final = head.status >= 200;
    if (is_final) {
      answer.status = head.status;
      keep_alive_ = head.keep_alive;
      note_fields(head, answer);
      body_.start(head.body);
      inflater_ = Inflater::of(head.fields.find("content-encoding"));
      if (inflater_ != nullptr && !inflater_->is_usable())
        return fail(Failure::http, "a Content-Encoding that was not asked for, or no memory for it");
    }
    connection_.consume(whole.size());
    if (is_final) return Failure::none;
    scanner_.reset();
  }
}

Task<Failure> Exchange::read_body(Sink& sink, Answer& answer) {
  for (;;) {
    const Failure bad = take_body(sink, answer);
    if (bad != Failure::none || answer.was_cut) co_return bad;
    if (body_.done()) break;
    const Failure failure = co_await connection_.receive();
    // A body that breaks off has ended before its end, whatever the way.
    if (failure == Failure::http) co_return Failure::truncated;
    if (failure != Failure::none) co_return failure;
    if (!connection_.ended()) continue;
    keep_alive_ = false;
    if (!body_.end_of_connection())
      co_return fail(Failure::truncated, "the connection ended in the body of the answer");
  }
  if (inflater_ != nullptr && !inflater_->is_whole() && answer.payload_bytes > 0)
    co_return fail(Failure::truncated, "the end of what is compressed is missing");
  co_return Failure::none;
}

// What is there of it.
Failure Exchange::take_body(Sink& sink, Answer& answer) {
  wire::Pieces pieces;
  while (!body_.done()) {
    const std::span<char> raw = connection_.bytes();
    if (raw.empty()) return Failure::none;
    pieces.clear();
    const size_t walked = body_.walk(raw, pieces);
    for (size_t i = 0; i < pieces.count && !answer.was_cut; ++i)
      if (!give({pieces.piece[i].data, pieces.piece[i].bytes}, sink, answer))
        return fail(Failure::http, "a body that is not compressed as its head says");
    connection_.consume(walked);
    if (body_.fault() != wire::Fault::none)
      return fail(Failure::http, "the body of the answer: " + std::string(wire::name(body_.fault())));
    if (answer.was_cut) return Failure::none;
  }
  return Failure::none;
}

// False: what should be compressed is not.
bool Exchange::give(std::string_view payload, Sink& sink, Answer& answer) {
  answer.payload_bytes += payload.size();
  if (answer.status != 200) return true;
  if (inflater_ == nullptr) {
    answer.was_cut = !sink.take(payload);
    return true;
  }
  while (!answer.was_cut) {
    const std::string_view inflated = inflater_->next(payload, core_.look_room());
    if (inflated.empty()) break;
    answer.was_cut = !sink.take(inflated);
  }
  return !inflater_->failed();
}

}  // namespace breakwater::storm
