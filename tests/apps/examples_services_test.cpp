// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <string>
#include <string_view>
#include <vector>

#include "net/endpoint.hpp"
#include "tests/support/example.hpp"

namespace stadion {
namespace {

using tests::Example;
using tests::HttpClient;
using tests::HttpResponse;

std::size_t count_of(std::string_view part, std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos;
       at = text.find(part, at + part.size())) {
    ++count;
  }
  return count;
}

const bool is_without_notes = !Example::is_built("NOTES");

TEST_CASE("examples: notes are made, read, replaced and deleted" *
          doctest::skip(is_without_notes)) {
  const Example notes("NOTES");
  const HttpResponse made = notes.send("POST", "/notes", R"({"text":"milk"})");
  CHECK(made.status == 201);
  CHECK(made.field("Location") == "/notes/1");
  CHECK(made.field("Content-Type") == "application/json");
  CHECK(made.body == R"({"id":1,"text":"milk"})");
  CHECK(notes.send("POST", "/notes", R"({"text":"\u00e4\n\"", "id":7})").body ==
        "{\"id\":2,\"text\":\"\xC3\xA4\\n\\\"\"}");
  CHECK(notes.get("/notes").body ==
        "[{\"id\":1,\"text\":\"milk\"},{\"id\":2,\"text\":\"\xC3\xA4\\n\\\"\"}]");

  CHECK(notes.send("PUT", "/notes/1", R"({"text":"tea"})").body == R"({"id":1,"text":"tea"})");
  CHECK(notes.get("/notes/1").body == R"({"id":1,"text":"tea"})");

  const HttpResponse deleted = notes.send("DELETE", "/notes/2");
  CHECK(deleted.status == 204);
  CHECK(deleted.body.empty());
  CHECK(notes.get("/notes").body == R"([{"id":1,"text":"tea"}])");
  CHECK(notes.send("POST", "/notes", R"({"text":""})").field("Location") == "/notes/3");
}

TEST_CASE("examples: a note that is not there is 404, whatever its id" *
          doctest::skip(is_without_notes)) {
  const Example notes("NOTES");
  for (const char* id : {"1", "0", "-1", "x", "1x", "18446744073709551616"}) {
    const std::string path = std::string("/notes/") + id;
    CAPTURE(path);
    CHECK(notes.get(path).status == 404);
    CHECK(notes.send("PUT", path, R"({"text":"tea"})").status == 404);
    CHECK(notes.send("DELETE", path).status == 404);
  }
  CHECK(notes.send("PATCH", "/notes/1").status == 405);
}

TEST_CASE("examples: a note that is none is 400, and says where" *
          doctest::skip(is_without_notes)) {
  const Example notes("NOTES");
  CHECK(notes.send("POST", "/notes", R"({"text":"milk"})").status == 201);
  for (const std::string path : {"/notes", "/notes/1"}) {
    const char* method = path == "/notes" ? "POST" : "PUT";
    const HttpResponse malformed = notes.send(method, path, "{\n\"text\": \"tea\",}");
    CHECK(malformed.status == 400);
    CHECK(malformed.body.find("line 2, column 15: unexpected character") != std::string::npos);
    for (const char* body : {"", "{", "[]", "null", "{}", R"({"text":1})", R"({"Text":"tea"})"}) {
      CAPTURE(body);
      CHECK(notes.send(method, path, body).status == 400);
    }
    const std::string text(2048 - std::string_view(R"({"text":""})").size(), 'x');
    const bool is_new = path == "/notes";
    CHECK(notes.send(method, path, R"({"text":")" + text + R"("})").status == (is_new ? 201 : 200));
    CHECK(notes.send(method, path, R"({"text":")" + text + R"(x"})").status == 413);
  }
}

TEST_CASE("examples: notes are 1,000 at the most, and read 100 at a time" *
          doctest::skip(is_without_notes)) {
  const Example notes("NOTES");
  HttpClient client = notes.connect();
  const std::string make = Example::request("POST", "/notes", R"({"text":"x"})");
  for (int i = 0; i < 1000; ++i) {
    REQUIRE(client.exchange(make).status == 201);
  }
  CHECK(client.exchange(make).status == 409);
  CHECK(client.exchange(Example::request("DELETE", "/notes/500")).status == 204);
  CHECK(client.exchange(make).field("Location") == "/notes/1001");
  CHECK(client.exchange(make).status == 409);

  const std::string first = notes.get("/notes").body;
  CHECK(count_of("\"id\"", first) == 100);
  CHECK(first.starts_with(R"([{"id":1,)"));
  CHECK(notes.get("/notes?after=899").body.starts_with(R"([{"id":900,)"));
  CHECK(count_of("\"id\"", notes.get("/notes?after=901").body) == 100);
  CHECK(count_of("\"id\"", notes.get("/notes?after=902").body) == 99);
  CHECK(notes.get("/notes?after=1001").body == "[]");
}

