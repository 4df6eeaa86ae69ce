// SPDX-License-Identifier: MIT
// What has been tried to smuggle a request past a reader, against a real server over a socket.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/support/eventually.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/running_server.hpp"
#include "tests/support/smuggling_cases.hpp"

namespace stadion::http {
namespace {

using tests::HttpClient;
using tests::HttpResponse;
using tests::LiveArenas;
using tests::RunningServer;
using tests::SmugglingCase;

constexpr std::string_view kLast = "GET /after HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

void add_routes(Server& server) {
  const auto answer = [](const Request& request, Response& response) {
    response.text(request.raw_path() == "/after" ? "after" : "taken");
  };
  for (std::size_t method = 0; method < kMethodCount; ++method) {
    if (static_cast<Method>(method) != Method::connect) {
      server.route(static_cast<Method>(method), "/{*path}", answer);
    }
  }
}

/// Sends the pieces so that the server reads them one by one, the last with what comes behind it.
void send_in_pieces(RunningServer& server, HttpClient& client,
                    const std::vector<std::string_view>& pieces) {
  std::uint64_t expected = server->statistics().connections.bytes_in;
  for (const std::string_view& piece : pieces) {
    if (&piece == &pieces.back()) {
      client.send(std::string(piece) + std::string(kLast));
      return;
    }
    client.send(piece);
    expected += piece.size();
    // Without sleeping: there are tens of thousands of them.
    const auto deadline = std::chrono::steady_clock::now() + tests::kPatience;
    while (!client.has_input() && server->statistics().connections.bytes_in < expected) {
      REQUIRE(std::chrono::steady_clock::now() < deadline);
      std::this_thread::yield();
    }
  }
}

/// The statuses of all answers until the connection ends; "after" counts as 0.
std::vector<int> statuses_of(RunningServer& server, const std::vector<std::string_view>& pieces) {
  HttpClient client = server.connect();
  send_in_pieces(server, client, pieces);
  std::vector<int> statuses;
  for (HttpResponse response = client.read_response(); response.is_complete;
       response = client.read_response()) {
    statuses.push_back(response.body == "after" ? 0 : response.status);
  }
  return statuses;
}

std::vector<int> expected_of(const SmugglingCase& smuggling) {
  std::vector<int> statuses = smuggling.statuses;
  if (smuggling.goes_on) {
    statuses.push_back(0);
  }
  return statuses;
}

std::string printable(std::string_view bytes) {
  std::string text;
  for (const char c : bytes.substr(0, 300)) {
    const bool is_plain = c >= ' ' && c < '\x7F';
    text += is_plain ? std::string(1, c) : "\\" + std::to_string(static_cast<unsigned char>(c));
  }
  return text;
}

void check_case(RunningServer& server, const SmugglingCase& smuggling,
                const std::vector<std::string_view>& pieces) {
  std::vector<int> statuses;
  try {
    statuses = statuses_of(server, pieces);
  } catch (const std::exception& error) {
    FAIL_CHECK(printable(smuggling.bytes), ": ", std::string(error.what()));
    return;
  }
  if (statuses != expected_of(smuggling)) {
    const auto text_of = [](const std::vector<int>& numbers) {
      std::string text;
      for (const int number : numbers) {
        text += std::to_string(number) + " ";
      }
      return text;
    };
    FAIL_CHECK("RFC 9112 ", std::string(smuggling.section), ": ", printable(smuggling.bytes),
               " in ", pieces.size(), " pieces, the first of ", pieces.front().size(), ": ",
               text_of(statuses), "where is to be ", text_of(expected_of(smuggling)));
  }
}

TEST_CASE_FIXTURE(LiveArenas, "smuggling: there are cases enough, and no two alike") {
  std::vector<SmugglingCase> cases = tests::smuggling_cases();
  CHECK(cases.size() >= 250);
  MESSAGE(cases.size(), " cases");
  std::sort(cases.begin(), cases.end(),
            [](const auto& left, const auto& right) { return left.bytes < right.bytes; });
  const auto twin = std::adjacent_find(
      cases.begin(), cases.end(),
      [](const auto& left, const auto& right) { return left.bytes == right.bytes; });
  CHECK((twin == cases.end() ? "" : printable(twin->bytes)) == "");
}

TEST_CASE_FIXTURE(LiveArenas,
                  "smuggling: each case has its answer, and nothing behind it is read") {
  RunningServer server(add_routes);
  for (const SmugglingCase& smuggling : tests::smuggling_cases()) {
    check_case(server, smuggling, {smuggling.bytes});
  }
}

TEST_CASE_FIXTURE(LiveArenas, "smuggling: the same split at every byte") {
  RunningServer server(add_routes);
  for (const SmugglingCase& smuggling : tests::smuggling_cases()) {
    const std::string_view bytes = smuggling.bytes;
    const std::size_t step = bytes.size() <= 400 ? 1 : bytes.size() / 50;
    for (std::size_t cut = 1; cut < bytes.size(); cut += step) {
      check_case(server, smuggling, {bytes.substr(0, cut), bytes.substr(cut)});
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas, "smuggling: the same with one byte in each packet") {
  RunningServer server(add_routes);
  for (const SmugglingCase& smuggling : tests::smuggling_cases()) {
    const std::string_view bytes = smuggling.bytes;
    if (bytes.size() <= 400) {
      std::vector<std::string_view> pieces;
      for (std::size_t at = 0; at < bytes.size(); ++at) {
        pieces.push_back(bytes.substr(at, 1));
      }
      check_case(server, smuggling, pieces);
    }
  }
}

}  // namespace
}  // namespace stadion::http
