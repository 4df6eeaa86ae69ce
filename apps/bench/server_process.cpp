// SPDX-License-Identifier: MIT
#include "apps/bench/server_process.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "apps/bench/machine.hpp"

namespace stadion::bench {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kTimeToStart{60};  // Under a tool it takes a while.
constexpr seconds kTimeToStop{30};
constexpr milliseconds kPause{10};

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

/// In the child: nothing of ours may run here but what leads to the server.
[[noreturn]] void become(const std::vector<std::string>& command, const fs::path& output,
                         const ServerProcess::Options& options) {
  setpgid(0, 0);
  if (options.core) {
    pin_this_thread(*options.core);
  }
  const int file = open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  dup2(file, STDOUT_FILENO);
  dup2(file, STDERR_FILENO);
  for (const std::string& variable : options.environment) {
    putenv(const_cast<char*>(variable.c_str()));
  }
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& argument : command) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  execvp(arguments[0], arguments.data());
  std::perror(arguments[0]);
  _exit(127);
}

/// The fields of /proc/PID/stat that follow the process's name; none when it is gone.
std::vector<std::string> stat_fields(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string line;
  std::getline(file, line);
  const std::size_t name_end = line.rfind(')');
  std::istringstream rest(name_end == std::string::npos ? "" : line.substr(name_end + 1));
  std::vector<std::string> fields;
  for (std::string field; rest >> field;) {
    fields.push_back(field);
  }
  return fields;
}

}  // namespace

std::uint16_t free_port() {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t length = sizeof address;
  const bool bound =
      bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &length) == 0;
  close(descriptor);
  if (!bound) {
    throw std::runtime_error(std::string("no free port: ") + std::strerror(errno));
  }
  return ntohs(address.sin_port);
}

ServerProcess::ServerProcess(const std::vector<std::string>& command, std::uint16_t port,
                             const fs::path& output, const Options& options)
    : output_(output), is_behind_tool_(options.is_behind_tool) {
  group_ = fork();
  if (group_ == 0) {
    become(command, output, options);
  }
  if (group_ < 0) {
    throw std::runtime_error(std::string("cannot start a process: ") + std::strerror(errno));
  }
  setpgid(group_, group_);  // Here, too: the child may not have come to it yet.
  try {
    wait_until_it_listens(port);
  } catch (...) {
    stop();
    throw;
  }
}

ServerProcess::~ServerProcess() { stop(); }

void ServerProcess::wait_until_it_listens(std::uint16_t port) {
  const sockaddr_in address = loopback(port);
  const Clock::time_point end = Clock::now() + kTimeToStart;
  for (;;) {
    const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int result =
        connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    close(descriptor);
    if (result == 0) {
      return;
    }
    int status = 0;
    if (waitpid(group_, &status, WNOHANG) == group_) {
      group_ = -1;
      throw std::runtime_error("it ended at once: " + printed());
    }
    if (Clock::now() > end) {
      throw std::runtime_error("it does not listen: " + printed());
    }
    std::this_thread::sleep_for(kPause);
  }
}

std::vector<pid_t> ServerProcess::processes() const {
  constexpr std::size_t kGroup = 2;  // Of what follows the name.
  std::vector<pid_t> found;
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    pid_t process = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), process);
    if (error != std::errc() || end != name.data() + name.size()) {
      continue;
    }
    const std::vector<std::string> fields = stat_fields(process);
    if (fields.size() > kGroup && fields[kGroup] == std::to_string(group_)) {
      found.push_back(process);
    }
  }
  return found;
}

double ServerProcess::cpu_seconds() const {
  double nanoseconds = 0;
  for (const pid_t process : processes()) {
    std::error_code error;
    for (const auto& task :
         fs::directory_iterator("/proc/" + std::to_string(process) + "/task", error)) {
      double on_processor = 0;
      std::ifstream(task.path() / "schedstat") >> on_processor;
      nanoseconds += on_processor;
    }
  }
  return nanoseconds / 1e9;
}

double ServerProcess::resident_bytes() const {
  double kib = 0;
  for (const pid_t process : processes()) {
    std::ifstream file("/proc/" + std::to_string(process) + "/status");
    for (std::string word; file >> word;) {
      double number = 0;
      if (word == "VmRSS:" && file >> number) {
        kib += number;
      }
    }
  }
  return kib * 1024;
}

std::size_t ServerProcess::descriptors() const {
  std::size_t count = 0;
  for (const pid_t process : processes()) {
    std::error_code error;
    const fs::directory_iterator all("/proc/" + std::to_string(process) + "/fd", error);
    count += static_cast<std::size_t>(std::distance(fs::begin(all), fs::end(all)));
  }
  return count;
}

std::string ServerProcess::stop() {
  if (group_ > 0) {
    for (const pid_t process : processes()) {
      if (!is_behind_tool_ || process != group_) {
        kill(process, SIGTERM);
      }
    }
    const Clock::time_point end = Clock::now() + kTimeToStop;
    while (waitpid(group_, nullptr, WNOHANG) == 0 && Clock::now() < end) {
      std::this_thread::sleep_for(kPause);
    }
    if (kill(-group_, SIGKILL) == 0) {
      waitpid(group_, nullptr, 0);
    }
    group_ = -1;
  }
  return printed();
}

std::string ServerProcess::printed() const {
  std::ostringstream text;
  text << std::ifstream(output_).rdbuf();
  return text.str();
}

}  // namespace stadion::bench
