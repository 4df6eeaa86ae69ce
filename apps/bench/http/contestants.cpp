// SPDX-License-Identifier: MIT
#include "apps/bench/http/contestants.hpp"

#include <algorithm>
#include <fstream>
#include <regex>
#include <stdexcept>

#include "apps/bench/child.hpp"

namespace stadion::bench {
namespace {

namespace fs = std::filesystem;
using Command = std::vector<std::string>;

const std::vector<std::string> kAllTargets = {"/plaintext", "/json", "/discard", "/memory",
                                              "/file"};

/// One of this tree's servers, which are beside this program.
std::string own_server(const char* name) {
  const std::string file = std::string("stadion-bench-server-") + name;
  return fs::path(own_program()).replace_filename(file).string();
}

template <const char* Name>
Command own_command(std::uint16_t port, const fs::path& folder, Start /*start*/) {
  return {own_server(Name), std::to_string(port), folder.string()};
}

constexpr char kBare[] = "bare";
constexpr char kStadion[] = "stadion";
constexpr char kBeast[] = "beast";
constexpr char kRestinio[] = "restinio";
constexpr char kHttplib[] = "httplib";

/// Writes a configuration in which PORT and FOLDER stand for what they are.
std::string configuration(const fs::path& folder, const char* name, std::uint16_t port,
                          const std::string& text) {
  const std::string with_port = std::regex_replace(text, std::regex("PORT"), std::to_string(port));
  const fs::path path = folder / name;
  std::ofstream(path) << std::regex_replace(with_port, std::regex("FOLDER"), folder.string());
  return path.string();
}

Command nginx_command(std::uint16_t port, const fs::path& folder, Start start) {
  std::string text = R"(daemon off; pid FOLDER/nginx.pid; error_log stderr crit;
worker_processes 1; worker_rlimit_nofile 20000;
events { worker_connections 19000; }
http {
  access_log off; keepalive_requests 1000000000; keepalive_timeout 600s;
  client_max_body_size 8m; client_body_buffer_size 2m; client_body_temp_path FOLDER/nginx-bodies;
  proxy_temp_path FOLDER/nginx-1; fastcgi_temp_path FOLDER/nginx-2;
  uwsgi_temp_path FOLDER/nginx-3; scgi_temp_path FOLDER/nginx-4;
  sendfile on; tcp_nodelay on;
  server {
    listen 127.0.0.1:PORT backlog=4096 reuseport;
    default_type text/plain; root FOLDER;
    location = /plaintext { return 200 "Hello, World!"; }
    location = /discard { return 200 "taken"; }
  }
}
)";
  if (start == Start::observed) {
    text = "master_process off; " + text;
  }
  return {"nginx",
          "-e",
          "stderr",
          "-p",
          folder.string(),
          "-c",
          configuration(folder, "nginx.conf", port, text)};
}

Command h2o_command(std::uint16_t port, const fs::path& folder, Start /*start*/) {
  return {"h2o", "-c", configuration(folder, "h2o.conf", port, R"(num-threads: 1
listen: { host: 127.0.0.1, port: PORT }
max-connections: 19000
http1-request-timeout: 600
hosts:
  default:
    paths:
      /: { file.dir: FOLDER }
)")};
}

Command lighttpd_command(std::uint16_t port, const fs::path& folder, Start /*start*/) {
  return {"lighttpd", "-D", "-f", configuration(folder, "lighttpd.conf", port, R"(
server.document-root = "FOLDER"
server.port = PORT
server.bind = "127.0.0.1"
server.max-fds = 19500
server.max-connections = 9500
server.max-keep-alive-requests = 65535
server.max-keep-alive-idle = 600
server.listen-backlog = 4096
mimetype.assign = ( "" => "text/plain" )
)")};
}

Command haproxy_command(std::uint16_t port, const fs::path& folder, Start /*start*/) {
  return {"haproxy", "-q", "-db", "-f", configuration(folder, "haproxy.cfg", port, R"(global
  nbthread 1
  maxconn 9500
  tune.bufsize 16384
defaults
  mode http
  timeout client 600s
  timeout http-keep-alive 600s
  timeout connect 5s
  timeout server 600s
frontend main
  bind 127.0.0.1:PORT backlog 4096
  http-request return status 200 content-type "text/plain" string "Hello, World!"
)")};
}

Command node_command(std::uint16_t port, const fs::path& folder, Start /*start*/) {
  return {"node", std::string(STADION_BENCH_SOURCE) + "/servers/node.js", std::to_string(port),
          folder.string()};
}

/// The first number of two parts or more that the command prints; empty if it can't be run.
std::string version_of(const Command& command) {
  try {
    const std::string text = output_of(command);
    std::smatch found;
    return std::regex_search(text, found, std::regex(R"([0-9]+([._][0-9]+)+)")) ? found.str()
                                                                                : std::string();
  } catch (const std::runtime_error&) {
    return {};
  }
}

template <const char* Name>
Contestant own(const char* name, const char* package) {
  return {.name = name,
          .version = version_of({own_server(Name), "--version"}),
          .missing = std::string("was not built; it needs Debian's ") + package,
          .answers = kAllTargets,
          .command = own_command<Name>};
}

Contestant installed(const char* name, const Command& version_command,
                     std::vector<std::string> answers,
                     Command (*command)(std::uint16_t, const fs::path&, Start)) {
  return {.name = name,
          .version = version_of(version_command),
          .missing = "is not installed; ./dev bench http --install-peers",
          .answers = std::move(answers),
          .command = command};
}

}  // namespace

bool Contestant::does_answer(const std::string& target) const {
  return std::find(answers.begin(), answers.end(), target) != answers.end();
}

std::vector<Contestant> find_contestants() {
  std::vector<Contestant> all;
  all.push_back(own<kBare>(kReference, "g++"));
  all.back().answers = {"/plaintext"};
  all.push_back(own<kStadion>("stadion", "libasio-dev and node-llhttp"));
  all.back().answers.emplace_back("/mebibyte");
  all.push_back(own<kStadion>("stadion, coroutine", ""));
  all.back().answers = {"/plaintext"};
  all.back().plaintext = "/coroutine";
  all.push_back(own<kBeast>("beast", "libboost1.81-dev"));
  all.push_back(own<kRestinio>("restinio", "librestinio-dev"));
  all.push_back(own<kHttplib>("cpp-httplib", "libcpp-httplib-dev"));
  all.back().idle_connections_max = 0;
  all.back().can_be_pipelined = false;
  // What these send of memory they read from a file of the same size.
  all.push_back(installed("nginx", {"nginx", "-v"},
                          {"/plaintext", "/discard", "/memory", "/mebibyte", "/file"},
                          nginx_command));
  all.push_back(installed("h2o", {"h2o", "--version"},
                          {"/plaintext", "/memory", "/mebibyte", "/file"}, h2o_command));
  all.push_back(installed("lighttpd", {"lighttpd", "-v"},
                          {"/plaintext", "/memory", "/mebibyte", "/file"}, lighttpd_command));
  all.back().idle_connections_max = 9'000;  // Both reckon with two descriptors for each.
  all.push_back(installed("haproxy", {"haproxy", "-v"}, {"/plaintext"}, haproxy_command));
  all.back().idle_connections_max = 9'000;
  all.push_back(installed("node", {"node", "--version"}, kAllTargets, node_command));
  all.back().can_be_counted = false;
  return all;
}

Contestant contestant_named(const std::string& name) {
  for (Contestant& contestant : find_contestants()) {
    if (contestant.name == name && contestant.is_there()) {
      return std::move(contestant);
    }
  }
  throw std::runtime_error("there is no program for '" + name + "'");
}

Contestant stadion_with_two_workers() {
  Contestant stadion = own<kStadion>("stadion, 2 workers", "");
  stadion.command = [](std::uint16_t port, const fs::path& folder, Start start) {
    Command command = own_command<kStadion>(port, folder, start);
    command.emplace_back("2");
    return command;
  };
  return stadion;
}

}  // namespace stadion::bench
