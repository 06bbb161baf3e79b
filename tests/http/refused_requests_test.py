"""Requests that two parsers could read differently: refused, the connection closed, and not a byte forwarded.

Every refusal of wire/http_fault.h that a client can cause is here, and each case says which one it is: the log tells it as a
sentence, the metrics by its name. Each request is followed by a second one, which must never be served: that is what
smuggling is.
"""

import time
from collections import Counter

from support import GET, TIMEOUT, Head, ProxyTest, always, get, main, ok

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: git.example\r\n\r\n"
HOST = b"Host: git.example\r\n"
START = b"POST /x HTTP/1.1\r\n" + HOST
GET_START = b"GET /x HTTP/1.1\r\n" + HOST
CHUNK_BODY = b"5\r\nhello\r\n0\r\n\r\n"

STATUS = {"target_too_long": 414, "head_too_large": 431, "too_many_fields": 431, "method_unsupported": 501, "transfer_encoding_unsupported": 501}
SENTENCE = {
    "not_http": "this port speaks HTTP/1.1, and these bytes are not HTTP/1.1",
    "bare_line_end": "a line of the message does not end with CR LF",
    "control_byte": "the message head has a control byte",
    "bad_start_line": "the first line of the message is malformed",
    "bad_method": "the request method is malformed",
    "method_unsupported": "this proxy does not forward CONNECT or TRACE",
    "bad_target": "the request target is malformed",
    "bad_version": "the HTTP version is not 1.0 or 1.1",
    "bad_field_name": "a field name is malformed or has white space before its colon",
    "folded_line": "a field is folded over several lines",
    "ambiguous_field_name": "a field name has an underscore where servers could read a hyphen",
    "host_missing": "the request has no Host field",
    "host_repeated": "the request has more than one Host field",
    "bad_host": "the Host field is malformed",
    "bad_content_length": "the Content-Length is not one plain number",
    "bad_transfer_encoding": "the Transfer-Encoding is malformed, repeated or not allowed here",
    "transfer_encoding_unsupported": "the only transfer coding that this proxy takes is chunked",
    "length_and_encoding": "the message has both Content-Length and Transfer-Encoding",
    "bad_chunk": "the chunked body is malformed",
    "bad_trailer": "the trailer section is malformed or too large",
    "target_too_long": "the request target is longer than this proxy allows ([limits] target_bytes)",
    "head_too_large": "the message head is larger than this proxy allows ([limits] head_bytes)",
    "too_many_fields": "the message head has more fields than this proxy allows (128)",
}

# Each is a bad_content_length.
LENGTH = {
    "plus": b"Content-Length: +5", "minus": b"Content-Length: -1", "minus zero": b"Content-Length: -0",
    "hex": b"Content-Length: 0x5", "octal by letter": b"Content-Length: 0o5",
    "empty": b"Content-Length:", "white space only": b"Content-Length:  ", "two numbers": b"Content-Length: 5 5",
    "list of same": b"Content-Length: 5, 5", "list": b"Content-Length: 5, 6", "list with nothing": b"Content-Length: 5,",
    "list from nothing": b"Content-Length: ,5", "fraction": b"Content-Length: 5.0", "exponent": b"Content-Length: 5e0",
    "underscore": b"Content-Length: 1_0", "quoted": b'Content-Length: "5"', "letters": b"Content-Length: five",
    "trailing letter": b"Content-Length: 5a", "trailing semicolon": b"Content-Length: 5;", "unicode digit": b"Content-Length: \xd9\xa5",
    "too large for 64 bits": b"Content-Length: 18446744073709551616", "wraps to five": b"Content-Length: 18446744073709551621",
    "very long": b"Content-Length: " + b"9" * 400,
    "tab after": b"Content-Length: 5\t", "tab and space after": b"Content-Length: 5 \t ",
    "no-break space before": b"Content-Length: \xa05", "no-break space after": b"Content-Length: 5\xa0",
    "byte order mark": b"Content-Length: \xef\xbb\xbf5", "thousands": b"Content-Length: 1,000", "two by colon": b"Content-Length: 5: 6",
    "twice the same": b"Content-Length: 5\r\nContent-Length: 5", "twice": b"Content-Length: 5\r\nContent-Length: 6",
    "twice, other case": b"Content-Length: 5\r\ncontent-length: 0",
    "twice, apart": b"Content-Length: 5\r\nX-A: b\r\nContent-Length: 50",
}

