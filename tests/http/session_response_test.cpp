// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <string_view>

#include "http/session.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/peer.hpp"
#include "tests/support/recorded_log.hpp"
#include "tests/support/running_server.hpp"

/// Responses through a whole server: large ones, streamed ones, and handlers that fail.
namespace stadion::http {
namespace {

using tests::eventually;
using tests::HttpClient;
using tests::HttpResponse;
using tests::LiveArenas;
using tests::patterned_text;
using tests::RecordedLog;
using tests::RunningServer;

std::string get(std::string_view target) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: t\r\n\r\n";
}

TEST_CASE_FIXTURE(LiveArenas,
                  "response: a handler that throws is a 500, and the connection stays") {
  RecordedLog log;
  RunningServer server([](Server& made) {
    made.get("/exception", [](const Request&, Response& response) {
      response.header("X-Half-Done", "yes").text("half done");
      throw std::runtime_error("the reason");
    });
    made.get("/int", [](const Request&, Response& response) {
      response.close_connection();
      throw 42;
    });
    made.get("/fine", [](const Request&, Response& response) { response.text("fine"); });
  });
  HttpClient client = server.connect();
  for (const std::string_view target : {"/exception", "/int"}) {
    CAPTURE(target);
    const HttpResponse response = client.exchange(get(target));
    CHECK(response.is_complete);
    CHECK(response.status == 500);
    CHECK(response.body.find("half") == std::string::npos);
    CHECK(response.body.find("reason") == std::string::npos);
    CHECK(response.count("X-Half-Done") == 0);
    CHECK(client.exchange(get("/fine")).body == "fine");
  }
  CHECK(log.count(LogLevel::error, "the reason") == 1);
  CHECK(log.count(LogLevel::error, "GET /exception") == 1);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "response: a handler's ArenaFailed is a 503, caught by it it is not") {
  RecordedLog log;
  ServerOptions options;
  options.limits.request_memory_bytes_max = 1024 * 1024;
  RunningServer server(
      [](Server& made) {
        made.get("/greedy", [](const Request& request, Response& response) {
          while (true) {
            response.bytes("", "text/plain");
            (void)request.arena().alloc(1000);
          }
        });
        made.get("/throws", [](const Request&, Response&) {
          throw ArenaFailed(7, {"for a test"}, SourceLocation::current());
        });
        made.get("/careful", [](const Request& request, Response& response) {
          while (request.arena().try_alloc(1000) != nullptr) {
          }
          response.body_by_reference("did without", "text/plain");
        });
      },
      options);
  HttpClient client = server.connect();
  CHECK(client.exchange(get("/greedy")).status == 503);
  CHECK(client.exchange(get("/throws")).status == 503);
  CHECK(client.exchange(get("/greedy")).status == 503);
  CHECK(log.count(LogLevel::error, "GET /greedy") == 2);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "response: with the request's memory used up the answer still comes") {
  ServerOptions options;
  options.limits.request_memory_bytes_max = 1024 * 1024;
  RunningServer server(
      [](Server& made) {
        made.get("/", [](const Request& request, Response& response) {
          response.body_by_reference("did without", "text/plain");
          for (std::size_t bytes = 64 * 1024; bytes > 0; bytes /= 2) {
            while (request.arena().try_alloc(bytes, 1) != nullptr) {
            }
          }
        });
      },
      options);
  const HttpResponse response = server.exchange(get("/"));
  CHECK(response.status == 200);
  CHECK(response.body == "did without");
}

TEST_CASE_FIXTURE(LiveArenas, "response: the arena of a handler that throws is disposed, too") {
  RecordedLog log;
  static std::atomic<int> destroyed;
  destroyed = 0;
  struct Counted {
    ~Counted() { ++destroyed; }
  };
  RunningServer server([](Server& made) {
    made.get("/", [](const Request& request, Response&) {
      request.arena().make<Counted>();
      throw std::runtime_error("after it was made");
    });
  });
  HttpClient client = server.connect();
  const std::size_t live_before = Arena::debug_live_count();
  for (int i = 1; i <= 3; ++i) {
    CHECK(client.exchange(get("/")).status == 500);
    CHECK(eventually([i] { return destroyed == i; }));
    CHECK(eventually([&] { return Arena::debug_live_count() == live_before; }));
  }
}

TEST_CASE_FIXTURE(LiveArenas, "response: a head larger than the output buffer arrives whole") {
  const std::string value(1000, 'v');
  ServerOptions options;
  options.buffer_bytes = 2048;
  const auto add_fields = [&value](Response& response) {
    for (int i = 0; i < 10; ++i) {
      response.header("X-Large", value);
    }
  };
  RunningServer server(
      [&](Server& made) {
        made.get("/body", [&](const Request&, Response& response) {
          add_fields(response);
          response.text("the body");
        });
        made.get("/stream", [&](const Request&, Response& response) {
          add_fields(response);
          response.stream("text/plain", [](BodyWriter& out) {
            out.write("streamed");
            return false;
          });
        });
        made.get("/empty", [&](const Request&, Response& response) { add_fields(response); });
        made.get("/nothing", [&](const Request&, Response& response) {
          add_fields(response);
          response.status(Status::no_content);
        });
      },
      options);
  HttpClient client = server.connect();
  struct Case {
    const char* target;
    const char* body;
  };
  for (const Case& example : {Case{"/body", "the body"}, Case{"/stream", "streamed"},
                              Case{"/empty", ""}, Case{"/nothing", ""}}) {
    CAPTURE(example.target);
    // Twice, pipelined, so that the first one's memory is reused while it may still be on its way.
    client.send(get(example.target) + get(example.target));
    for (int i = 0; i < 2; ++i) {
      const HttpResponse response = client.read_response();
      CHECK(response.is_complete);
      CHECK(response.body == example.body);
      CHECK(response.count("X-Large") == 10);
      CHECK(response.field("X-Large") == value);
    }
  }
  client.send("HEAD /body HTTP/1.1\r\nHost: t\r\n\r\n" + get("/body"));
  CHECK(client.read_head_response().count("X-Large") == 10);
  CHECK(client.read_response().body == "the body");
}

TEST_CASE_FIXTURE(LiveArenas, "response: bodies around the size of the output buffer") {
  ServerOptions options;
  options.buffer_bytes = 2048;
  RunningServer server(
      [](Server& made) {
        made.get("/{bytes}", [](const Request& request, Response& response) {
          response.text(patterned_text(std::stoul(std::string(request.param("bytes")))));
        });
      },
      options);
  HttpClient client = server.connect();
  for (std::size_t bytes = 1750; bytes < 2100; ++bytes) {
    CAPTURE(bytes);
    client.send(get("/" + std::to_string(bytes)) + get("/10"));
    REQUIRE(client.read_response().body == patterned_text(bytes));
    REQUIRE(client.read_response().body == patterned_text(10));
  }
}

TEST_CASE_FIXTURE(LiveArenas, "response: 8 MiB by reference arrive, though read slowly") {
  const std::string body = patterned_text(8 * 1024 * 1024);
  RunningServer server([&body](Server& made) {
    made.get("/", [&body](const Request&, Response& response) {
      response.body_by_reference(body, "application/octet-stream");
    });
  });
  HttpClient client = server.connect({.receive_buffer_bytes = 4096});
  client.send(get("/") + get("/"));
  CHECK(client.read_response().body == body);
  CHECK(client.read_response().body == body);
}

TEST_CASE_FIXTURE(LiveArenas, "response: a stream of unknown length comes in chunks") {
  const std::string text = patterned_text(1024 * 1024);
  RunningServer server([&text](Server& made) {
    made.get("/", [&text](const Request&, Response& response) {
      response.stream("text/plain", [left = std::string_view(text)](BodyWriter& out) mutable {
        left.remove_prefix(out.write(left.substr(0, 3333)));
        return !left.empty();
      });
    });
  });
  HttpClient client = server.connect();
  client.send(get("/") + "HEAD / HTTP/1.1\r\nHost: t\r\n\r\n" + get("/"));
  const HttpResponse first = client.read_response();
  CHECK(first.is_chunked);
  CHECK(first.count("Content-Length") == 0);
  CHECK(first.body == text);
  CHECK(client.read_head_response().status == 200);
  CHECK(client.read_response().body == text);
}

TEST_CASE_FIXTURE(LiveArenas,
                  "response: to HTTP/1.0 a stream goes without chunks until the close") {
  RunningServer server([](Server& made) {
    made.get("/", [](const Request&, Response& response) {
      response.stream("text/plain", [line = 0](BodyWriter& out) mutable {
        out.write("line\n");
        return ++line < 3;
      });
    });
  });
  const HttpResponse response = server.exchange("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  CHECK(response.count("Transfer-Encoding") == 0);
  CHECK(response.count("Content-Length") == 0);
  CHECK(response.field("Connection") == "close");
  CHECK(response.is_complete);
  CHECK(response.body == "line\nline\nline\n");
}

TEST_CASE_FIXTURE(LiveArenas, "response: a stream of known length has Content-Length") {
  const std::string text = patterned_text(300'000);
  RunningServer server([&text](Server& made) {
    made.get("/", [&text](const Request&, Response& response) {
      response.stream("text/plain", text.size(),
                      [left = std::string_view(text)](BodyWriter& out) mutable {
                        left.remove_prefix(out.write(left));
                        return true;  // The length says where it ends.
                      });
    });
    made.get("/none", [](const Request&, Response& response) {
      response.stream("text/plain", 0,
                      [](BodyWriter&) -> bool { throw std::logic_error("asked"); });
    });
  });
  HttpClient client = server.connect();
  for (int i = 0; i < 2; ++i) {
    const HttpResponse response = client.exchange(get("/"));
    CHECK(response.field("Content-Length") == std::to_string(text.size()));
    CHECK_FALSE(response.is_chunked);
    CHECK(response.body == text);
    CHECK(client.exchange(get("/none")).field("Content-Length") == "0");
  }
}

TEST_CASE_FIXTURE(LiveArenas, "response: a producer that fails cuts the connection [RFC 9112 §8]") {
  RecordedLog log;
  const std::string piece = patterned_text(5000);
  RunningServer server([&piece](Server& made) {
    made.get("/throws", [&piece](const Request&, Response& response) {
      response.stream("text/plain", [&piece, calls = 0](BodyWriter& out) mutable {
        if (++calls == 40) {
          throw std::runtime_error("the source is dry");
        }
        out.write(piece);
        return true;
      });
    });
    made.get("/short", [&piece](const Request&, Response& response) {
      response.stream("text/plain", 100'000, [&piece, calls = 0](BodyWriter& out) mutable {
        out.write(piece);
        return ++calls < 10;
      });
    });
    made.get("/idle", [](const Request&, Response& response) {
      response.stream("text/plain", [calls = 0](BodyWriter& out) mutable {
        if (++calls < 40) {
          out.write("x");
        }
        return true;
      });
    });
  });
  for (const std::string_view target : {"/throws", "/short", "/idle"}) {
    CAPTURE(target);
    HttpClient client = server.connect();
    client.send(get(target) + get(target));
    const HttpResponse response = client.read_response();
    CHECK_FALSE(response.is_complete);
    CHECK(client.is_at_end());
  }
  CHECK(log.count(LogLevel::error, "the source is dry") == 1);
  CHECK(log.count(LogLevel::error, "GET /short") == 1);
  CHECK(log.count(LogLevel::error, "GET /idle") == 1);
}

TEST_CASE_FIXTURE(LiveArenas, "response: answers before one that fails still arrive") {
  RecordedLog log;
  RunningServer server([](Server& made) {
    made.get("/fine", [](const Request&, Response& response) { response.text("fine"); });
    made.get("/fails", [](const Request&, Response& response) {
      response.stream("text/plain",
                      [](BodyWriter&) -> bool { throw std::runtime_error("at once"); });
    });
  });
  HttpClient client = server.connect();
  client.send(get("/fine") + get("/fails"));
  CHECK(client.read_response().body == "fine");
  CHECK_FALSE(client.read_response().is_complete);
}

}  // namespace
}  // namespace stadion::http
