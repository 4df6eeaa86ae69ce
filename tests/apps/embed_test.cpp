// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "net/endpoint.hpp"
#include "net/listening_socket.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/http_client.hpp"

namespace stadion {
namespace {

using tests::ChildProcess;
using tests::HttpClient;

class Embed {
 public:
  Embed() : process_(ChildProcess::program("STADION_EMBED"), {"--listen", "127.0.0.1:0"}) {
    const std::string line = process_.read_line().value_or("");
    constexpr std::string_view kReady = "listening on ";
    REQUIRE_MESSAGE(line.starts_with(kReady), line);
    endpoint_ = net::Endpoint::parse(line.substr(kReady.size()));
  }

  ChildProcess& process() noexcept { return process_; }
  HttpClient connect() const { return HttpClient(endpoint_); }

  /// All that is answered to these lines, on a connection of their own.
  std::string ask(std::string_view lines) const {
    HttpClient client = connect();
    client.send(lines);
    client.shutdown_send();
    return client.read_until_end();
  }

 private:
  ChildProcess process_;
  net::Endpoint endpoint_;
};

/// Sends a line, reads as many bytes as are expected, and says whether they are the ones.
bool answers(HttpClient& client, const std::string& line, const std::string& answer) {
  return client.send(line + "\n") && client.read_bytes(answer.size() + 1) == answer + "\n";
}

TEST_CASE("embed: SET, GET, DEL and QUIT, with LF and CRLF") {
  const Embed embed;
  CHECK(embed.ask("SET a 1\nGET a\nQUIT\n") == "OK\n1\nBYE\n");
  CHECK(embed.ask("GET a\r\nSET a two words \r\nGET a\r\nGET b\r\n") ==
        "1\nOK\ntwo words \nNOT FOUND\n");
  CHECK(embed.ask("DEL a\nDEL a\nGET a\nSET a again\nGET a\n") ==
        "OK\nNOT FOUND\nNOT FOUND\nOK\nagain\n");
  CHECK(embed.ask("SET empty\nGET empty\n") == "OK\n\n");
  CHECK(embed.ask("QUIT\nGET a\n") == "BYE\n");
}

TEST_CASE("embed: STATS counts keys and connections") {
  const Embed embed;
  HttpClient other = embed.connect();
  CHECK(answers(other, "SET a 1", "OK"));
  const std::string stats = embed.ask("SET b 2\nSTATS\n");
  CHECK(stats.find("2 keys") != std::string::npos);
  CHECK(stats.find("2 connections") != std::string::npos);
}

TEST_CASE("embed: what is no command is an error, and the connection goes on") {
  const Embed embed;
  for (const std::string command :
       {"", " ", "get a", "GET", "GET ", "SET", "DEL", "NONSENSE", "GETa"}) {
    CAPTURE(command);
    const std::string answer = embed.ask(command + "\nSET a 1\n");
    CHECK(answer.starts_with("ERROR "));
    CHECK(answer.ends_with("\nOK\n"));
  }
}

TEST_CASE("embed: a line split at every byte, and many lines at once") {
  const Embed embed;
  HttpClient client = embed.connect();
  const std::string lines = "SET key value\nGET key\n";
  for (std::size_t cut = 1; cut < lines.size(); ++cut) {
    client.send(lines.substr(0, cut));
    client.send(lines.substr(cut));
    REQUIRE(client.read_bytes(9) == "OK\nvalue\n");
  }
  std::string many;
  std::string expected;
  for (int i = 0; i < 2000; ++i) {
    many += "SET k" + std::to_string(i) + " " + std::to_string(i) + "\nGET k" + std::to_string(i) +
            "\n";
    expected += "OK\n" + std::to_string(i) + "\n";
  }
  client.send(many);
  CHECK(client.read_bytes(expected.size()) == expected);
}

TEST_CASE("embed: a line is at most 4,096 bytes, its end included") {
  const Embed embed;
  const std::string largest = "SET k " + std::string(4096 - 7, 'v');
  CHECK(embed.ask(largest + "\nGET k\n") == "OK\n" + std::string(4096 - 7, 'v') + "\n");

  const std::string answer = embed.ask(largest + "v\nGET k\n");
  CHECK(answer.starts_with("ERROR a line "));
  CHECK(answer.find('\n') == answer.size() - 1);  // And the end, for what follows has no meaning.
  CHECK(embed.ask(std::string(1'000'000, 'x')).starts_with("ERROR a line "));
  CHECK(embed.ask("GET k\n") == std::string(4096 - 7, 'v') + "\n");
}

TEST_CASE("embed: values overwritten many times leave the last ones, and those of others") {
  const Embed embed;
  HttpClient client = embed.connect();
  CHECK(answers(client, "SET stays here", "OK"));
  std::string expected;
  const std::string filling(1000, 'v');
  for (int round = 0; round < 100; ++round) {  // 20 MB through a store whose life is 200 kB.
    std::string lines;
    expected.clear();
    for (int key = 0; key < 200; ++key) {
      lines += "SET k" + std::to_string(key) + " " + std::to_string(round) + filling + "\n";
      expected += "OK\n";
    }
    client.send(lines);
    REQUIRE(client.read_bytes(expected.size()) == expected);
  }
  for (int key = 0; key < 200; ++key) {
    REQUIRE(answers(client, "GET k" + std::to_string(key), "99" + filling));
  }
  CHECK(answers(client, "GET stays", "here"));
}

TEST_CASE("embed: many small keys are not copied again and again") {
  const Embed embed;
  HttpClient client = embed.connect();
  constexpr int kRounds = 50;
  constexpr int kKeysOfRound = 1000;
  for (int round = 0; round < kRounds; ++round) {
    std::string lines;
    for (int key = 0; key < kKeysOfRound; ++key) {
      lines += "SET k" + std::to_string(round * kKeysOfRound + key) + " 1\n";
    }
    client.send(lines);
    REQUIRE(client.read_bytes(3 * kKeysOfRound).size() == 3 * kKeysOfRound);
  }
  client.send("STATS\n");
  const std::string stats =
      client.read_bytes(sizeof "50000 keys, 1 connections, 0 compactions\n" - 1);
  CAPTURE(stats);
  CHECK(stats.starts_with("50000 keys, "));
  CHECK(stats.ends_with(" compactions\n"));  // Fewer than ten.
}

TEST_CASE("embed: a full store says so, and takes more when much was deleted") {
  const Embed embed;
  HttpClient client = embed.connect();
  const std::string value(4000, 'v');
  const auto key = [](std::size_t number) { return "k" + std::to_string(number); };
  constexpr std::size_t kLinesAtOnce = 100;
  std::size_t keys = 0;
  bool is_full = false;
  while (!is_full) {
    REQUIRE(keys < 100'000);
    std::string lines;
    for (std::size_t i = 0; i < kLinesAtOnce; ++i) {
      lines += "SET " + key(keys + i) + " " + value + "\n";
    }
    client.send(lines);
    for (std::size_t i = 0; i < kLinesAtOnce; ++i) {
      constexpr std::string_view kFull = "ERROR the store is full\n";
      const bool is_taken = client.read_bytes(3) == "OK\n";
      if (!is_taken) {
        is_full = client.read_bytes(kFull.size() - 3) == kFull.substr(3);
      }
      keys += is_taken ? 1 : 0;
    }
  }
  CHECK(keys > 60'000);  // Of 256 MiB.
  for (std::size_t from = 0; from < keys; from += kLinesAtOnce) {
    const std::size_t count = std::min(kLinesAtOnce, keys - from);
    std::string lines;
    for (std::size_t i = 0; i < count; ++i) {
      lines += "DEL " + key(from + i) + "\n";
    }
    client.send(lines);
    REQUIRE(client.read_bytes(3 * count).size() == 3 * count);
  }
  CHECK(answers(client, "SET again " + value, "OK"));
  CHECK(answers(client, "GET again", value));
}

TEST_CASE("embed: 200 connections at once make the pool grow while it serves") {
  constexpr int kConnections = 200;
  Embed embed;
  std::vector<HttpClient> clients;
  for (int i = 0; i < kConnections; ++i) {
    clients.push_back(embed.connect());
    // Half a line is on every connection while others come and the pool moves them.
    clients.back().send("SET k" + std::to_string(i) + " val");
  }
  for (int i = 0; i < kConnections; ++i) {
    REQUIRE(answers(clients[static_cast<std::size_t>(i)], "ue" + std::to_string(i), "OK"));
  }
  for (int i = 0; i < kConnections; ++i) {
    REQUIRE(answers(clients[static_cast<std::size_t>(kConnections - 1 - i)],
                    "GET k" + std::to_string(i), "value" + std::to_string(i)));
  }
  CHECK(embed.process().wait_for_error("grows"));
  CHECK(embed.ask("STATS\n").find("201 connections") != std::string::npos);
}

TEST_CASE("embed: a client that reads late gets all its answers") {
  const Embed embed;
  HttpClient client = embed.connect();
  const std::string value(4000, 'v');
  CHECK(answers(client, "SET k " + value, "OK"));
  std::string lines;
  for (int i = 0; i < 3000; ++i) {  // 12 MB of answers, more than the sockets hold.
    lines += "GET k\n";
  }
  client.send(lines);
  client.shutdown_send();
  const std::string all = client.read_until_end();
  CHECK(all.size() == 3000 * (value.size() + 1));
  CHECK_FALSE(client.was_reset());
}

TEST_CASE("embed: SIGTERM and SIGINT end it in order, open connections or not") {
  for (const int signal : {SIGTERM, SIGINT}) {
    Embed embed;
    HttpClient client = embed.connect();
    CHECK(answers(client, "SET a 1", "OK"));
    embed.process().send(signal);
    CHECK(client.is_at_end());
    CHECK(embed.process().wait().status == 0);
  }
  for (int i = 0; i < 20; ++i) {
    Embed embed;
    embed.process().send(SIGTERM);
    CHECK(embed.process().wait().status == 0);
  }
}

TEST_CASE("embed: wrong arguments and an address in use are said") {
  const std::string program = ChildProcess::program("STADION_EMBED");
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"--listen"}, {"--unknown", "x"}, {"stray"}}) {
    ChildProcess process(program, arguments);
    CHECK(process.wait().status == 2);
    CHECK(process.read_error().find("usage: ") == 0);
  }
  const auto taken = net::ListeningSocket::open(net::Endpoint::parse("127.0.0.1:0"));
  const std::string address = taken.local_endpoint().to_string();
  ChildProcess process(program, {"--listen", address});
  CHECK(process.wait().status == 1);
  CHECK(process.read_error().find(address) != std::string::npos);
}

}  // namespace
}  // namespace stadion
