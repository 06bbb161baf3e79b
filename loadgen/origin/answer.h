// Requests in, replies out: what the synthetic server says, without any of its sending. Any core; it does not
// suspend. Each kind of request has a file of its own, answer_*.cc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "git/append_line.h"
#include "origin/reply.h"
#include "origin/site.h"
#include "wire/http_head.h"

namespace breakwater::storm::origin {

struct Request {
  const wire::RequestHead& head;
  std::string_view path;   // decoded: "/repository-0.git/info/refs"
  std::string_view query;  // raw
  std::string_view body;   // whole, without framing and gzip
  bool is_secure = false;
};

// What follows is of one repository.
struct Ask {
  Site& site;
  SyntheticRepository& repository;
  const Request& request;
  uint8_t protocol = 0;  // 0, 1 or 2, as Git-Protocol says
};

// Of the server, and of its control API.
Reply answer(Site& site, const Request& request);
Reply answer_control(Site& site, const Request& request);

Reply answer_advertisement(const Ask& ask, std::string_view service);
Reply answer_ls_refs(const Ask& ask);      // protocol v2
Reply answer_upload_pack(const Ask& ask);  // all that is posted there
Reply answer_receive_pack(const Ask& ask);
Reply answer_lfs_batch(const Ask& ask);
Reply answer_lfs_object(const Ask& ask, std::string_view name);
Reply answer_dumb(const Ask& ask, std::string_view file);
Reply answer_page(const Ask& ask, std::string_view rest);

// ---- for all of these
Reply text_reply(uint16_t status, std::string text, std::string fields = {});
Reply json_reply(uint16_t status, std::string text, std::string_view type = "application/json");
// Of a smart service: streamed, and never to be cached.
Reply git_reply(std::string_view type, std::string front);
// A reply of Git's that says why not, as pkt-line.
Reply git_error(std::string_view type, std::string_view sentence);
inline constexpr std::string_view agent = "agent=storm/1";

// Asks the faults about this answer. True: the reply is another one now, and complete.
bool fail(const Ask& ask, Place place, Reply& reply);

}  // namespace breakwater::storm::origin
