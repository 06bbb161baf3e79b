// The heads that more than one benchmark is about: what git 2.39 sends for a clone, and Apache's answer.
#pragma once

#include <string_view>

namespace breakwater {

inline constexpr std::string_view request_head =
    "POST /team/app.git/git-upload-pack HTTP/1.1\r\nHost: git.example.com\r\nUser-Agent: git/2.39.5\r\n"
    "Accept-Encoding: deflate, gzip, br, zstd\r\nContent-Type: application/x-git-upload-pack-request\r\n"
    "Accept: application/x-git-upload-pack-result\r\nGit-Protocol: version=2\r\nContent-Length: 173\r\n\r\n";

inline constexpr std::string_view response_head =
    "HTTP/1.1 200 OK\r\nDate: Thu, 26 Nov 2026 01:00:00 GMT\r\nServer: Apache/2.4.57 (Debian)\r\n"
    "Expires: Fri, 01 Jan 1980 00:00:00 GMT\r\nPragma: no-cache\r\n"
    "Cache-Control: no-cache, max-age=0, must-revalidate\r\nTransfer-Encoding: chunked\r\n"
    "Content-Type: application/x-git-upload-pack-result\r\n\r\n";

}  // namespace breakwater
