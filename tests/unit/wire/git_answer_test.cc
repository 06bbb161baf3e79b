// What the beginning of a 200 tells of Git behind it.
#include "wire/git_answer.h"

#include <doctest/doctest.h>

#include <string>

using namespace breakwater::wire;

namespace {

constexpr std::string_view fetch_refs = "application/x-git-upload-pack-advertisement";
constexpr std::string_view push_refs = "application/x-git-receive-pack-advertisement";
constexpr std::string_view result = "application/x-git-upload-pack-result";

GitAnswer judge(GitOperation operation, std::string_view type, std::string_view body,
                const std::string& framing = "") {
  const std::string text = "HTTP/1.1 200 OK\r\nContent-Type: " + std::string(type) + "\r\n" +
                           (framing.empty() ? "Content-Length: " + std::to_string(body.size()) : framing) +
                           "\r\n\r\n";
  ResponseHead head;
  REQUIRE(parse_response(text, {}, Method::get, head) == Fault::none);
  return judge_git_answer(operation, head, body);
}

}  // namespace

TEST_CASE("git answer: advertisements as Git sends them") {
  const auto of = [](std::string_view body) {
    return judge(GitOperation::advertise_fetch, fetch_refs, body);
  };
  CHECK(of("001e# service=git-upload-pack\n00000010 a ref...0000") == GitAnswer::fine);
  CHECK(of("001e# service=git-upload-pack\n0000000eversion 2\n0000") == GitAnswer::fine);
  CHECK(of("000eversion 2\n0000") == GitAnswer::fine);
  CHECK(of("000eversion 2\n0010object-info\n0000") == GitAnswer::fine);
  CHECK(of("000eversion 2\n0010object-info\n") == GitAnswer::empty);
  CHECK(of("000eversion 2\n0010object-in") == GitAnswer::empty);
  CHECK(of("001e# service=git-upload-pack\n00000000") == GitAnswer::fine);  // an empty repository
  CHECK(of("001e# service=git-upload-pack\n0000") == GitAnswer::empty);
  CHECK(of("001e# service=git-upload-pack\n") == GitAnswer::empty);
  CHECK(of("") == GitAnswer::empty);
  CHECK(of("001e# service=git-upload-pack\n0000000dERR no way") == GitAnswer::error);
  CHECK(of("<!DOCTYPE html>") == GitAnswer::not_git);
  CHECK(judge(GitOperation::advertise_push, push_refs, "001f# service=git-receive-pack\n0000") ==
        GitAnswer::empty);
}

TEST_CASE("git answer: other types than were asked for") {
  CHECK(judge(GitOperation::advertise_fetch, "text/html; charset=UTF-8", "<html>") == GitAnswer::not_git);
  CHECK(judge(GitOperation::advertise_push, "text/html", "<html>") == GitAnswer::not_git);
  CHECK(judge(GitOperation::upload_pack, "text/html", "<html>") == GitAnswer::not_git);
  CHECK(judge(GitOperation::advertise_fetch, "text/plain", "0123\trefs/heads/main\n") == GitAnswer::fine);
  CHECK(judge(GitOperation::other, "text/html", "<html>") == GitAnswer::fine);
  CHECK(judge(GitOperation::advertise_fetch, fetch_refs, "\x1f\x8b",
              "Content-Encoding: gzip\r\nContent-Length: 2") == GitAnswer::fine);
}

TEST_CASE("git answer: a pack's beginning") {
  const auto of = [](std::string_view body) { return judge(GitOperation::upload_pack, result, body); };
  CHECK(of("0008NAK\n") == GitAnswer::fine);
  CHECK(of("000dpackfile\n") == GitAnswer::fine);
  CHECK(of("0000") == GitAnswer::fine);
  CHECK(of("") == GitAnswer::empty);
  CHECK(of("0008N") == GitAnswer::empty);
  CHECK(of("0021ERR upload-pack: not our ref ") == GitAnswer::not_our_ref);
  CHECK(of("000eERR denied") == GitAnswer::error);
}

TEST_CASE("git answer: in chunks, and with a part of it") {
  const std::string chunks = "Transfer-Encoding: chunked";
  const auto refs = [&](std::string_view body) {
    return judge(GitOperation::advertise_fetch, fetch_refs, body, chunks);
  };
  CHECK(refs("") == GitAnswer::undecided);
  CHECK(refs("1e") == GitAnswer::undecided);
  CHECK(refs("1E\r\n001e# service=git-upload-pack\n\r\n") == GitAnswer::undecided);
  CHECK(refs("30\r\n001e# service=git-upload-pack\n0000000eversion 2\n\r\n") == GitAnswer::undecided);
  const std::string split = "1e\r\n001e# service=git-upload-pack\n\r\n4\r\n0000\r\ne\r\n000eversion 2\n\r\n";
  CHECK(refs(split) == GitAnswer::undecided);
  CHECK(refs(split + "14\r\n0010object-info\n0000\r\n") == GitAnswer::fine);
  CHECK(refs(split + "10\r\n0010object-info\n\r\n0\r\n\r\n") == GitAnswer::empty);
  CHECK(refs("22\r\n001e# service=git-upload-pack\n0000\r\n0\r\n\r\n") == GitAnswer::empty);
  CHECK(refs("0\r\n\r\n") == GitAnswer::empty);
  CHECK(refs("ffffffffffffffff\r\n<html>") == GitAnswer::not_git);
  CHECK(judge(GitOperation::upload_pack, result, "4\r\n0000\r\n0\r\n\r\n", chunks) == GitAnswer::fine);
  CHECK(judge(GitOperation::upload_pack, result, "4\r\n0000\r\n", chunks) == GitAnswer::undecided);
  CHECK(refs("zz\r\n") == GitAnswer::fine);  // the body's reader refuses it
  const std::string length = "Content-Length: 100";
  CHECK(judge(GitOperation::upload_pack, result, "0008", length) == GitAnswer::undecided);
  CHECK(judge(GitOperation::upload_pack, result, "0021ERR upload-pack: ", length) == GitAnswer::undecided);
  CHECK(judge(GitOperation::upload_pack, result, "0008NAK\n", length) == GitAnswer::fine);
}