TEST_CASE("examples: offload counts primes, and refuses what is no limit") {
  const Example offload("OFFLOAD");
  CHECK(offload.get("/primes/0").body == "0 primes below 0\n");
  CHECK(offload.get("/primes/2").body == "0 primes below 2\n");
  CHECK(offload.get("/primes/3").body == "1 primes below 3\n");
  CHECK(offload.get("/primes/1000").body == "168 primes below 1000\n");
  for (const char* limit : {"x", "-1", "1x", "4294967296"}) {
    CAPTURE(limit);
    CHECK(offload.get(std::string("/primes/") + limit).status == 400);
  }
}

TEST_CASE("examples: offload stays quick while it works, and gives up in time") {
  const Example offload("OFFLOAD");
  HttpClient slow = offload.connect();
  const auto before = std::chrono::steady_clock::now();
  slow.send(Example::request("GET", "/primes/4294967295"));
  for (int i = 0; i < 3; ++i) {
    CHECK(offload.get("/quick").body == "Quick.\n");
    CHECK_FALSE(slow.has_input());
  }
  const HttpResponse late = slow.read_response();
  CHECK(late.status == 503);
  CHECK(late.body == "This took too long.\n");
  CHECK(std::chrono::steady_clock::now() - before >= std::chrono::seconds(2));
}

TEST_CASE("examples: offload refuses what its queue has no room for, and ends in order") {
  Example offload("OFFLOAD");
  std::vector<HttpClient> clients;
  for (int i = 0; i < 14; ++i) {
    clients.push_back(offload.connect());
    clients.back().send(Example::request("GET", "/primes/4294967295"));
  }
  int refused = 0;
  int late = 0;
  for (HttpClient& client : clients) {
    const HttpResponse response = client.read_response();
    CHECK(response.status == 503);
    refused += response.body == "The server has too much to do.\n" ? 1 : 0;
    late += response.body == "This took too long.\n" ? 1 : 0;
  }
  // 2 threads and 8 that wait, or only these if the threads were not quick to take the first ones.
  CHECK(refused >= 4);
  CHECK(refused <= 6);
  CHECK(refused + late == 14);
  CHECK(offload.ends_at(SIGTERM));
}

/// What has come when the text is there so many times.
std::string read_until(HttpClient& client, std::string_view part, std::size_t times) {
  std::string text;
  while (count_of(part, text) < times) {
    const std::string next = client.read_bytes(1);
    REQUIRE_MESSAGE(!next.empty(), text);
    text += next;
  }
  return text;
}

TEST_CASE("examples: clock sends its page, and events until it is stopped") {
  Example clock("CLOCK");
  const HttpResponse page = clock.get("/");
  CHECK(page.field("Content-Type") == "text/html; charset=utf-8");
  CHECK(page.body.find("new EventSource(\"/events\")") != std::string::npos);

  HttpClient first = clock.connect();
  HttpClient second = clock.connect();
  for (HttpClient* client : {&first, &second}) {
    client->send(Example::request("GET", "/events"));
  }
  const std::string events = read_until(first, "event: tick\ndata: 20", 2);
  CHECK(events.find("Content-Type: text/event-stream\r\n") != std::string::npos);
  CHECK(count_of("retry: 3000\n", events) == 1);
  CHECK(count_of("\nid: ", events) == 2);
  CHECK(clock.ends_at(SIGTERM));
  CHECK(first.read_until_end().ends_with("0\r\n\r\n"));
  const HttpResponse response = second.read_response();
  CHECK(response.is_complete);
  CHECK(response.body.ends_with(" UTC\n\n"));
}

