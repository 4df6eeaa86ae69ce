// SPDX-License-Identifier: MIT
#include "apps/attack/target.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "apps/attack/attacks.hpp"

namespace stadion::attack {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kSample{50};

std::string get(std::uint16_t port, const char* target) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in server{};
  server.sin_family = AF_INET;
  server.sin_port = htons(port);
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&server), sizeof server) == 0) {
    const std::string request = std::string("GET ") + target + " HTTP/1.0\r\n\r\n";
    ::send(socket, request.data(), request.size(), MSG_NOSIGNAL);
    char bytes[4096];
    for (ssize_t got = 0; (got = ::recv(socket, bytes, sizeof bytes, 0)) > 0;) {
      answer.append(bytes, static_cast<std::size_t>(got));
    }
  }
  ::close(socket);
  return answer;
}

}  // namespace

Target::Target()
    : folder_(fs::temp_directory_path() / ("stadion-attack-" + std::to_string(::getpid()))),
      port_(bench::free_port()) {
  fs::create_directories(folder_ / "static");
  std::ofstream(folder_ / "static" / "large.txt") << large_file();
  std::ofstream(folder_ / "stadion.toml") << kConfig;
  const fs::path program = fs::read_symlink("/proc/self/exe").parent_path() / "stadion-serve";
  process_ = std::make_unique<bench::ServerProcess>(
      std::vector<std::string>{program, "--config", folder_ / "stadion.toml", "--listen",
                               "127.0.0.1:" + std::to_string(port_), "--static",
                               folder_ / "static"},
      port_, folder_ / "output", bench::ServerProcess::Options{.core = 0});
}

Target::~Target() {
  process_.reset();
  fs::remove_all(folder_);
}

bool Target::rests_within(std::chrono::duration<double> time, std::size_t descriptors) const {
  const auto end = std::chrono::steady_clock::now() + time;
  while (process_->descriptors() > descriptors) {
    if (std::chrono::steady_clock::now() > end) {
      return false;
    }
    std::this_thread::sleep_for(kSample);
  }
  return true;
}

double Target::metric(const char* name) const {
  const std::string line = "\n" + std::string(name) + " ";
  const std::string metrics = get(port_, "/metrics");
  const std::size_t at = metrics.find(line);
  if (at == std::string::npos) {
    throw std::runtime_error(std::string("/metrics has no ") + name);
  }
  return std::stod(metrics.substr(at + line.size()));
}

}  // namespace stadion::attack
