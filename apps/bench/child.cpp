// SPDX-License-Identifier: MIT
#include "apps/bench/child.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <sstream>
#include <stdexcept>

namespace stadion::bench {
namespace {

std::string read_to_end(int descriptor) {
  std::string text;
  std::array<char, 4096> part{};
  for (ssize_t count = 0; (count = read(descriptor, part.data(), part.size())) > 0;) {
    text.append(part.data(), static_cast<std::size_t>(count));
  }
  return text;
}

pid_t start(const std::vector<std::string>& command, int output) {
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& argument : command) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
  pid_t child = -1;
  const int error =
      posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  return error == 0 ? child : -1;
}

}  // namespace

std::string output_of(const std::vector<std::string>& command) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    throw std::runtime_error("no pipe for a child process");
  }
  const pid_t child = start(command, ends[1]);
  close(ends[1]);
  std::string text = child > 0 ? read_to_end(ends[0]) : "";
  close(ends[0]);

  int status = -1;
  if (child <= 0 || waitpid(child, &status, 0) != child || status != 0) {
    throw std::runtime_error("a child process failed: " + command.front() + ": " + text);
  }
  return text;
}

std::string own_program() { return std::filesystem::read_symlink("/proc/self/exe").string(); }

std::vector<double> numbers_of_child(const std::vector<std::string>& arguments,
                                     const std::string& preload) {
  std::vector<std::string> command;
  if (!preload.empty()) {
    command = {"env", "LD_PRELOAD=" + preload};
  }
  command.push_back(own_program());
  command.insert(command.end(), arguments.begin(), arguments.end());

  std::istringstream text(output_of(command));
  std::vector<double> numbers;
  for (double number = 0; text >> number;) {
    numbers.push_back(number);
  }
  if (!text.eof() || numbers.empty()) {
    throw std::runtime_error("a child process said: " + text.str());
  }
  return numbers;
}

}  // namespace stadion::bench