TEST_CASE("examples: clock goes on when a client leaves") {
  Example clock("CLOCK");
  for (int i = 0; i < 10; ++i) {
    HttpClient client = clock.connect();
    client.send(Example::request("GET", "/events"));
    read_until(client, "event: tick", 1);
    i % 2 == 0 ? client.reset() : client.close();
  }
  CHECK(clock.get("/").status == 200);
  CHECK(clock.ends_at(SIGTERM));
}

/// Both sides of the program.
struct TwoProtocols {
  TwoProtocols() : http("TWO_PROTOCOLS", {"127.0.0.1:0"}) {
    constexpr std::string_view kReady = "listening on ";
    const std::string line = http.process().read_line().value_or("");
    REQUIRE_MESSAGE(line.starts_with(kReady), line);
    lines_endpoint = net::Endpoint::parse(line.substr(kReady.size()));
  }

  HttpClient connect() const { return HttpClient(lines_endpoint); }
  std::string ask(std::string_view lines) const {
    HttpClient client = connect();
    client.send(lines);
    client.shutdown_send();
    return client.read_until_end();
  }

  Example http;
  net::Endpoint lines_endpoint;
};

TEST_CASE("examples: two_protocols shows by HTTP what was set by lines") {
  const TwoProtocols both;
  CHECK(both.ask("SET sea blue\nGET sea\nGET lake\n") == "OK\nblue\nNOT FOUND\n");
  CHECK(both.http.get("/keys/sea").body == "blue");
  CHECK(both.http.get("/keys/lake").status == 404);
  CHECK(both.ask("SET sea deep and green\r\nGET sea\r\n") == "OK\ndeep and green\n");
  CHECK(both.http.get("/keys/sea").body == "deep and green");
  CHECK(both.ask("SET empty \n") == "OK\n");
  CHECK(both.http.get("/keys/empty").status == 200);
  for (const std::string line : {"", "SET", "SET x", "GET", "get sea", "NONSENSE", "PUT a b"}) {
    CAPTURE(line);
    const std::string answer = both.ask(line + "\nGET sea\n");
    CHECK(answer.starts_with("ERROR "));
    CHECK(answer.ends_with("\ndeep and green\n"));
  }
}

TEST_CASE("examples: two_protocols takes lines of 1,024 bytes, their end included") {
  const TwoProtocols both;
  const std::string value(1024 - 7, 'v');
  CHECK(both.ask("SET k " + value + "\nGET k\n") == "OK\n" + value + "\n");
  CHECK(both.ask("SET k " + value + "v\nGET k\n").empty());
  CHECK(both.ask(std::string(100'000, 'x')).empty());
  CHECK(both.http.get("/keys/k").body == value);

  HttpClient late_reader = both.connect();
  std::string lines;
  for (int i = 0; i < 3000; ++i) {  // 3 MB of answers, more than the buffers hold.
    lines += "GET k\n";
  }
  late_reader.send(lines);
  late_reader.shutdown_send();
  CHECK(late_reader.read_until_end().size() == 3000 * (value.size() + 1));
}

TEST_CASE("examples: two_protocols holds 10,000 keys, which can still be written when it is full") {
  const TwoProtocols both;
  std::string lines;
  std::string expected;
  for (int i = 0; i < 10'000; ++i) {
    lines += "SET k" + std::to_string(i) + " x\n";
    expected += "OK\n";
  }
  CHECK(both.ask(lines) == expected);
  CHECK(both.ask("SET more x\nGET more\nSET k9 y\nGET k9\n") == "FULL\nNOT FOUND\nOK\ny\n");
}

TEST_CASE("examples: two_protocols is read while it is written, and stops with both sides open") {
  TwoProtocols both;
  HttpClient writer = both.connect();
  HttpClient reader = both.http.connect();
  for (int i = 0; i < 500; ++i) {
    const std::string value(static_cast<std::size_t>(i % 100) + 1, 'a');
    writer.send("SET k " + value + "\n");
    const HttpResponse response = reader.exchange(Example::request("GET", "/keys/k"));
    REQUIRE((i == 0 || response.status == 200));
    REQUIRE(std::all_of(response.body.begin(), response.body.end(),
                        [i](char c) { return i == 0 || c == 'a'; }));
    REQUIRE(writer.read_bytes(3) == "OK\n");
  }
  CHECK(both.http.ends_at(SIGTERM));
  CHECK(writer.is_at_end());
  CHECK(reader.is_at_end());
}

}  // namespace
}  // namespace stadion