LENGTH_LINE = {
    "vertical tab": (b"Content-Length: \x0b5", "control_byte"),
    "form feed": (b"Content-Length: \x0c5", "control_byte"),
    "NUL before": (b"Content-Length: \x005", "control_byte"),
    "NUL after": (b"Content-Length: 5\0", "control_byte"),
    "CR before": (b"Content-Length: \r5", "bare_line_end"),
    "CR after": (b"Content-Length: 5\r", "bare_line_end"),
    "LF before": (b"Content-Length: \n5", "bare_line_end"),
    "continued": (b"Content-Length: 5\r\n 0", "folded_line"),
    "continued by a tab": (b"Content-Length: 5\r\n\t0", "folded_line"),
}

CODING = {
    "length then chunked": (b"Content-Length: 5\r\nTransfer-Encoding: chunked", "length_and_encoding"),
    "chunked then length": (b"Transfer-Encoding: chunked\r\nContent-Length: 5", "length_and_encoding"),
    "length zero and chunked": (b"Content-Length: 0\r\nTransfer-Encoding: chunked", "length_and_encoding"),
    "length and unknown coding": (b"Content-Length: 5\r\nTransfer-Encoding: xchunked", "length_and_encoding"),
    "gzip": (b"Transfer-Encoding: gzip", "transfer_encoding_unsupported"),
    "gzip, chunked": (b"Transfer-Encoding: gzip, chunked", "bad_transfer_encoding"),
    "chunked, gzip": (b"Transfer-Encoding: chunked, gzip", "bad_transfer_encoding"),
    "identity": (b"Transfer-Encoding: identity", "transfer_encoding_unsupported"),
    "chunked, identity": (b"Transfer-Encoding: chunked, identity", "bad_transfer_encoding"),
    "xchunked": (b"Transfer-Encoding: xchunked", "transfer_encoding_unsupported"),
    "chunkedx": (b"Transfer-Encoding: chunkedx", "transfer_encoding_unsupported"),
    "chunk": (b"Transfer-Encoding: chunk", "transfer_encoding_unsupported"),
    "chunked, chunked": (b"Transfer-Encoding: chunked, chunked", "bad_transfer_encoding"),
    "repeated": (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "bad_transfer_encoding"),
    "repeated with nonsense after": (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x", "bad_transfer_encoding"),
    "repeated with nonsense before": (b"Transfer-Encoding: x\r\nTransfer-Encoding: chunked", "transfer_encoding_unsupported"),
    "repeated, other case": (b"Transfer-Encoding: chunked\r\ntransfer-encoding: identity", "bad_transfer_encoding"),
    "empty": (b"Transfer-Encoding:", "bad_transfer_encoding"),
    "empty elements": (b"Transfer-Encoding: ,chunked", "bad_transfer_encoding"),
    "trailing comma": (b"Transfer-Encoding: chunked,", "bad_transfer_encoding"),
    "quoted": (b'Transfer-Encoding: "chunked"', "bad_transfer_encoding"),
    "parameter": (b"Transfer-Encoding: chunked;q=1", "bad_transfer_encoding"),
    "two words": (b"Transfer-Encoding: chunked x", "bad_transfer_encoding"),
    "space before colon": (b"Transfer-Encoding : chunked", "bad_field_name"),
    "tab before colon": (b"Transfer-Encoding\t: chunked", "bad_field_name"),
    "underscore": (b"Transfer_Encoding: chunked", "ambiguous_field_name"),
    "space before name": (b" Transfer-Encoding: chunked", "folded_line"),
    "folded": (b"Transfer-Encoding:\r\n chunked", "folded_line"),
    "folded with tab": (b"Transfer-Encoding:\r\n\tchunked", "folded_line"),
    "vertical tab": (b"Transfer-Encoding: \x0bchunked", "control_byte"),
    "form feed": (b"Transfer-Encoding: \x0cchunked", "control_byte"),
    "nul": (b"Transfer-Encoding: chunked\0", "control_byte"),
    "nul in name": (b"Transfer-Encoding\0: chunked", "control_byte"),
    "backspace": (b"Transfer-Encoding: \x08chunked", "control_byte"),
    "high byte": (b"Transfer-Encoding: chunked\xff", "bad_transfer_encoding"),
    "no-break space": (b"Transfer-Encoding: \xa0chunked", "bad_transfer_encoding"),
    "byte order mark": (b"\xef\xbb\xbfTransfer-Encoding: chunked", "bad_field_name"),
    "vertical tab after": (b"Transfer-Encoding: chunked\x0b", "control_byte"),
    "vertical tab before the colon": (b"Transfer-Encoding\x0b: chunked", "control_byte"),
    "CR before the value": (b"Transfer-Encoding: \rchunked", "bare_line_end"),
    "CR before the name": (b"\rTransfer-Encoding: chunked", "bare_line_end"),
    "LF before the value": (b"Transfer-Encoding: \nchunked", "bare_line_end"),
    "apostrophes": (b"Transfer-Encoding: 'chunked'", "transfer_encoding_unsupported"),
    "brackets": (b"Transfer-Encoding: [chunked]", "bad_transfer_encoding"),
    "semicolon": (b"Transfer-Encoding: chunked;", "bad_transfer_encoding"),
    "equals": (b"Transfer-Encoding=chunked", "bad_field_name"),
    "two colons": (b"Transfer-Encoding:: chunked", "bad_transfer_encoding"),
    "repeated, second empty": (b"Transfer-Encoding: chunked\r\nTransfer-Encoding:", "bad_transfer_encoding"),
    "repeated, first empty": (b"Transfer-Encoding:\r\nTransfer-Encoding: chunked", "bad_transfer_encoding"),
    "repeated, one by an underscore": (b"Transfer-Encoding: chunked\r\nTransfer_Encoding: x", "ambiguous_field_name"),
    "continued": (b"Transfer-Encoding: chunked\r\n , identity", "folded_line"),
    "behind a folded line": (b"X-A: b\r\n Transfer-Encoding: chunked", "folded_line"),
    "length between two codings": (b"Transfer-Encoding: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked", "length_and_encoding"),
    "length and an empty coding": (b"Content-Length: 5\r\nTransfer-Encoding:", "length_and_encoding"),
    "two lengths and chunked": (b"Content-Length: 5\r\nContent-Length: 6\r\nTransfer-Encoding: chunked", "bad_content_length"),
    "behind a bare CR": (b"X-A: b\rTransfer-Encoding: chunked", "bare_line_end"),
    "behind a bare LF": (b"X-A: b\nTransfer-Encoding: chunked", "bare_line_end"),
    "length by underscore": (b"Content_Length: 5", "ambiguous_field_name"),
    "length by mixed underscore": (b"content_Length: 5\r\nTransfer-Encoding: chunked", "ambiguous_field_name"),
    "length with space before colon": (b"Content-Length : 5", "bad_field_name"),
    "length folded": (b"Content-Length:\r\n 5", "folded_line"),
}

HEADS = {
    "no host": (b"GET / HTTP/1.1\r\nX-A: b\r\n\r\n", "host_missing"),
    "two hosts": (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "host_repeated"),
    "two equal hosts": (b"GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", "host_repeated"),
    "host of two words": (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "bad_host"),
    "host list": (b"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", "bad_host"),
    "host with path": (b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "bad_host"),
    "host with user": (b"GET / HTTP/1.1\r\nHost: user@a\r\n\r\n", "bad_host"),
    "host with a bad port": (b"GET / HTTP/1.1\r\nHost: a:80x\r\n\r\n", "bad_host"),
    "host with a query": (b"GET / HTTP/1.1\r\nHost: a?b\r\n\r\n", "bad_host"),
    "host with high bytes": (b"GET / HTTP/1.1\r\nHost: caf\xe9\r\n\r\n", "bad_host"),
    "host with space before colon": (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", "bad_field_name"),
    "host folded": (b"GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", "folded_line"),
    "empty host": (b"GET / HTTP/1.1\r\nHost:\r\n\r\n", "bad_host"),
    "host of white space": (b"GET / HTTP/1.1\r\nHost: \t \r\n\r\n", "bad_host"),
    "host with NUL": (b"GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", "control_byte"),
    "host with a backslash": (b"GET / HTTP/1.1\r\nHost: a\\b\r\n\r\n", "bad_host"),
    "host with a fragment": (b"GET / HTTP/1.1\r\nHost: a#b\r\n\r\n", "bad_host"),
    "host of two ports": (b"GET / HTTP/1.1\r\nHost: a:80:81\r\n\r\n", "bad_host"),
    "host without its bracket": (b"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", "bad_host"),
    "host by an underscore too": (b"GET / HTTP/1.1\r\nHost: a\r\nHost : b\r\n\r\n", "bad_field_name"),
    "two hosts, the second empty": (b"GET / HTTP/1.1\r\nHost: a\r\nHost:\r\n\r\n", "host_repeated"),
    "two hosts and an absolute-form": (b"GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "host_repeated"),
    "absolute-form without a Host": (b"GET http://a/ HTTP/1.1\r\nX-A: b\r\n\r\n", "host_missing"),
    "absolute-form of another scheme": (b"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "bad_target"),
    "absolute-form with a user": (b"GET http://user@a/ HTTP/1.1\r\nHost: a\r\n\r\n", "bad_target"),
    "absolute-form with a query only": (b"GET http://a?b HTTP/1.1\r\nHost: a\r\n\r\n", "bad_target"),
    "absolute-form with a fragment": (b"GET http://a/#b HTTP/1.1\r\nHost: a\r\n\r\n", "bad_target"),
    "authority-form for a GET": (b"GET a:443 HTTP/1.1\r\nHost: a\r\n\r\n", "bad_target"),
    "target with a fragment": (b"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", "bad_target"),
    "target with high bytes": (b"GET /caf\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", "bad_target"),
    "target with a tab": (b"GET /\tx HTTP/1.1\r\nHost: a\r\n\r\n", "bad_target"),
    "target with a bare LF": (b"GET /\nx HTTP/1.1\r\nHost: a\r\n\r\n", "bare_line_end"),
    "target with a version inside": (b"GET /x HTTP/1.1 HTTP/1.1\r\nHost: a\r\n\r\n", "bad_target"),
    "backslash for a slash": (b"GET \\x HTTP/1.1\r\nHost: a\r\n\r\n", "bad_target"),
    "version 1.2": (b"GET / HTTP/1.2\r\nHost: a\r\n\r\n", "bad_version"),
    "version 1.": (b"GET / HTTP/1.\r\nHost: a\r\n\r\n", "bad_version"),
    "version 1,1": (b"GET / HTTP/1,1\r\nHost: a\r\n\r\n", "bad_version"),
    "version with a sign": (b"GET / HTTP/+1.1\r\nHost: a\r\n\r\n", "bad_version"),
    "version with NUL": (b"GET / HTTP/1.1\0\r\nHost: a\r\n\r\n", "control_byte"),
    "version with a space inside": (b"GET / HTTP/ 1.1\r\nHost: a\r\n\r\n", "bad_start_line"),
    "method with NUL": (b"GE\0T / HTTP/1.1\r\nHost: a\r\n\r\n", "control_byte"),
    "method with high bytes": (b"G\xc3\x8aT / HTTP/1.1\r\nHost: a\r\n\r\n", "bad_method"),
    "method in quotes": (b'"GET" / HTTP/1.1\r\nHost: a\r\n\r\n', "bad_method"),
    "method without end": (b"G" * 20000, "target_too_long"),
    "host by its first line only": (b"GET / HTTP/1.1\r\n Host: a\r\nHost: b\r\n\r\n", "folded_line"),
    "absolute-form with a bad authority": (b"GET http://a b/ HTTP/1.1\r\nHost: a\r\n\r\n", "bad_target"),
    "absolute-form without authority": (b"GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", "bad_target"),
    "version 0.9 by word": (b"GET / HTTP/0.9\r\nHost: a\r\n\r\n", "bad_version"),
    "version 2.0": (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", "bad_version"),
    "version 1.10": (b"GET / HTTP/1.10\r\nHost: a\r\n\r\n", "bad_version"),
    "version 01.1": (b"GET / HTTP/01.1\r\nHost: a\r\n\r\n", "bad_version"),
    "version 1.1 with a space": (b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "bad_start_line"),
    "version in lower case": (b"GET / http/1.1\r\nHost: a\r\n\r\n", "not_http"),
    "version cut": (b"GET / HTTP/1\r\nHost: a\r\n\r\n", "bad_version"),
    "version of another protocol": (b"GET / ICY/1.1\r\nHost: a\r\n\r\n", "not_http"),
    "no version": (b"GET /\r\nHost: a\r\n\r\n", "not_http"),
    "no target": (b"GET HTTP/1.1\r\nHost: a\r\n\r\n", "bad_start_line"),
    "empty target": (b"GET  HTTP/1.1\r\nHost: a\r\n\r\n", "bad_target"),
    "two spaces": (b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "bad_target"),
    "tab for space": (b"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", "bad_start_line"),
    "four words": (b"GET / x HTTP/1.1\r\nHost: a\r\n\r\n", "bad_target"),
    "space before the method": (b" GET / HTTP/1.1\r\nHost: a\r\n\r\n", "bad_method"),
    "method is no token": (b"G@T / HTTP/1.1\r\nHost: a\r\n\r\n", "bad_method"),
    "method with a colon": (b"GET: / HTTP/1.1\r\nHost: a\r\n\r\n", "bad_method"),
    "target without a slash": (b"GET x HTTP/1.1\r\nHost: a\r\n\r\n", "bad_target"),
    "asterisk for a GET": (b"GET * HTTP/1.1\r\nHost: a\r\n\r\n", "bad_target"),
    "target with a control byte": (b"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n", "control_byte"),
    "target with DEL": (b"GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n", "control_byte"),
    "target with NUL": (b"GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", "control_byte"),
    "target with a bare CR": (b"GET /\r HTTP/1.1\r\nHost: a\r\n\r\n", "bare_line_end"),
    "CONNECT": (b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", "method_unsupported"),
    "TRACE": (b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", "method_unsupported"),
    "bare LF ends the request line": (b"GET / HTTP/1.1\nHost: a\r\n\r\n", "bare_line_end"),
    "bare LF ends a field": (b"GET / HTTP/1.1\r\nHost: a\nX-A: b\r\n\r\n", "bare_line_end"),
    "bare LF ends the head": (b"GET / HTTP/1.1\r\nHost: a\r\n\n", "bare_line_end"),
    "bare LF everywhere": (b"GET / HTTP/1.1\nHost: a\n\n", "bare_line_end"),
    "bare CR in a value": (b"GET / HTTP/1.1\r\nHost: a\r\nX-A: b\rc\r\n\r\n", "bare_line_end"),
    "bare CR ends a field": (b"GET / HTTP/1.1\r\nHost: a\rX-A: b\r\n\r\n", "bare_line_end"),
    "CR CR LF": (b"GET / HTTP/1.1\r\nHost: a\r\r\nX-A: b\r\n\r\n", "bare_line_end"),
    "CR CR LF ends the head": (b"GET / HTTP/1.1\r\nHost: a\r\n\r\r\n", "bare_line_end"),
    "NUL in a value": (b"GET / HTTP/1.1\r\nHost: a\r\nX-A: b\0c\r\n\r\n", "control_byte"),
    "vertical tab in a value": (b"GET / HTTP/1.1\r\nHost: a\r\nX-A: b\x0bc\r\n\r\n", "control_byte"),
    "form feed before a colon": (b"GET / HTTP/1.1\r\nHost: a\r\nX-A\x0c: b\r\n\r\n", "control_byte"),
    "tab before a colon": (b"GET / HTTP/1.1\r\nHost: a\r\nX-A\t: b\r\n\r\n", "bad_field_name"),
    "NUL ends a head": (b"GET / HTTP/1.1\r\nHost: a\r\n\0\r\n\r\n", "control_byte"),
    "CR LF CR alone ends a head": (b"GET / HTTP/1.1\r\nHost: a\r\n\rX", "bare_line_end"),
    "only CRs": (b"\r\r\r\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", "bare_line_end"),
    "a bare LF first": (b"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "bare_line_end"),
    "NUL in a name": (b"GET / HTTP/1.1\r\nHost: a\r\nX\0A: b\r\n\r\n", "control_byte"),
    "control byte in a value": (b"GET / HTTP/1.1\r\nHost: a\r\nX-A: b\x01c\r\n\r\n", "control_byte"),
    "DEL in a value": (b"GET / HTTP/1.1\r\nHost: a\r\nX-A: b\x7fc\r\n\r\n", "control_byte"),
    "space before a colon": (b"GET / HTTP/1.1\r\nHost: a\r\nX-A : b\r\n\r\n", "bad_field_name"),
    "space in a name": (b"GET / HTTP/1.1\r\nHost: a\r\nX A: b\r\n\r\n", "bad_field_name"),
    "bracket in a name": (b"GET / HTTP/1.1\r\nHost: a\r\nX(A): b\r\n\r\n", "bad_field_name"),
    "high byte in a name": (b"GET / HTTP/1.1\r\nHost: a\r\nX\xc3\xa9: b\r\n\r\n", "bad_field_name"),
    "no name": (b"GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", "bad_field_name"),
    "no colon": (b"GET / HTTP/1.1\r\nHost: a\r\nX-A\r\n\r\n", "bad_field_name"),
    "folded": (b"GET / HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c\r\n\r\n", "folded_line"),
    "folded with a tab": (b"GET / HTTP/1.1\r\nHost: a\r\nX-A: b\r\n\tc\r\n\r\n", "folded_line"),
    "first field folded": (b"GET / HTTP/1.1\r\n X-A: b\r\nHost: a\r\n\r\n", "folded_line"),
    "line of spaces": (b"GET / HTTP/1.1\r\nHost: a\r\n  \r\n\r\n", "folded_line"),
    "many empty lines first": (b"\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "bad_start_line"),
    "underscore in Transfer_Encoding": (b"GET / HTTP/1.1\r\nHost: a\r\nTransfer_Encoding: x\r\n\r\n", "ambiguous_field_name"),
    "coding in HTTP/1.0": (b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNK_BODY, "bad_transfer_encoding"),
    "HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "not_http"),
    "target too long": (b"GET /" + b"a" * 8192 + b" HTTP/1.1\r\nHost: a\r\n\r\n", "target_too_long"),
    "a target without end": (b"GET /" + b"a" * 20000, "target_too_long"),
    "head too large": (b"GET / HTTP/1.1\r\nHost: a\r\nX-A: " + b"a" * 16384 + b"\r\n\r\n", "head_too_large"),
    "a head without end": (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X-A: b\r\n" * 100 + b"X-B: " + b"b" * 20000, "head_too_large"),
    "too many fields": (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"a: b\r\n" * 128 + b"\r\n", "too_many_fields"),
}

# A body that stops making sense in the middle.
CHUNKS = {
    "plus": b"+5\r\nhello\r\n", "minus": b"-5\r\nhello\r\n", "hex prefix": b"0x5\r\nhello\r\n", "space before": b" 5\r\nhello\r\n",
    "tab before": b"\t5\r\nhello\r\n", "space after": b"5 \r\nhello\r\n", "tab after": b"5\t\r\nhello\r\n", "empty size": b"\r\nhello\r\n",
    "no hex": b"g\r\nhello\r\n", "underscore": b"1_0\r\n", "fraction": b"5.0\r\nhello\r\n", "only an extension": b";a=b\r\nhello\r\n",
    "17 digits": b"10000000000000005\r\nhello\r\n", "wraps": b"fffffffffffffffff\r\nhello\r\n", "many digits": b"0" * 400 + b"5\r\nhello\r\n",
    "bare LF after the size": b"5\nhello\r\n", "bare CR after the size": b"5\rhello\r\n", "CR CR LF after the size": b"5\r\r\nhello\r\n",
    "bare LF after an extension": b"5;a\nhello\r\n", "bare CR in an extension": b"5;a\rb\r\nhello\r\n", "NUL in an extension": b"5;a\0b\r\nhello\r\n",
    "endless extension": b"5;" + b"a" * 4000 + b"\r\nhello\r\n", "no CRLF after the data": b"5\r\nhello5\r\nhello\r\n",
    "bare LF after the data": b"5\r\nhello\n0\r\n\r\n", "bare CR after the data": b"5\r\nhello\r0\r\n\r\n",
    "data longer than its size": b"3\r\nhello\r\n", "NUL as size": b"\0\r\n", "bare LF after the last chunk": b"0\n\r\n",
    "vertical tab before": b"\x0b5\r\nhello\r\n", "NUL after the size": b"5\0\r\nhello\r\n", "plus in the middle": b"5+1\r\nhello\r\n",
    "letter beyond hex": b"5h\r\nhello\r\n", "quoted size": b'"5"\r\nhello\r\n', "a space and an extension": b"5 ;a=b\r\nhello\r\n",
    "16 digits": b"0000000000000005\r\nhello\r\n", "negative by its bits": b"ffffffffffffffff\r\nhello\r\n",
    "LF CR after the size": b"5\n\rhello\r\n", "LF CR after the data": b"5\r\nhello\n\r0\r\n\r\n",
    "CR CR LF after the data": b"5\r\nhello\r\r\n0\r\n\r\n", "data shorter than its size": b"a\r\nhello\r\n0\r\n\r\nxx\r\n",
    "control byte in an extension": b"5;a\x01\r\nhello\r\n", "bare LF in a quoted extension": b'5;a="\n"\r\nhello\r\n',
    "last chunk by a sign": b"-0\r\n\r\n", "last chunk by hex": b"0x0\r\n\r\n", "last chunk with white space": b"0 \r\n\r\n",
}
TRAILERS = {
    "bare LF ends the trailer": b"0\r\n\n", "folded trailer": b"0\r\nX-A: b\r\n c\r\n\r\n", "first trailer folded": b"0\r\n X-A: b\r\n\r\n",
    "space before a trailer's colon": b"0\r\nX-A : b\r\n\r\n", "trailer without a colon": b"0\r\nX-A\r\n\r\n",
    "NUL in a trailer": b"0\r\nX-A: b\0\r\n\r\n", "bare CR in a trailer": b"0\r\nX-A: b\rc\r\n\r\n",
    "bare LF in a trailer": b"0\r\nX-A: b\nX-C: d\r\n\r\n", "trailer by an underscore": b"0\r\nContent_Length: 5\r\n\r\n",
    "control byte in a trailer": b"0\r\nX-A: \x01\r\n\r\n", "white space first in a trailer": b"0\r\n\tX-A: b\r\n\r\n",
    "trailer without a name": b"0\r\n: b\r\n\r\n", "endless trailer": b"0\r\n" + b"X-A: b\r\n" * 1000 + b"\r\n",
}
BODIES = {name: (fault, "bad_chunk") for name, fault in CHUNKS.items()} | {name: (fault, "bad_trailer") for name, fault in TRAILERS.items()}


class Faults(ProxyTest):
    def check_counted(self, proxy, reasons):
        """Each of these was counted as often as it is there, and nothing else."""
        wanted = Counter(f'breakwater_request_faults_total{{reason="{reason}"}}' for reason in reasons)
        end = time.monotonic() + TIMEOUT
        while True:  # each look is a round trip to the admin listener
            counted = {name: count for name, count in proxy.metrics().items() if "request_faults" in name and count}
            if counted == wanted or time.monotonic() > end:
                return self.assertEqual(counted, wanted)


class Refused(Faults):
    def setUp(self):
        super().setUp()
        self.backend = self.server(always(ok(b"served")))
        self.breakwater = self.proxy(self.backend)

    def refuse(self, request, reason):
        client = self.client(self.breakwater)
        client.try_send(request + SMUGGLED)
        client.half_close()
        reply = client.recv_response()
        entry = self.assert_own_reply(self.breakwater, reply, STATUS.get(reason, 400), "any")
        self.assertEqual((entry["ended_by"], entry["reason"]), ("client", SENTENCE[reason]))
        self.assertEqual(entry["server"], "")
        self.assertEqual([value.lower() for value in reply.head.values("connection")], [b"close"])
        self.assert_closed(client)
        self.assertEqual(self.backend.received, b"")

    def check(self, table):
        for name, (request, reason) in table.items():
            with self.subTest(name):
                self.refuse(request, reason)
        self.assertEqual(len(self.backend.connections), 0)
        self.assertEqual(self.client(self.breakwater).ask(GET).body, b"served")
        self.check_counted(self.breakwater, [reason for _, reason in table.values()])

    def test_content_length(self):
        lengths = {name: (line, "bad_content_length") for name, line in LENGTH.items()} | LENGTH_LINE
        self.check({name: (START + line + b"\r\n\r\nhello", reason) for name, (line, reason) in lengths.items()})

    def test_transfer_encoding(self):
        self.check({name: (START + lines + b"\r\n\r\n" + CHUNK_BODY, reason) for name, (lines, reason) in CODING.items()})

    def test_framing_of_a_get(self):
        bodies = {"get " + name: (GET_START + lines + b"\r\n\r\n" + CHUNK_BODY, reason) for name, (lines, reason) in CODING.items()}
        self.check(bodies)

    def test_heads(self):
        self.check(HEADS)

    def test_there_is_a_case_for_each_reason(self):
        cases = [*LENGTH_LINE.values(), *CODING.values(), *HEADS.values(), *BODIES.values()]
        self.assertEqual({reason for _, reason in cases} | {"bad_content_length"}, set(SENTENCE))

    def test_the_reply_says_that_the_fault_is_the_clients(self):
        for name in ("two hosts", "folded", "bare LF ends a field", "no name", "version 2.0", "target too long", "TRACE"):
            with self.subTest(name):
                request, reason = HEADS[name]
                self.assert_own_reply(self.breakwater, self.client(self.breakwater).ask(request), STATUS.get(reason, 400), "client")

    def test_heads_a_byte_at_a_time(self):
        for name in ("two hosts", "bare LF ends a field", "CR CR LF", "folded", "no version", "HTTP/2 preface", "NUL in a name"):
            with self.subTest(name):
                client = self.client(self.breakwater)
                for byte in HEADS[name][0]:
                    if not client.try_send(bytes([byte])):
                        break
                self.assertEqual(client.recv_response().status, 400)
                self.assertEqual(self.backend.received, b"")

    def test_a_tls_hello_is_told_that_this_is_plain_http(self):
        hello = bytes.fromhex("1603010200010001fc0303") + bytes(range(256)) * 2
        client = self.client(self.breakwater)
        client.send(hello)
        self.assert_own_reply(self.breakwater, client.recv_response(), 400, "any")
        self.assert_closed(client)

    def test_noise_is_refused_without_waiting_for_more(self):
        for noise in (b"\x00", b"\x80\x01\x02", b"\n", b"\x16\x03\x01"):
            with self.subTest(noise):
                client = self.client(self.breakwater)
                client.send(noise)
                self.assertEqual(client.recv_response().status, 400)

    def test_white_space_that_rfc_9110_allows_is_no_fault(self):
        client = self.client(self.breakwater)
        client.send(b"POST /x HTTP/1.1\r\nHost: \tgit.example \t\r\nContent-Length:\t5 \r\n\r\nhello" + get(b"/next"))
        self.assertEqual(client.recv_response().body, b"served")
        self.assertEqual(client.recv_response().body, b"served")
        self.assertEqual(self.backend.requests[0].body, b"hello")
        self.assertEqual(self.backend.requests[0].head.value("host"), b"git.example")

    def test_the_largest_head_and_target_that_are_allowed(self):
        client = self.client(self.breakwater)
        target = b"/" + b"a" * 8191
        self.assertEqual(client.ask(get(target)).body, b"served")
        self.assertEqual(self.backend.requests[0].head_without_ours, get(target))
        fields = [b"a%d: b" % number for number in range(126)]
        self.assertEqual(client.ask(get(b"/", *fields)).body, b"served")
        self.assertEqual(self.backend.requests[1].head_without_ours, get(b"/", *fields))


class RefusedBodies(Faults):
    HEAD = START + b"Transfer-Encoding: chunked\r\n\r\n"

    def refuse(self, fault, reason, before=b""):
        server = self.server(always(ok(b"served")))
        proxy = self.proxy(server)
        client = self.client(proxy)
        client.send(self.HEAD + before)
        if before:
            server.connection(0).wait_received(b"first")
        client.try_send(fault + b"0\r\n\r\n" + SMUGGLED)
        reply = client.recv_response()
        self.assertEqual(reply.status, 400)
        entry = self.assert_own_reply(proxy, reply, 400, "any")
        self.assertEqual((entry["ended_by"], entry["reason"]), ("client", "client malformed: " + SENTENCE[reason]))
        client.half_close()
        self.assert_closed(client)
        client.close()
        self.check_counted(proxy, [reason])
        self.assertNotIn(b"GET /smuggled", server.received)
        self.assert_never_completed(proxy, server)
        # What was right before it may be there, and nothing else: no end, no part of the fault.
        for peer in server.connections:
            head, mark, body = bytes(peer.record).partition(b"\r\n\r\n")
            if mark or before:
                self.assertEqual(Head(head + mark).without(*Head.TRACING), self.HEAD)
            self.assertEqual(body, before)
        self.assertLessEqual(len(server.connections), 1)

    def test_first_chunk(self):
        for name, (fault, reason) in BODIES.items():
            with self.subTest(name):
                self.refuse(fault, reason)

    def test_after_a_chunk_was_forwarded(self):
        for name, (fault, reason) in BODIES.items():
            with self.subTest(name):
                self.refuse(fault, reason, b"5\r\nfirst\r\n")


if __name__ == "__main__":
    main()
