// SPDX-License-Identifier: MIT
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace stadion::tests {

/// What has been tried to have two readers see different requests in the same bytes, and what a strict
/// server answers: bytes that are refused end the connection, and whatever follows them is not read.
struct SmugglingCase {
  const char* section;        ///< Of RFC 9112 unless it says another.
  std::string bytes;          ///< All that is sent, but for a last request for /after.
  std::vector<int> statuses;  ///< The answers, without that to the last request.
  /// Whether /after is answered: no byte was taken for anything else than what it is.
  bool goes_on = false;
};

namespace detail {

using namespace std::string_view_literals;
using Texts = std::initializer_list<std::string_view>;
using Cases = std::vector<SmugglingCase>;

inline std::string post(std::string_view fields, std::string_view body) {
  return "POST / HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n\r\n" + std::string(body);
}
inline std::string get(std::string_view fields) {
  return "GET / HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n\r\n";
}
inline void taken(Cases& cases, const char* section, std::string bytes) {
  cases.push_back({section, std::move(bytes), {200}, true});
}
inline void refused(Cases& cases, const char* section, std::string bytes, int status = 400) {
  cases.push_back({section, std::move(bytes), {status}, false});
}

constexpr std::string_view kFive = "abcde";
constexpr std::string_view kChunkedFive = "5\r\nabcde\r\n0\r\n\r\n";

inline void add_content_length(Cases& cases) {
  for (const std::string_view value : Texts{"5", " 5", "5 ", "   5", "05", "000000000000000005"}) {
    taken(cases, "6.2", post("Content-Length:" + std::string(value), kFive));
  }
  for (const std::string_view value : Texts{"",
                                            " ",
                                            "+5",
                                            "-5",
                                            "- 5",
                                            "5, 5",
                                            "5,5",
                                            "5,",
                                            ",5",
                                            "5 5",
                                            "5\t5",
                                            "5;5",
                                            "5;",
                                            "0x5",
                                            "0x05",
                                            "5h",
                                            "h5",
                                            "5.0",
                                            "5e0",
                                            "1e1",
                                            "\"5\"",
                                            "'5'",
                                            "(5)",
                                            "5=",
                                            "=5",
                                            "_5",
                                            "5_",
                                            "five",
                                            "NaN",
                                            "null",
                                            "\xD9\xA5",
                                            "\xEF\xBC\x95",
                                            "\xB2",
                                            "5\xA0",
                                            "\xA0"
                                            "5",
                                            "5\xFF",
                                            "18446744073709551616",
                                            "18446744073709551621",
                                            "99999999999999999999",
                                            "36893488147419103237",
                                            "5\0"sv,
                                            "\0"
                                            "5"sv,
                                            "5\x0B",
                                            "\x0B"
                                            "5",
                                            "5\x0C",
                                            "5\x7F",
                                            "5\r",
                                            "\r5",
                                            "5\n",
                                            "\n5",
                                            "5\r\n 0",
                                            "5\r\n\t0",
                                            "\r\n 5",
                                            "5\r \n"}) {
    refused(cases, "6.2", post("Content-Length:" + std::string(value), kFive));
  }
  for (const std::string_view value : Texts{"18446744073709551615", "9223372036854775808",
                                            "9223372036854775807", "4294967301", "1048577"}) {
    refused(cases, "6.2", post("Content-Length: " + std::string(value), kFive), 413);
  }
  for (const std::string_view fields : Texts{"Content-Length: 5\r\nContent-Length: 5",
                                             "Content-Length: 5\r\nContent-Length: 6",
                                             "Content-Length: 6\r\nContent-Length: 5",
                                             "Content-Length: 5\r\ncontent-length: 0",
                                             "Content-Length: 0\r\nX: y\r\nCONTENT-LENGTH: 5",
                                             "Content-Length: 5\r\nContent-Length:",
                                             "Content-Length:\r\nContent-Length: 5",
                                             "Content-Length : 5",
                                             "Content-Length\t: 5",
                                             "Content-Length \t : 5",
                                             " Content-Length: 5",
                                             "\tContent-Length: 5",
                                             "Content-Length",
                                             "Content-Length 5",
                                             "Content Length: 5",
                                             "Content-Length\r\n: 5",
                                             "Content-Length\r: 5",
                                             "Content-Length\n: 5",
                                             "Content-Length\0: 5"sv,
                                             "\0Content-Length: 5"sv,
                                             "Content\x00-Length: 5"sv,
                                             "Content-Length\x80: 5",
                                             "\xEF\xBB\xBF"
                                             "Content-Length: 5",
                                             "Content-Length\x0B: 5",
                                             "X: y\r\n Content-Length: 5",
                                             "X: y\rContent-Length: 5",
                                             "X: y\nContent-Length: 5",
                                             "X: y\r\r\nContent-Length: 5",
                                             "X: y\n\rContent-Length: 5",
                                             "X: y\0\r\nContent-Length: 5"sv,
                                             ": 5\r\nContent-Length: 5",
                                             ":\r\nContent-Length: 5",
                                             "Content-Length;: 5",
                                             "Content-Length=: 5",
                                             "(Content-Length): 5",
                                             "Content-Length@: 5"}) {
    refused(cases, "5", post(fields, kFive));
  }
  // RFC 9110 section 5.5 lets a tab stand there; llhttp does not, and nobody honest sends one.
  refused(cases, "6.2", post("Content-Length:\t5\t", kFive));
  refused(cases, "6.1", post("Transfer-Encoding:\tchunked\t", kChunkedFive));
  // Other fields, though a careless reader may take them for it: the body is the next request then.
  for (const std::string_view fields :
       Texts{"Content_Length: 5", "ContentLength: 5", "Content-Lengt: 5", "Content-Length-: 5",
             "-Content-Length: 5", "X-Content-Length: 5", "Content-Length5: 5",
             "Content-Length': 5"}) {
    cases.push_back({"6.3", post(fields, kFive), {200, 501}, false});
  }
  taken(cases, "6.3", get("Content-Length: 5") + std::string(kFive));
  taken(cases, "6.3", get("Content-Length: 0"));
  taken(cases, "6.3", post("content-length: 5", kFive));
  taken(cases, "6.3", post("CONTENT-LENGTH:5", kFive));
}

inline void add_transfer_encoding(Cases& cases) {
  for (const std::string_view value :
       Texts{"chunked", " chunked", "chunked ", "Chunked", "CHUNKED", "cHuNkEd"}) {
    taken(cases, "6.1", post("Transfer-Encoding:" + std::string(value), kChunkedFive));
  }
  for (const std::string_view value : Texts{"",
                                            " ",
                                            ",",
                                            "identity",
                                            "gzip",
                                            "deflate",
                                            "xchunked",
                                            "chunkedx",
                                            "chunke",
                                            "hunked",
                                            "chunked chunked",
                                            "chunked, chunked",
                                            "chunked,chunked",
                                            "chunked, identity",
                                            "chunked, gzip",
                                            "chunked;q=1",
                                            "chunked;",
                                            "chunked; a=b",
                                            "\"chunked\"",
                                            "'chunked'",
                                            "chun ked",
                                            "chunked\x0B",
                                            "\x0B"
                                            "chunked",
                                            "chunked\x0C",
                                            "\x0C"
                                            "chunked",
                                            "chunked\0"sv,
                                            "\0chunked"sv,
                                            "chunked\x7F",
                                            "chunked\x80",
                                            "\xA0"
                                            "chunked",
                                            "chunked\xA0",
                                            "chunked\r",
                                            "\rchunked",
                                            "chunked\n",
                                            "\nchunked",
                                            "chunked\r\n identity",
                                            "\r\n chunked",
                                            "\r\n\tchunked",
                                            "chunked\r\n ",
                                            "ch\xC3\xBCnked",
                                            "chunk\xC4\x97"
                                            "d",
                                            "chunked/1.0",
                                            "true",
                                            "5",
                                            "chunked=1",
                                            "[chunked]",
                                            "chunked:"}) {
    refused(cases, "6.1", post("Transfer-Encoding:" + std::string(value), kChunkedFive));
  }
  // The end is clear, but nobody here takes these off.
  for (const std::string_view value : Texts{"gzip, chunked", "identity, chunked", "deflate,chunked",
                                            "x, y, chunked", "gzip,\tChunked"}) {
    refused(cases, "6.1", post("Transfer-Encoding: " + std::string(value), kChunkedFive), 501);
  }
  for (const std::string_view fields :
       Texts{"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
             "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
             "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
             "Transfer-Encoding: chunked\r\nTransfer-Encoding:",
             "Transfer-Encoding:\r\nTransfer-Encoding: chunked",
             "Transfer-Encoding: chunked\r\nX: y\r\ntransfer-encoding: gzip",
             "Content-Length: 5\r\nTransfer-Encoding: chunked",
             "Transfer-Encoding: chunked\r\nContent-Length: 5",
             "Transfer-Encoding: chunked\r\nContent-Length: 0",
             "Content-Length: 15\r\nTransfer-Encoding: chunked",
             "Content-Length: 5\r\nTransfer-Encoding: identity",
             "Content-Length: 5\r\nX: y\r\nTRANSFER-ENCODING: Chunked",
             "Transfer-Encoding : chunked",
             "Transfer-Encoding\t: chunked",
             " Transfer-Encoding: chunked",
             "\tTransfer-Encoding: chunked",
             "Transfer-Encoding",
             "Transfer-Encoding chunked",
             "Transfer Encoding: chunked",
             "Transfer-Encoding\r\n: chunked",
             "Transfer-Encoding\0: chunked"sv,
             "\0Transfer-Encoding: chunked"sv,
             "Transfer-Encoding\x80: chunked",
             "Transfer\xE2\x80\x90"
             "Encoding: chunked",
             "X: y\r\n Transfer-Encoding: chunked",
             "X: y\rTransfer-Encoding: chunked",
             "X: y\nTransfer-Encoding: chunked",
             "X: y\n\nTransfer-Encoding: chunked"}) {
    refused(cases, "6.1", post(fields, kChunkedFive));
  }
  // Other fields: the chunks are the next request then, which is none.
  for (const std::string_view fields :
       Texts{"Transfer_Encoding: chunked", "TransferEncoding: chunked",
             "X-Transfer-Encoding: chunked", "Transfer-Encodin: chunked", "TE: chunked",
             "Content-Encoding: chunked"}) {
    cases.push_back({"6.3", post(fields, kChunkedFive), {200, 400}, false});
  }
  refused(cases, "6.1",
          "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(kChunkedFive));
  refused(cases, "6.1",
          "POST / HTTP/1.0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" +
              std::string(kChunkedFive));
  taken(cases, "6.1", get("Transfer-Encoding: chunked") + std::string(kChunkedFive));
}

inline void add_chunks(Cases& cases) {
  const auto chunked = [](std::string_view body) {
    return post("Transfer-Encoding: chunked", body);
  };
  for (const std::string_view body :
       Texts{"0\r\n\r\n", "05\r\nabcde\r\n0\r\n\r\n", "00005\r\nabcde\r\n000\r\n\r\n",
             "A\r\n0123456789\r\n0\r\n\r\n", "a\r\n0123456789\r\n0\r\n\r\n",
             "2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n", "5;a\r\nabcde\r\n0\r\n\r\n",
             "5;a=b\r\nabcde\r\n0\r\n\r\n", "5;a=\"b c\"\r\nabcde\r\n0;x=y\r\n\r\n",
             "5\r\n0\r\n\r\n\r\n0\r\n\r\n", "0\r\nX: y\r\n\r\n", "0\r\nX: y\r\nZ:\r\n\r\n"}) {
    taken(cases, "7.1", chunked(body));
  }
  // Kept apart from the head's, where nothing that frames is looked for (RFC 9110 section 6.5.1).
  for (const std::string_view trailer :
       Texts{"Content-Length: 50", "Transfer-Encoding: chunked", "Host: x"}) {
    taken(cases, "7.1.2", chunked("0\r\n" + std::string(trailer) + "\r\n\r\n"));
  }
  for (const std::string_view body :
       Texts{"+5\r\nabcde\r\n0\r\n\r\n",
             "-5\r\nabcde\r\n0\r\n\r\n",
             "0x5\r\nabcde\r\n0\r\n\r\n",
             "x5\r\nabcde\r\n0\r\n\r\n",
             "5h\r\nabcde\r\n0\r\n\r\n",
             "g\r\nabcde\r\n0\r\n\r\n",
             " 5\r\nabcde\r\n0\r\n\r\n",
             "\t5\r\nabcde\r\n0\r\n\r\n",
             "\r\n5\r\nabcde\r\n0\r\n\r\n",
             "\n5\r\nabcde\r\n0\r\n\r\n",
             ";a\r\nabcde\r\n0\r\n\r\n",
             "\r\n\r\n",
             "\"5\"\r\nabcde\r\n0\r\n\r\n",
             "5,\r\nabcde\r\n0\r\n\r\n",
             "5 5\r\nabcde\r\n0\r\n\r\n",
             "5.0\r\nabcde\r\n0\r\n\r\n",
             "5_0\r\nabcde\r\n0\r\n\r\n",
             "\xD9\xA5\r\nabcde\r\n0\r\n\r\n",
             "5\0\r\nabcde\r\n0\r\n\r\n"sv,
             "\0"
             "5\r\nabcde\r\n0\r\n\r\n"sv,
             "5\x0B\r\nabcde\r\n0\r\n\r\n",
             "5\nabcde\r\n0\r\n\r\n",
             "5\rabcde\r\n0\r\n\r\n",
             "5\n\rabcde\r\n0\r\n\r\n",
             "5\r\r\nabcde\r\n0\r\n\r\n",
             "5;a\nabcde\r\n0\r\n\r\n",
             "5;a\rb\r\nabcde\r\n0\r\n\r\n",
             "5;a\0\r\nabcde\r\n0\r\n\r\n"sv,
             "5\r\nabcde0\r\n\r\n",
             "5\r\nabcde\n0\r\n\r\n",
             "5\r\nabcde\r0\r\n\r\n",
             "5\r\nabcdeX\r\n0\r\n\r\n",
             "5\r\nabcdef\r\n0\r\n\r\n",
             "4\r\nabcde\r\n0\r\n\r\n",
             "6\r\nabcde\r\n0\r\n\r\n",
             "5\r\nabcde\r\n\r\n0\r\n\r\n",
             "5\r\nabcde\r\n0\n\r\n",
             "10000000000000005\r\nabcde\r\n0\r\n\r\n",
             "FFFFFFFFFFFFFFFFF\r\nabcde\r\n0\r\n\r\n",
             "100000000000000000000000000000005\r\nabcde\r\n0\r\n\r\n"}) {
    refused(cases, "7.1", chunked(body));
  }
  for (const std::string_view size :
       Texts{"FFFFFFFFFFFFFFFF", "8000000000000000", "7FFFFFFFFFFFFFFF", "100000001", "100001"}) {
    refused(cases, "7.1", chunked(std::string(size) + "\r\nabcde\r\n0\r\n\r\n"), 413);
  }
  for (const std::string_view extension : {";", ";;", ";a;", ";;a", ";=a", "; ;a"}) {
    refused(cases, "7.1.1", chunked("5" + std::string(extension) + "\r\nabcde\r\n0\r\n\r\n"));
  }
  for (const std::string& size : {std::string(2000, '0') + "5", "5;a=" + std::string(2000, 'b'),
                                  "5;" + std::string(2000, ';')}) {
    refused(cases, "7.1", chunked(size + "\r\nabcde\r\n0\r\n\r\n"),
            size[1] == ';' && size[2] == ';' ? 400 : 413);
  }
  refused(cases, "7.1.1", chunked("5;" + std::string(1025, 'a') + "\r\nabcde\r\n0\r\n\r\n"), 413);
  for (const std::string_view trailer :
       Texts{" X: y", "\tX: y", "X : y", "X\t: y", "X", "X y", ": y", "X: y\n", "X: y\rZ: z",
             "X: a\0b"sv, "X: a\x7F", "X: y\r\n z", "X\x80: y", "X: y\r\r", "X: \x01"}) {
    refused(cases, "7.1.2", chunked("0\r\n" + std::string(trailer) + "\r\n\r\n"));
  }
  refused(cases, "7.1.2", chunked("0\r\n\n"));
  refused(cases, "7.1.2", chunked("0\r\n\rX\r\n\r\n"));
  refused(cases, "7.1.2", chunked("0\r\nX: " + std::string(4200, 'y') + "\r\n\r\n"), 431);
}

inline void add_request_line(Cases& cases) {
  constexpr std::string_view kHost = "\r\nHost: h\r\n\r\n";
  const auto line = [kHost](std::string_view text) {
    return std::string(text) + std::string(kHost);
  };
  for (const std::string_view text :
       Texts{"GET / HTTP/1.1", "GET /?a=b HTTP/1.1", "GET //h/ HTTP/1.1", "GET /%2e%2e/ HTTP/1.1",
             "GET /?\"<>[]{}|\\^` HTTP/1.1", "GET http://h/ HTTP/1.1", "GET HTTP://h HTTP/1.1",
             "GET http://other:80/?x HTTP/1.1", "\r\nGET / HTTP/1.1",
             "\r\n\r\n\r\n\r\nGET / HTTP/1.1", "DELETE / HTTP/1.1", "PATCH / HTTP/1.1"}) {
    taken(cases, "3", line(text));
  }
  for (const std::string_view text : Texts{"GET  / HTTP/1.1",
                                           " GET / HTTP/1.1",
                                           "\tGET / HTTP/1.1",
                                           "GET /  HTTP/1.1",
                                           "GET / HTTP/1.1 ",
                                           "GET / HTTP/1.1\t",
                                           "GET\t/ HTTP/1.1",
                                           "GET /\tHTTP/1.1",
                                           "GET\x0B/ HTTP/1.1",
                                           "GET\xA0/ HTTP/1.1",
                                           "GET /",
                                           "GET",
                                           "GET ",
                                           "GET / ",
                                           "GET  HTTP/1.1",
                                           "GET HTTP/1.1",
                                           "/ HTTP/1.1",
                                           "HTTP/1.1",
                                           "GET / /x HTTP/1.1",
                                           "GET /a b HTTP/1.1",
                                           "GET / http/1.1",
                                           "GET / Http/1.1",
                                           "GET / HTTP/1.1x",
                                           "GET / HTTP/11",
                                           "GET / HTTP/1",
                                           "GET / HTTP/1.",
                                           "GET / HTTP/.1",
                                           "GET / HTTP/1.10",
                                           "GET / HTTP/01.1",
                                           "GET / HTP/1.1",
                                           "GET / HTTPS/1.1",
                                           "GET / HTTP/1,1",
                                           "GET / HTTP /1.1",
                                           "GET / HTTP/ 1.1",
                                           "GET / HTTP/-1.1",
                                           "GET / HTTP/+1.1",
                                           "GET / HTTP/1.1\0"sv,
                                           "GET / HTTP\\1.1",
                                           "GET / HTTP/a.b",
                                           "GET / HTTP/\xB9.1",
                                           "GET / FTP/1.1",
                                           "G\0T / HTTP/1.1"sv,
                                           "GE\x80T / HTTP/1.1",
                                           "G@T / HTTP/1.1",
                                           "G(T / HTTP/1.1",
                                           "\"GET\" / HTTP/1.1",
                                           "GET: / HTTP/1.1",
                                           "G[T / HTTP/1.1",
                                           "\x16\x03\x01\x02",
                                           "\xEF\xBB\xBFGET / HTTP/1.1",
                                           "GET h/ HTTP/1.1",
                                           "GET h HTTP/1.1",
                                           "GET h:80 HTTP/1.1",
                                           "GET * HTTP/1.1",
                                           "GET ** HTTP/1.1",
                                           "OPTIONS ** HTTP/1.1",
                                           "GET ?x HTTP/1.1",
                                           "GET \\ HTTP/1.1",
                                           "GET http:/h/ HTTP/1.1",
                                           "GET http:// HTTP/1.1",
                                           "GET http:/// HTTP/1.1",
                                           "GET http://?x HTTP/1.1",
                                           "GET https://h/ HTTP/1.1",
                                           "GET ftp://h/ HTTP/1.1",
                                           "GET http://u@h/ HTTP/1.1",
                                           "GET http://a,b/ HTTP/1.1",
                                           "GET http://a\\b/ HTTP/1.1",
                                           "GET /#x HTTP/1.1",
                                           "GET /\x01 HTTP/1.1",
                                           "GET /\0 HTTP/1.1"sv,
                                           "GET /\x7F HTTP/1.1",
                                           "GET /\x80 HTTP/1.1",
                                           "GET /\xC3\xBC HTTP/1.1",
                                           "GET /\r HTTP/1.1",
                                           "GET /\n HTTP/1.1",
                                           "GET / HTTP/1.1\r",
                                           "GET / HTTP/1.1\n",
                                           "GET / HTTP/1.1\n\r",
                                           "\nGET / HTTP/1.1",
                                           "\rGET / HTTP/1.1",
                                           "\r\r\nGET / HTTP/1.1",
                                           "\n\nGET / HTTP/1.1",
                                           "\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1",
                                           "\r\n GET / HTTP/1.1",
                                           "\0GET / HTTP/1.1"sv}) {
    refused(cases, "3", line(text));
  }
  for (const std::string_view text :
       Texts{"GET / HTTP/0.9", "GET / HTTP/1.2", "GET / HTTP/1.9", "GET / HTTP/2.0",
             "GET / HTTP/0.0", "GET / HTTP/3.0", "GET / HTTP/9.9", "PRI * HTTP/2.0"}) {
    refused(cases, "2.3", line(text), 505);
  }
  for (const std::string_view text :
       Texts{"get / HTTP/1.1", "Get / HTTP/1.1", "GETT / HTTP/1.1", "GE / HTTP/1.1", "X / HTTP/1.1",
             "G'T / HTTP/1.1", "PRI * HTTP/1.1", "CONNECT h:80 HTTP/1.1", "CONNECT / HTTP/1.1",
             "PROPFIND / HTTP/1.1", "M-SEARCH * HTTP/1.1"}) {
    refused(cases, "RFC 9110 9.1", line(text), 501);
  }
  refused(cases, "3", line("GET /" + std::string(9000, 'x') + " HTTP/1.1"), 414);
  refused(cases, "3", "GET /" + std::string(17'000, 'x'), 414);
  refused(cases, "2.2", "GET / HTTP/1.1\nHost: h\n\n");
  refused(cases, "2.2", "GET / HTTP/1.1\rHost: h\r\r");
}

inline void add_host(Cases& cases) {
  const auto with = [](std::string_view fields) {
    return "GET / HTTP/1.1\r\n" + std::string(fields) + "\r\n\r\n";
  };
  for (const std::string_view value :
       Texts{"", " ", "h", "h:80", "H.Example:8080", "127.0.0.1", "[::1]:80", "[::1]", "a_b",
             "a%20b", "xn--mnchen-3ya.de", "h:", "h:65535"}) {
    taken(cases, "3.2", with("Host:" + std::string(value)));
  }
  for (const std::string_view fields : Texts{"X: y",
                                             "Host: h\r\nHost: h",
                                             "Host: h\r\nHost: i",
                                             "Host: h\r\nX: y\r\nhost: h",
                                             "Host:\r\nHost: h",
                                             "Host: h\r\nHost:",
                                             "Host : h",
                                             "Host\t: h",
                                             " Host: h",
                                             "Host",
                                             "Host h",
                                             "Host: a b",
                                             "Host: a\tb",
                                             "Host: a,b",
                                             "Host: a, b",
                                             "Host: a/b",
                                             "Host: a/",
                                             "Host: http://h",
                                             "Host: u@h",
                                             "Host: a?b",
                                             "Host: a#b",
                                             "Host: a\\b",
                                             "Host: <h>",
                                             "Host: \"h\"",
                                             "Host: {h}",
                                             "Host: a|b",
                                             "Host: a^b",
                                             "Host: a`b",
                                             "Host: :80",
                                             "Host: h:80:80",
                                             "Host: h:x",
                                             "Host: h:-1",
                                             "Host: h:65536",
                                             "Host: ::1",
                                             "Host: [::1",
                                             "Host: [::1]80",
                                             "Host: a[::1]",
                                             "Host: []",
                                             "Host: a%2",
                                             "Host: a%zz",
                                             "Host: a\x80"
                                             "b",
                                             "Host: \xC3\xBC",
                                             "Host: a\0b"sv,
                                             "Host: a\x01"
                                             "b",
                                             "Host: a\x7F",
                                             "Host: a\r\n b",
                                             "Host: a\rb",
                                             "Host: a\nb",
                                             "H\0st: h"sv,
                                             "Host\0: h"sv,
                                             "H\xC3\xB6st: h"}) {
    refused(cases, "3.2", with(fields));
  }
  taken(cases, "3.2.2", "GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n");  // The target's counts.
  refused(cases, "3.2.2", "GET http://a/ HTTP/1.1\r\n\r\n");
  refused(cases, "3.2", "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n");
  refused(cases, "3.2", "GET / HTTP/1.0\r\nHost: a b\r\n\r\n");
}

inline void add_fields(Cases& cases) {
  for (unsigned byte = 0; byte < 0x100; ++byte) {
    const char c = static_cast<char>(byte);
    const bool is_token = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                          (c >= 'a' && c <= 'z') ||
                          (c != '\0' && "!#$%&'*+-.^_`|~"sv.find(c) != std::string_view::npos);
    const std::string name = std::string("X") + c + "Y";
    if (!is_token && c != ':') {
      refused(cases, "5.1", get(name + ": z"));
    }
    if (byte < 0x20 && c != '\t') {
      refused(cases, "5.5", get("X: " + name));
    }
  }
  taken(cases, "5.1", get("!#$%&'*+-.^_`|~09AZaz: \t x\x80\xFF y \t"));
  taken(cases, "5.1", get("X:"));
  taken(cases, "5.1", get("X::"));
  taken(cases, "5.1", get("X: y: z"));
  refused(cases, "5.5", get("X: \x7F"));
  refused(cases, "5.2", get("X: y\r\n z"));
  refused(cases, "5.2", get("X: y\r\n\tz"));
  refused(cases, "5.2", get("X: y\r\n "));
  refused(cases, "5", get("X: " + std::string(17'000, 'y')), 431);
  std::string many = "A: b";
  for (int i = 0; i < 100; ++i) {
    many += "\r\nA: b";
  }
  refused(cases, "5", get(many), 431);
  refused(cases, "RFC 9110 10.1.1", get("Expect: something"), 417);
  refused(cases, "RFC 9110 10.1.1", get("Expect: 100-continue, x"), 417);
  // Declined: what follows is HTTP/1.1 all the same (RFC 9110 section 7.8).
  taken(cases, "RFC 9110 7.8",
        get("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk"));
  taken(cases, "RFC 9110 7.8",
        get("Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13"));
  taken(cases, "RFC 9110 7.6.1", post("Connection: Content-Length\r\nContent-Length: 5", kFive));
}

}  // namespace detail

inline std::vector<SmugglingCase> smuggling_cases() {
  detail::Cases cases;
  detail::add_content_length(cases);
  detail::add_transfer_encoding(cases);
  detail::add_chunks(cases);
  detail::add_request_line(cases);
  detail::add_host(cases);
  detail::add_fields(cases);
  return cases;
}

}  // namespace stadion::tests
