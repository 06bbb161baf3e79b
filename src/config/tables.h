// One function for each table of the file. They read what is there into reader.draft and report what is wrong
// with it by itself; what takes more than one table is left to whole.h.
#pragma once

#include "config/reader.h"

namespace breakwater::config {

void read_listen(Reader& reader, const toml::key& key, const toml::table& table);  // [listen.NAME]
void read_pool(Reader& reader, const toml::key& key, const toml::table& table);    // [pool.NAME]
void read_route(Reader& reader, const toml::key& key, const toml::table& table);   // [route.NAME]
void read_timeouts(Reader& reader, const toml::table& table);
void read_limits(Reader& reader, const toml::table& table);
void read_dns(Reader& reader, const toml::table& table);
void read_log(Reader& reader, const toml::key& key, const toml::table& table);
void read_admin(Reader& reader, const toml::key& key, const toml::table& table);
void read_process(Reader& reader, const toml::table& table);

}  // namespace breakwater::config
