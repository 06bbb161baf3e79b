// The files of TLS: of a listener its certificates, ticket keys, and whom it trusts to sign clients'
// certificates; of a pool whom it trusts to sign its servers', and its own certificate. Read when the program
// starts and again whenever somebody asks; what is read is taken whole or not at all.
//
// Of one thread at a time; the cores only see what was made of them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "app/look_of_files.h"
#include "config/config.h"
#include "proxy/server.h"
#include "tls/current.h"

namespace breakwater::app {

class TlsFiles {
 public:
  TlsFiles() = default;
  TlsFiles(const TlsFiles&) = delete;
  TlsFiles& operator=(const TlsFiles&) = delete;
  virtual ~TlsFiles() = default;

  // Reads all of them. False, with every error, if they can't be used; then nothing changes.
  virtual bool load(tls::Errors& errors) = 0;
  virtual std::string table() const = 0;               // of the configuration: "listen.git"
  virtual std::string folder() const { return ""; }    // all files in it count
  virtual std::vector<std::string> files() const = 0;  // and these
  std::string look() const { return look_of(folder(), files()); }
  // Gives out new keys for tickets, unless they come from a file; the ones before still open for a while.
  virtual void rotate_tickets() {}
};

class ListenerFiles : public TlsFiles {
 public:
  using Current = tls::Current<tls::Context>;
  // Both outlive this.
  ListenerFiles(const config::Listen& listen, Current& current) : listen_(listen), current_(current) {}

  bool load(tls::Errors& errors) override;
  std::string table() const override { return "listen." + listen_.name; }
  std::string folder() const override { return listen_.tls.certificates; }
  std::vector<std::string> files() const override;
  void rotate_tickets() override;

 private:
  std::shared_ptr<const tls::TicketKeys> ticket_keys(tls::Errors& errors) const;

  const config::Listen& listen_;
  Current& current_;
};

class PoolFiles : public TlsFiles {
 public:
  PoolFiles(const config::Pool& pool, proxy::PoolTls& tls) : pool_(pool), tls_(tls) {}

  bool load(tls::Errors& errors) override;
  std::string table() const override { return "pool." + pool_.name; }
  std::vector<std::string> files() const override;

 private:
  const config::Pool& pool_;
  proxy::PoolTls& tls_;
};

}  // namespace breakwater::app
