// SPDX-License-Identifier: MIT
#include "apps/attack/program.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <system_error>

namespace stadion::attack {

Program::Program(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& argument : command) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  const int error =
      ::posix_spawnp(&process_, arguments.front(), &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    throw std::system_error(error, std::generic_category(), "cannot run " + command.front());
  }
}

bool Program::stop() noexcept {
  if (process_ <= 0) {
    return false;
  }
  int status = 0;
  const bool has_ended = ::waitpid(process_, &status, WNOHANG) != 0;
  if (!has_ended) {
    ::kill(process_, SIGTERM);
    ::waitpid(process_, nullptr, 0);
  }
  process_ = -1;
  return !has_ended || (WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

}  // namespace stadion::attack
