// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http/compression.hpp"
#include "tests/support/coded.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/recorded_log.hpp"
#include "tests/support/running_server.hpp"
#include "tests/support/temporary_file.hpp"

/// Compressed bodies that are sent piece by piece.
namespace stadion::http {
namespace {

using tests::available_codings;
using tests::compressible_text;
using tests::Decoded;
using tests::HttpClient;
using tests::HttpResponse;
using tests::LiveArenas;
using tests::RunningServer;
using tests::TemporaryFile;

const std::string kLarge = compressible_text(700'000);

std::string get(std::string_view path, ContentCoding coding, std::string_view version = "1.1") {
  return "GET " + std::string(path) + " HTTP/" + std::string(version) +
         "\r\nHost: t\r\nAccept-Encoding: " + std::string(to_string(coding)) + "\r\n\r\n";
}

/// Whether the response is the text in that coding, byte for byte.
void check_is(const HttpResponse& response, ContentCoding coding, std::string_view text) {
  CHECK(response.is_complete);
  CHECK(response.status == 200);
  CHECK(response.field("Content-Encoding") == to_string(coding));
  CHECK(response.count("Content-Length") == 0);
  CHECK(response.body.size() < text.size() / 2);
  const Decoded body = tests::decoded(coding, response.body);
  CHECK(body.status == DecodeStatus::end);
  CHECK((body.text == text));
}

/// Writes the text from where it stands; gives whether there is more of it.
auto producer_of(std::string_view text, std::size_t piece_max) {
  return [text, piece_max](BodyWriter& out) mutable {
    text.remove_prefix(out.write(text.substr(0, piece_max)));
    return !text.empty();
  };
}

void add_routes(Server& server, int file) {
  server.use(compression());
  server.get("/fixed", [](const Request&, Response& response) {
    response.body_by_reference(kLarge, "text/plain");
  });
  server.get("/producer", [](const Request&, Response& response) {
    response.stream("text/plain", producer_of(kLarge, 30'000));
  });
  server.get("/crumbs", [](const Request&, Response& response) {
    response.stream("text/plain", producer_of(kLarge, 7));
  });
  server.get("/announced", [](const Request&, Response& response) {
    response.stream("text/plain", kLarge.size(), producer_of(kLarge, 30'000));
  });
  server.get("/written", [](Exchange& exchange) -> Task<> {
    exchange.response().set_header("Content-Type", "text/plain");
    for (std::size_t at = 0; at < kLarge.size(); at += 50'000) {
      co_await exchange.write(std::string_view(kLarge).substr(at, 50'000));
    }
  });
  server.get("/written_announced", [](Exchange& exchange) -> Task<> {
    exchange.response().set_header("Content-Type", "text/plain");
    exchange.response().announce_length(kLarge.size());
    co_await exchange.write(kLarge);
  });
  server.get("/parts", [file](const Request&, Response& response) {
    const std::string_view text = kLarge;
    const std::vector<BodyPart> parts{
        {.bytes = text.substr(0, 10)},
        {.bytes = {}},
        {.file = file, .offset = 10, .file_bytes = 400'000},
        {.bytes = text.substr(400'010, 99'990)},
        {.file = file, .offset = 500'000, .file_bytes = 0},
        {.file = file, .offset = 500'000, .file_bytes = text.size() - 500'000}};
    response.body_parts(parts, "text/plain");
  });
}

/// Flushes what does not become shorter until the client, which takes nothing, lets it wait too long, and
/// then writes on.
class GivenUpFlush {
 public:
  Task<> operator()(Exchange& exchange) {
    exchange.response().set_header("Content-Type", "text/plain");
    while (!has_given_up) {
      const std::string_view piece = std::string_view(kRandom).substr(written.size(), 4'000);
      written += piece;
      co_await exchange.write(piece);
      try {
        co_await exchange.flush().within(std::chrono::milliseconds(20));
      } catch (const DeadlinePassed&) {
        has_given_up = true;
      }
    }
    written += kLarge;
    co_await exchange.write(kLarge);
    has_ended = true;
  }

  static inline const std::string kRandom = tests::random_text(32'000'000);  // More than is taken.
  std::string written{};
  std::atomic<bool> has_given_up = false;
  std::atomic<bool> has_ended = false;
};

TEST_CASE_FIXTURE(LiveArenas, "compression: a flush that was given up loses nothing") {
  for (const ContentCoding coding : available_codings()) {
    CAPTURE(to_string(coding));
    GivenUpFlush handler;
    ServerOptions options;
    options.buffer_bytes = 2048;  // Less than is flushed at a time.
    RunningServer server(
        [&handler](Server& made) {
          made.use(compression());
          made.get("/", [&handler](Exchange& exchange) { return handler(exchange); });
        },
        options);
    HttpClient client = server.connect({.receive_buffer_bytes = 4096});
    client.send(get("/", coding));
    REQUIRE(tests::eventually([&] { return handler.has_given_up.load(); }));
    const HttpResponse response = client.read_response();
    REQUIRE(response.is_complete);
    CHECK(handler.has_ended);
    const Decoded body = tests::decoded(coding, response.body);
    CHECK(body.status == DecodeStatus::end);
    CHECK((body.text == handler.written));
  }
}

TEST_CASE_FIXTURE(LiveArenas, "compression: a large body of any kind is sent in pieces") {
  const TemporaryFile file(kLarge);
  RunningServer server([&](Server& made) { add_routes(made, file.descriptor()); });
  for (const ContentCoding coding : available_codings()) {
    HttpClient client = server.connect();
    for (const std::string_view path : {"/fixed", "/producer", "/crumbs", "/announced", "/written",
                                        "/written_announced", "/parts"}) {
      CAPTURE(to_string(coding));
      CAPTURE(path);
      const HttpResponse response = client.exchange(get(path, coding));
      CHECK(response.is_chunked);
      check_is(response, coding, kLarge);
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas, "compression: towards HTTP/1.0 the end of the connection ends it") {
  const TemporaryFile file(kLarge);
  RunningServer server([&](Server& made) { add_routes(made, file.descriptor()); });
  for (const ContentCoding coding : available_codings()) {
    for (const std::string_view path : {"/fixed", "/producer", "/written", "/parts"}) {
      CAPTURE(to_string(coding));
      CAPTURE(path);
      const HttpResponse response = server.exchange(get(path, coding, "1.0"));
      CHECK_FALSE(response.is_chunked);
      check_is(response, coding, kLarge);
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas, "compression: a producer with a length is ended there, as without") {
  RunningServer server([](Server& made) {
    made.use(compression());
    made.get("/", [](const Request&, Response& response) {
      response.stream("text/plain", 100'000, [](BodyWriter& out) {
        std::span<char> room = out.room();
        std::fill(room.begin(), room.end(), 'a');
        out.commit(room.size());
        return true;  // It goes by the length.
      });
    });
  });
  CHECK(server.exchange(get("/", ContentCoding::identity)).body == std::string(100'000, 'a'));
  for (const ContentCoding coding : available_codings()) {
    CAPTURE(to_string(coding));
    check_is(server.exchange(get("/", coding)), coding, std::string(100'000, 'a'));
  }
}

TEST_CASE_FIXTURE(LiveArenas, "compression: a body shorter than announced is cut off, not ended") {
  const tests::RecordedLog log;
  const TemporaryFile file(kLarge.substr(0, 1000));
  RunningServer server([&](Server& made) {
    made.use(compression());
    made.get("/producer", [](const Request&, Response& response) {
      response.stream("text/plain", kLarge.size(),
                      producer_of(std::string_view(kLarge).substr(0, 99'999), 30'000));
    });
    made.get("/throws", [](const Request&, Response& response) {
      response.stream("text/plain", [times = 0](BodyWriter& out) mutable {
        out.write(kLarge.substr(0, 5000));
        return ++times < 100 ? true : throw std::runtime_error("on purpose");
      });
    });
    made.get("/file", [&](const Request&, Response& response) {
      const BodyPart part{.file = file.descriptor(), .file_bytes = kLarge.size()};
      response.body_parts({&part, 1}, "text/plain");
    });
  });
  for (const ContentCoding coding : available_codings()) {
    for (const std::string_view path : {"/producer", "/throws", "/file"}) {
      CAPTURE(to_string(coding));
      CAPTURE(path);
      CHECK_FALSE(server.exchange(get(path, coding)).is_complete);
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas, "compression: what was flushed can be decoded at once") {
  RunningServer server([](Server& made) {
    made.use(compression());
    made.post("/",
              [](Exchange& exchange) -> Task<> {
                exchange.response().set_header("Content-Type", "text/plain");
                for (;;) {  // Each piece is answered before the next one comes.
                  const std::string_view piece = co_await exchange.read_body();
                  if (piece.empty()) {
                    break;
                  }
                  co_await exchange.write("got ");
                  co_await exchange.write(piece);
                  co_await exchange.flush();
                  co_await exchange.flush();  // Nothing is new.
                }
                co_await exchange.write("end");
              },
              {.body = BodyMode::streamed});
  });
  for (const ContentCoding coding : available_codings()) {
    CAPTURE(to_string(coding));
    HttpClient client = server.connect();
    client.send("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\nAccept-Encoding: " +
                std::string(to_string(coding)) + "\r\n\r\n5\r\nfirst\r\n");
    Arena arena;
    Decoder& decoder = make_decoder(coding, arena, tests::kWideLimits);
    std::string text;
    std::string head = client.read_bytes(1);
    while (!head.ends_with("\r\n\r\n")) {
      head += client.read_bytes(1);
    }
    const auto read_chunk = [&] {
      std::string line;
      while (!line.ends_with("\r\n")) {
        line += client.read_bytes(1);
      }
      const std::size_t bytes = std::stoul(line, nullptr, 16);
      const std::string data = client.read_bytes(bytes + 2).substr(0, bytes);
      text += tests::decode_piece(decoder, data, bytes == 0).text;
      return bytes > 0;
    };
    while (text != "got first") {
      REQUIRE(read_chunk());
      REQUIRE(text.size() <= 9);
    }
    client.send("6\r\nsecond\r\n");
    while (text != "got firstgot second") {
      REQUIRE(read_chunk());
      REQUIRE(text.size() <= 19);
    }
    client.send("0\r\n\r\n");
    while (read_chunk()) {
    }
    CHECK(text == "got firstgot secondend");
  }
}

TEST_CASE_FIXTURE(LiveArenas, "compression: HEAD of a written body has its fields, and no body") {
  const TemporaryFile file(kLarge);
  RunningServer server([&](Server& made) { add_routes(made, file.descriptor()); });
  for (const ContentCoding coding : available_codings()) {
    HttpClient client = server.connect();
    for (const std::string_view path : {"/written", "/producer", "/parts", "/fixed"}) {
      CAPTURE(path);
      const HttpResponse head = client.exchange("HEAD" + get(path, coding).substr(3));
      CHECK(head.field("Content-Encoding") == to_string(coding));
      CHECK(head.field("Vary") == "Accept-Encoding");
      CHECK(head.count("Content-Length") == 0);
      check_is(client.exchange(get(path, coding)), coding, kLarge);
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas,
                  "compression: where memory ends a small body is whole, none is wrong") {
  const tests::RecordedLog log;
  for (std::size_t limit = 64 * 1024; limit <= 4 << 20; limit += limit / 3) {
    CAPTURE(limit);
    RunningServer server([&](Server& made) {
      auto group = made.group("/g", {.request_memory_bytes_max = limit});
      group.use(compression());
      group.get("/small", [](const Request&, Response& response) {
        response.body_by_reference(std::string_view(kLarge).substr(0, 60'000), "text/plain");
      });
      group.get("/fixed", [](const Request&, Response& response) {
        response.body_by_reference(kLarge, "text/plain");
      });
      group.get("/producer", [](const Request&, Response& response) {
        response.stream("text/plain", producer_of(kLarge, 30'000));
      });
      group.get("/written", [](Exchange& exchange) -> Task<> {
        exchange.response().set_header("Content-Type", "text/plain");
        co_await exchange.write(kLarge);
      });
    });
    for (const ContentCoding coding : available_codings()) {
      for (const std::string_view path : {"/g/small", "/g/fixed", "/g/producer", "/g/written"}) {
        CAPTURE(to_string(coding));
        CAPTURE(path);
        const HttpResponse response = server.exchange(get(path, coding));
        CHECK(response.status == 200);
        if (!response.is_complete) {  // Its memory ended behind the head, and the client sees it.
          CHECK(path != "/g/small");
          continue;
        }
        const std::string expected = kLarge.substr(0, path == "/g/small" ? 60'000 : kLarge.size());
        const bool is_coded = response.field("Content-Encoding").has_value();
        CHECK(
            ((is_coded ? tests::decoded(coding, response.body).text : response.body) == expected));
      }
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas,
                  "compression: wherever memory ends, the body is what its fields say") {
  const tests::RecordedLog log;
  RunningServer server([](Server& made) {
    auto group = made.group("/g", {.request_memory_bytes_max = 64 * 1024});
    group.use(compression());
    group.get("/{taken}", [](const Request& request, Response& response) {
      (void)response.arena().alloc(std::stoul(std::string(request.param("taken"))), 1);
      response.header("ETag", "\"a\"");
      response.body_by_reference(std::string_view(kLarge).substr(0, 2000), "text/plain");
    });
  });
  HttpClient client = server.connect();
  std::size_t coded = 0;
  std::size_t plain = 0;
  for (std::size_t taken = 1; taken < 60'000; taken += 8) {
    CAPTURE(taken);
    const HttpResponse response =
        client.exchange(get("/g/" + std::to_string(taken), ContentCoding::gzip));
    if (response.status == 503) {
      continue;
    }
    const bool is_coded = response.field("Content-Encoding").has_value();
    (is_coded ? coded : plain) += 1;
    const std::string text =
        is_coded ? tests::decoded(ContentCoding::gzip, response.body).text : response.body;
    REQUIRE((text == kLarge.substr(0, 2000)));
    REQUIRE(response.field("ETag") == (is_coded ? "W/\"a\"" : "\"a\""));
  }
  CHECK(coded > 0);
  CHECK(plain > 0);
}

}  // namespace
}  // namespace stadion::http
