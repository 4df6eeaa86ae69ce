// SPDX-License-Identifier: MIT
#include "http/static_files.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <ctime>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "http/accept.hpp"
#include "http/conditional.hpp"
#include "http/content_disposition.hpp"
#include "http/directory_listing.hpp"
#include "http/file_body.hpp"
#include "http/mime.hpp"
#include "http/open_file.hpp"
#include "http/text_builder.hpp"

namespace stadion::http {
namespace {

constexpr std::string_view kAcceptEncoding = "Accept-Encoding";

struct Variant {
  std::string_view coding;
  std::string_view ending;
};
/// Of those that a client wants alike, the first.
constexpr std::array kVariants{Variant{"br", ".br"}, Variant{"zstd", ".zst"},
                               Variant{"gzip", ".gz"}};

void answer_not_found(Response& response) {
  response.status(Status::not_found).text("There is no such file.\n");
}

/// Another file, or another content of this one, has another: as long as its time is not set back
/// by hand. Servers that share one URL need a file system in common for theirs to be alike.
std::string_view entity_tag(const struct stat& status, Arena& arena) {
  const auto seconds = static_cast<std::uint64_t>(status.st_mtim.tv_sec);
  TextBuilder tag(arena, 64);
  tag.add_number(static_cast<std::uint64_t>(status.st_ino), 16).add('-');
  tag.add_number(static_cast<std::uint64_t>(status.st_size), 16).add('-');
  tag.add_number(seconds * 1'000'000'000 + static_cast<std::uint64_t>(status.st_mtim.tv_nsec), 16);
  return tag.text();
}

/// A time that is still to come is sent as now (RFC 9110 section 8.8.2.1).
Validators validators_of(const OpenFile& file, Arena& arena) {
  return {.entity_tag = EntityTag{.opaque = entity_tag(file.status(), arena), .is_weak = false},
          .last_modified = std::min(file.status().st_mtime, std::time(nullptr))};
}

std::string_view last_segment(std::string_view path) noexcept {
  return path.substr(path.rfind('/') + 1);
}

bool wants_directory(const Request& request, std::string_view path) noexcept {
  return path.empty() ? request.raw_path().ends_with('/') : path.ends_with('/');
}

/// As the client wrote it, but for the slash: on this server whatever that is, as "//host/" would
/// not be, and "/\host/" to some clients.
void redirect_to_directory(const Request& request, Response& response) {
  std::string_view path = request.raw_path();
  path.remove_prefix(std::min(path.find_first_not_of("/\\"), path.size()));
  TextBuilder location(request.arena(), path.size() + request.raw_query().size() + 16);
  location.add('/');
  const auto add = [&location](std::string_view text) {
    for (const char byte : text) {
      byte == ' ' || byte == '\\' ? location.add_percent(byte) : location.add(byte);
    }
  };
  add(path);
  location.add('/');
  if (!request.raw_query().empty()) {
    location.add('?');
    add(request.raw_query());
  }
  response.redirect(location.text(), Status::permanent_redirect);
}

class StaticFiles {
 public:
  StaticFiles(const std::string& directory, StaticFilesOptions options)
      : root_(directory), options_(std::move(options)) {
    if (!is_field_value(options_.cache_control)) {
      throw std::invalid_argument("cache_control of static files is not a field's value");
    }
  }

  void answer(const Request& request, Response& response) const;

 private:
  struct Found {
    OpenFile file;
    std::string_view path;  ///< Beneath the root: that of the index where that was found.
  };

  Found find_index(std::string_view directory, Arena& arena) const;
  void answer_directory(const Request& request, Response& response, std::string_view path) const;
  void redirect_if_shown(const Request& request, Response& response, std::string_view path) const;
  void answer_file(const Request& request, Response& response, Found found) const;
  const Variant* replace_by_variant(const Request& request, Found& found) const;

  FileRoot root_;
  StaticFilesOptions options_;
};

void StaticFiles::answer(const Request& request, Response& response) const {
  if (request.method() != Method::get && request.method() != Method::head) {
    response.status(Status::method_not_allowed).text("A file can be had by GET and HEAD.\n");
    response.header("Allow", "GET, HEAD");
    return;
  }
  std::string_view path = request.param("path");
  const bool is_directory_wanted = wants_directory(request, path);
  if (path.ends_with('/')) {
    path.remove_suffix(1);
    if (path.empty()) {
      return answer_not_found(response);  // The route's own slash stands before.
    }
  }
  if (!is_safe_path(path, options_.show_dotfiles)) {
    return answer_not_found(response);
  }
  if (is_directory_wanted) {
    return answer_directory(request, response, path);
  }
  Found found{.file = root_.open(path, request.arena()), .path = path};
  if (found.file.is_regular()) {
    return answer_file(request, response, std::move(found));
  }
  return found.file.is_directory() ? redirect_if_shown(request, response, path)
                                   : answer_not_found(response);
}

StaticFiles::Found StaticFiles::find_index(std::string_view directory, Arena& arena) const {
  if (options_.index.empty()) {
    return {};
  }
  TextBuilder path(arena, directory.size() + options_.index.size() + 2);
  path.add(directory).add(directory.empty() ? "" : "/").add(options_.index);
  return {.file = root_.open(path.text(), arena), .path = path.text()};
}

void StaticFiles::answer_directory(const Request& request, Response& response,
                                   std::string_view path) const {
  Found index = find_index(path, request.arena());
  if (index.file.is_regular()) {
    return answer_file(request, response, std::move(index));
  }
  OpenFile directory;
  if (options_.listing) {
    directory = root_.open(path, request.arena());
  }
  if (!directory.is_directory()) {
    return answer_not_found(response);
  }
  answer_with_listing(response, std::move(directory),
                      {.root = root_, .path = path, .shows_dotfiles = options_.show_dotfiles});
}

/// Where nothing would be shown, it is not told either that there is a directory.
void StaticFiles::redirect_if_shown(const Request& request, Response& response,
                                    std::string_view path) const {
  if (options_.listing || find_index(path, request.arena()).file.is_regular()) {
    return redirect_to_directory(request, response);
  }
  answer_not_found(response);
}

void StaticFiles::answer_file(const Request& request, Response& response, Found found) const {
  const Variant* variant = nullptr;
  if (options_.precompressed) {
    response.vary(kAcceptEncoding);
    variant = replace_by_variant(request, found);
  }
  if (!options_.cache_control.empty()) {
    response.header("Cache-Control", options_.cache_control);
  }
  const Validators validators = validators_of(found.file, request.arena());
  if (answer_preconditions(request, response, validators)) {
    return;
  }
  if (variant != nullptr) {
    response.header("Content-Encoding", variant->coding);
  }
  const std::string_view name = last_segment(found.path);
  if (options_.attachment) {
    response.header("Content-Disposition", attachment(name, request.arena()));
  }
  answer_with_file(request, response, std::move(found.file), media_type_of(name), validators);
}

/// Puts the best compressed file that there is in the file's place; null when none is wanted more
/// than the file itself. One that is older was made of another content; times are compared by
/// seconds, for what some compressors copy is no more precise.
const Variant* StaticFiles::replace_by_variant(const Request& request, Found& found) const {
  if (!request.headers().contains(kAcceptEncoding)) {
    return nullptr;
  }
  const auto quality_for = [&request](std::string_view coding) {
    return accepted_quality(request.headers(), kAcceptEncoding, coding);
  };
  std::array<int, kVariants.size()> qualities{};
  std::transform(kVariants.begin(), kVariants.end(), qualities.begin(),
                 [&](const Variant& variant) { return quality_for(variant.coding); });
  const int least = std::max(quality_for("identity"), 1);
  while (true) {
    const auto best = std::max_element(qualities.begin(), qualities.end());
    if (*best < least) {
      return nullptr;
    }
    const Variant& variant = kVariants[static_cast<std::size_t>(best - qualities.begin())];
    TextBuilder path(request.arena(), found.path.size() + variant.ending.size() + 1);
    OpenFile file = root_.open(path.add(found.path).add(variant.ending).text(), request.arena());
    if (file.is_regular() && file.status().st_mtime >= found.file.status().st_mtime) {
      found.file = std::move(file);
      return &variant;
    }
    *best = 0;
  }
}

}  // namespace

Handler static_files(const std::string& directory, StaticFilesOptions options) {
  auto files = std::make_shared<const StaticFiles>(directory, std::move(options));
  return [files](const Request& request, Response& response) { files->answer(request, response); };
}

}  // namespace stadion::http
