// SPDX-License-Identifier: MIT
#include "http/compression.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/coded.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/running_server.hpp"

namespace stadion::http {
namespace {

using tests::available_codings;
using tests::compressible_text;
using tests::decoded;
using tests::HttpResponse;
using tests::LiveArenas;
using tests::random_text;
using tests::RunningServer;

const std::string kSmall = compressible_text(8'000);

std::string get(std::string_view path, std::string_view accepted, std::string_view more = {}) {
  return "GET " + std::string(path) +
         " HTTP/1.1\r\nHost: t\r\nAccept-Encoding: " + std::string(accepted) + "\r\n" +
         std::string(more) + "\r\n";
}

bool is_there(ContentCoding coding) { return is_available(coding); }

/// The body as it was before the coding that the response says it has.
std::string original_of(const HttpResponse& response) {
  const std::optional<std::string> coding = response.field("Content-Encoding");
  if (!coding.has_value()) {
    return response.body;
  }
  const auto body = decoded(parse_content_coding(*coding).value(), response.body);
  CHECK(body.status == DecodeStatus::end);
  return body.text;
}

/// What the response says, "" where it says nothing.
std::string coding_of(const HttpResponse& response) {
  return response.field("Content-Encoding").value_or("");
}

/// "/" with the text; what `decorate(response)` adds, it has too.
template <class Decorate>
auto serving(Decorate decorate, CompressionOptions options = {}) {
  return [decorate, options](Server& server) {
    server.use(compression(options));
    server.get("/", [decorate](const Request&, Response& response) {
      response.text(kSmall);
      decorate(response);
    });
  };
}

void add_text(Server& server) {
  serving([](Response&) {})(server);
}

TEST_CASE_FIXTURE(LiveArenas, "compression: what comes is what was sent, in each coding") {
  RunningServer server(add_text);
  REQUIRE_FALSE(available_codings().empty());
  for (const ContentCoding coding : available_codings()) {
    CAPTURE(to_string(coding));
    const HttpResponse response = server.exchange(get("/", to_string(coding)));
    CHECK(response.status == 200);
    CHECK(coding_of(response) == to_string(coding));
    CHECK(response.field("Content-Length") == std::to_string(response.body.size()));
    CHECK(response.field("Vary") == "Accept-Encoding");
    CHECK(response.field("Content-Type") == "text/plain; charset=utf-8");
    CHECK(response.body.size() < kSmall.size() / 2);
    CHECK(original_of(response) == kSmall);
  }
}

TEST_CASE_FIXTURE(LiveArenas, "compression: the client's weights choose, then the server's order") {
  REQUIRE(is_there(ContentCoding::gzip));
  RunningServer server(add_text);
  RunningServer prefers_gzip(
      serving([](Response&) {},
              {.codings = {ContentCoding::gzip, ContentCoding::br, ContentCoding::zstd}}));
  const std::string best = is_there(ContentCoding::zstd) ? "zstd"
                           : is_there(ContentCoding::br) ? "br"
                                                         : "gzip";
  const auto chosen = [&server](std::string_view accepted) {
    return coding_of(server.exchange(get("/", accepted)));
  };
  CHECK(chosen("gzip, br, zstd") == best);
  CHECK(coding_of(prefers_gzip.exchange(get("/", "zstd, br, gzip"))) == "gzip");
  CHECK(chosen("gzip;q=0.9, br;q=0.8, zstd;q=0.8") == "gzip");
  CHECK(chosen("GZIP") == "gzip");
  CHECK(chosen("*") == best);
  CHECK(chosen("br;q=0, zstd;q=0, *;q=0.5") == "gzip");
  CHECK(chosen("gzip;q=0") == "");
  CHECK(chosen("*;q=0, gzip;q=0.1") == "gzip");
  CHECK(chosen("identity;q=0, gzip;q=0.001") == "gzip");
  CHECK(chosen("identity, gzip;q=0.5") == "");
  CHECK(chosen("identity") == "");
  CHECK(chosen("") == "");
  CHECK(chosen("compress, deflate") == "");
  CHECK(chosen("gzip;q=nonsense") == "");
  CHECK(chosen("deflate\r\nAccept-Encoding: gzip") == "gzip");
}

TEST_CASE_FIXTURE(LiveArenas,
                  "compression: a client that accepts nothing we have gets it as it is") {
  RunningServer server(add_text);
  for (const std::string_view accepted : {"identity;q=0", "*;q=0", "compress;q=1, *;q=0"}) {
    CAPTURE(accepted);
    const HttpResponse response = server.exchange(get("/", accepted));
    CHECK(response.status == 200);
    CHECK(coding_of(response) == "");
    CHECK(response.body == kSmall);
    CHECK(response.field("Vary") == "Accept-Encoding");
  }
}

TEST_CASE_FIXTURE(LiveArenas, "compression: without Accept-Encoding the body is sent as it is") {
  RunningServer server(add_text);
  const HttpResponse response = server.exchange("GET / HTTP/1.1\r\nHost: t\r\n\r\n");
  CHECK(coding_of(response) == "");
  CHECK(response.body == kSmall);
  CHECK(response.field("Vary") == "Accept-Encoding");
}

TEST_CASE_FIXTURE(LiveArenas,
                  "compression: a body below bytes_min is left alone, at it it is not") {
  RunningServer server([](Server& made) {
    made.use(compression({.bytes_min = 500}));
    made.get("/{bytes}", [](const Request& request, Response& response) {
      response.text(compressible_text(std::stoul(std::string(request.param("bytes")))));
    });
  });
  const HttpResponse below = server.exchange(get("/499", "gzip"));
  CHECK(coding_of(below) == "");
  CHECK(below.body.size() == 499);
  CHECK(below.count("Vary") == 0);
  CHECK(coding_of(server.exchange(get("/500", "gzip"))) == "gzip");
  CHECK(server.exchange(get("/0", "gzip")).body.empty());
}

TEST_CASE_FIXTURE(LiveArenas, "compression: what is compressed, partial or not to change is left") {
  const std::vector<void (*)(Response&)> decorations{
      [](Response& response) { response.set_header("Content-Type", "image/png"); },
      [](Response& response) { response.set_header("Content-Type", "application/octet-stream"); },
      [](Response& response) { response.header("Content-Encoding", "br"); },
      [](Response& response) { response.header("Cache-Control", "public, No-Transform"); },
      [](Response& response) {
        response.header("Cache-Control", "public").header("Cache-Control", "no-transform");
      },
      [](Response& response) {
        response.status(Status::partial_content).header("Content-Range", "bytes 0-7999/9000");
      },
  };
  for (const auto& decoration : decorations) {
    CAPTURE(&decoration - decorations.data());
    RunningServer server(serving([&](Response& response) {
      response.header("ETag", "\"a\"");
      decoration(response);
    }));
    const HttpResponse response = server.exchange(get("/", "gzip, br, zstd"));
    CHECK(response.body == kSmall);
    CHECK(response.field("Content-Length") == std::to_string(kSmall.size()));
    CHECK(response.field("ETag") == "\"a\"");
  }
}

TEST_CASE_FIXTURE(LiveArenas, "compression: which types are worth it can be said") {
  RunningServer server(serving(
      [](Response& response) { response.set_header("Content-Type", "application/x-special"); },
      {.is_worth_it = [](std::string_view type) { return type == "application/x-special"; }}));
  CHECK(coding_of(server.exchange(get("/", "gzip"))) == "gzip");
}

TEST_CASE_FIXTURE(LiveArenas, "compression: what does not become shorter is sent as it is") {
  const std::string random = random_text(5'000);
  RunningServer server([&](Server& made) {
    made.use(compression());
    made.get("/", [&](const Request&, Response& response) {
      response.header("ETag", "\"r\"").text(random);
    });
  });
  for (const ContentCoding coding : available_codings()) {
    CAPTURE(to_string(coding));
    const HttpResponse response = server.exchange(get("/", to_string(coding)));
    CHECK(coding_of(response) == "");
    CHECK(response.field("ETag") == "\"r\"");
    CHECK((response.body == random));
  }
}

TEST_CASE_FIXTURE(LiveArenas, "compression: a strong entity tag becomes weak [RFC 9110 §8.8.1]") {
  RunningServer server(serving([](Response& response) {
    response.header("ETag", "\"abc\"").header("Accept-Ranges", "bytes");
  }));
  const HttpResponse coded = server.exchange(get("/", "gzip"));
  CHECK(coded.field("ETag") == "W/\"abc\"");
  CHECK(coded.count("ETag") == 1);
  CHECK(coded.count("Accept-Ranges") == 0);
  const HttpResponse plain = server.exchange(get("/", "identity"));
  CHECK(plain.field("ETag") == "\"abc\"");
  CHECK(plain.count("Accept-Ranges") == 1);
  RunningServer weak(serving([](Response& response) { response.header("ETag", "W/\"abc\""); }));
  CHECK(weak.exchange(get("/", "gzip")).field("ETag") == "W/\"abc\"");
}

TEST_CASE_FIXTURE(LiveArenas, "compression: Vary keeps what is there, and says nothing twice") {
  RunningServer server(
      serving([](Response& response) { response.vary("Origin").vary("accept-encoding"); }));
  const HttpResponse response = server.exchange(get("/", "gzip"));
  CHECK(response.count("Vary") == 2);
  CHECK(original_of(response) == kSmall);
}

TEST_CASE_FIXTURE(LiveArenas, "compression: HEAD gets the fields of GET, and no body") {
  RunningServer server([](Server& made) {
    made.use(compression());
    made.get("/small", [](const Request&, Response& response) {
      response.header("ETag", "\"a\"").text(kSmall);
    });
    made.get("/large", [](const Request&, Response& response) {
      response.header("ETag", "\"a\"").text(compressible_text(200'000));
    });
  });
  for (const std::string path : {"/small", "/large"}) {
    for (const std::string_view accepted : {"gzip", "br", "zstd", "identity"}) {
      CAPTURE(path);
      CAPTURE(accepted);
      auto client = server.connect();
      HttpResponse whole = client.exchange(get(path, accepted));
      const HttpResponse head = client.exchange("HEAD" + get(path, accepted).substr(3));
      HttpResponse rest = head;
      for (HttpResponse* response : {&whole, &rest}) {  // HEAD may leave out how a body is framed.
        std::erase_if(response->fields, [](const auto& field) {
          return field.first == "Date" || field.first == "Transfer-Encoding";
        });
      }
      CHECK((rest.fields == whole.fields));
      CHECK(client.exchange(get("/small", "gzip")).is_complete);  // Nothing came behind the head.
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas,
                  "compression: an error's short text is left alone, a long one is not") {
  RunningServer server([](Server& made) {
    made.use(compression());
    made.on_error([](Exchange& exchange, const Failure& failure) {
      if (failure.status == Status::not_found) {
        exchange.response().html(kSmall);
      }
    });
    made.get("/throws", [](Exchange&) { throw std::runtime_error("on purpose"); });
  });
  const HttpResponse missing = server.exchange(get("/missing", "gzip"));
  CHECK(missing.status == 404);
  CHECK(coding_of(missing) == "gzip");
  CHECK(original_of(missing) == kSmall);
  CHECK(coding_of(server.exchange(get("/throws", "gzip"))) == "");
}

}  // namespace
}  // namespace stadion::http
