// A Git server that is just enough for a storm's tests: it takes pushes of one command, keeps their packs,
// and gives each of them to whoever asks for its commit (protocol v2). A thread for each connection.
#pragma once

#include <atomic>
#include <cstdio>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "git/synthetic_commit.h"
#include "unit/loadgen/client/scripted_server.h"

namespace breakwater::storm {

inline std::string pkt(std::string_view payload) {
  char digits[5];
  std::snprintf(digits, sizeof digits, "%04zx", payload.size() + 4);
  return digits + std::string(payload);
}

class SmallGitServer {
 public:
  // `password`: the value of Authorization that is asked for; empty: none is.
  explicit SmallGitServer(size_t pack_bytes = 3000, std::string password = "")
      : password_(std::move(password)) {
    const MadeCommits made = make_commits({.seed = 11, .bytes = pack_bytes});
    tip = made.tip().hex();
    packs_[tip] = pack_of(made.objects);
    address.v4.sin_family = AF_INET;
    address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.bytes = sizeof address.v4;
    listener_ = sys::listen_on(address, 512, false);
    REQUIRE(listener_ >= 0);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  // Every client must be gone by then.
  ~SmallGitServer() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    for (std::thread& thread : threads_) thread.join();
    ::close(listener_);
  }

  Address address;
  std::string tip;
  std::atomic<int> open{0}, most_open{0}, pushes{0}, fetches{0}, unknown{0}, challenges{0};

 private:
  void accept_all() {
    for (;;) {
      const int fd = ::accept(listener_, nullptr, nullptr);
      if (fd < 0) return;
      threads_.emplace_back([this, fd] { serve(fd); });
    }
  }
  void serve(int fd) {
    const int now_open = ++open;
    int most = most_open;
    while (most < now_open && !most_open.compare_exchange_weak(most, now_open)) {
    }
    {
      Peer peer(fd);
      for (std::string head = peer.read_head(); !head.empty(); head = peer.read_head()) answer(peer, head);
    }
    --open;
  }
  void answer(Peer& peer, const std::string& head) {
    const size_t length = head.find("Content-Length: ");
    const std::string body =
        length == std::string::npos ? "" : peer.read(std::stoul(head.substr(length + 16)));
    if (!password_.empty() && head.find("Authorization: " + password_ + "\r\n") == std::string::npos) {
      ++challenges;
      return peer.answer("401 Unauthorized", "", "WWW-Authenticate: Basic realm=\"x\"\r\n");
    }
    if (head.find("info/refs?service=git-upload-pack") != std::string::npos)
      return git(peer, "upload-pack-advertisement",
                 pkt("# service=git-upload-pack\n") + "0000" + pkt("version 2\n") + pkt("agent=small\n") +
                     pkt("ls-refs=unborn\n") + pkt("fetch=shallow\n") + pkt("object-format=sha1\n") + "0000");
    if (head.find("info/refs?service=git-receive-pack") != std::string::npos)
      return git(peer, "receive-pack-advertisement",
                 pkt("# service=git-receive-pack\n") + "0000" +
                     pkt(tip + " refs/heads/main" + std::string(1, '\0') + "report-status side-band-64k\n") +
                     "0000");
    if (head.find("/git-receive-pack") != std::string::npos) return take_push(peer, body);
    if (body.find("command=ls-refs") != std::string::npos)
      return git(
          peer, "upload-pack-result",
          pkt(tip + " HEAD symref-target:refs/heads/main\n") + pkt(tip + " refs/heads/main\n") + "0000");
    give_pack(peer, body);
  }
  void take_push(Peer& peer, const std::string& body) {
    const std::string commit = body.substr(4 + 41, 40);
    const std::string ref = body.substr(4 + 82, body.find('\0') - 4 - 82);
    {
      const std::lock_guard lock(mutex_);
      packs_[commit] = body.substr(body.find("0000PACK") + 4);
    }
    ++pushes;
    git(peer, "receive-pack-result", pkt("unpack ok\n") + pkt("ok " + ref + "\n") + "0000");
  }
  void give_pack(Peer& peer, const std::string& body) {
    std::string pack;
    {
      const std::lock_guard lock(mutex_);
      const auto found = packs_.find(body.substr(body.find("want ") + 5, 40));
      if (found != packs_.end()) pack = found->second;
    }
    if (pack.empty()) {
      ++unknown;
      return git(peer, "upload-pack-result", pkt("ERR not our ref"));
    }
    ++fetches;
    constexpr size_t piece = 65515;
    std::string answer = pkt("packfile\n");
    for (size_t at = 0; at < pack.size(); at += piece) answer += pkt("\1" + pack.substr(at, piece));
    git(peer, "upload-pack-result", answer + "0000");
  }
  static void git(Peer& peer, std::string_view type, const std::string& body) {
    peer.answer("200 OK", body, "Content-Type: application/x-git-" + std::string(type) + "\r\n");
  }

  const std::string password_;
  std::mutex mutex_;
  std::map<std::string, std::string> packs_;  // by the commit that a push has made
  int listener_ = -1;
  std::list<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace breakwater::storm
