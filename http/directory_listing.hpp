// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string_view>

#include "http/open_file.hpp"
#include "http/response.hpp"

/// Internal to http/.
namespace stadion::http {

/// So many entries of a directory are listed: the first that the file system gives.
inline constexpr std::size_t kListedEntriesMax = 1000;

struct ListedDirectory {
  const FileRoot& root;
  std::string_view path;  ///< Beneath the root; empty for the root itself.
  bool shows_dotfiles = false;
};

/// Answers with a page of links to what is in the directory and may be had, sorted by name.
/// Requires `directory` to be that of the path.
void answer_with_listing(Response& response, OpenFile directory, const ListedDirectory& listed);

}  // namespace stadion::http
