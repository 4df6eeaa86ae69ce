// SPDX-License-Identifier: MIT
#include "http/directory_listing.hpp"

#include <dirent.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <span>
#include <system_error>

#include "http/text_builder.hpp"
#include "http/utf8.hpp"

namespace stadion::http {
namespace {

struct Entry {
  std::string_view name;
  bool is_directory = false;
};

/// As getdents64(2) gives them: readdir() would take its memory from the heap.
struct DirectoryRecord {
  std::uint64_t inode;
  std::int64_t offset;
  std::uint16_t bytes;
  std::uint8_t type;
};
constexpr std::size_t kNameOffset = 19;
constexpr std::size_t kBufferBytes = 16 * 1024;

class Lister {
 public:
  Lister(const ListedDirectory& listed, Arena& arena)
      : listed_(listed), arena_(arena), entries_(arena.make_array<Entry>(kListedEntriesMax)) {}

  void read(int directory) {
    char* buffer = static_cast<char*>(arena_.alloc(kBufferBytes));
    while (true) {
      const long got = ::syscall(SYS_getdents64, directory, buffer, kBufferBytes);
      if (got < 0) {
        throw std::system_error(errno, std::generic_category(), "cannot list a directory");
      }
      if (got == 0 || !add_all({buffer, static_cast<std::size_t>(got)})) {
        break;
      }
    }
    std::sort(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(count_),
              [](const Entry& left, const Entry& right) { return left.name < right.name; });
  }

  std::span<const Entry> entries() const noexcept { return entries_.first(count_); }
  bool is_cut() const noexcept { return is_cut_; }

 private:
  bool add_all(std::span<const char> records) {
    while (!records.empty()) {
      DirectoryRecord record{};
      std::memcpy(&record, records.data(), kNameOffset);
      if (!add(records.data() + kNameOffset, record.type)) {
        return false;
      }
      records = records.subspan(record.bytes);
    }
    return true;
  }

  bool add(std::string_view name, std::uint8_t type) {
    if (!is_safe_path(name, listed_.shows_dotfiles)) {
      return true;
    }
    // Where a link leads, only opening it tells; so it does where the file system gives no types.
    if (type == DT_LNK || type == DT_UNKNOWN) {
      type = type_when_opened(name);
    }
    if (type != DT_REG && type != DT_DIR) {
      return true;
    }
    is_cut_ = count_ == entries_.size();
    if (!is_cut_) {
      entries_[count_++] = {.name = arena_.copy(name), .is_directory = type == DT_DIR};
    }
    return !is_cut_;
  }

  std::uint8_t type_when_opened(std::string_view name) {
    TextBuilder path(arena_, listed_.path.size() + name.size() + 2);
    path.add(listed_.path).add(listed_.path.empty() ? "" : "/").add(name);
    const OpenFile file = listed_.root.open(path.text(), arena_);
    return file.is_directory() ? DT_DIR : file.is_regular() ? DT_REG : DT_UNKNOWN;
  }

  const ListedDirectory& listed_;
  Arena& arena_;
  std::span<Entry> entries_;
  std::size_t count_ = 0;
  bool is_cut_ = false;
};

/// With what is none replaced: control characters, and bytes that are not UTF-8.
void add_escaped(TextBuilder& page, std::string_view text) {
  while (!text.empty()) {
    const Utf8Character character = first_character(text);
    switch (character.point) {
      case '&': page.add("&amp;"); break;
      case '<': page.add("&lt;"); break;
      case '>': page.add("&gt;"); break;
      case '"': page.add("&quot;"); break;
      case '\'': page.add("&#39;"); break;
      default:
        const bool is_shown = character.is_valid && character.point >= 0x20;
        page.add(is_shown ? text.substr(0, character.bytes) : "\xEF\xBF\xBD");
    }
    text.remove_prefix(character.bytes);
  }
}

/// All but what is unreserved in a URL (RFC 3986 section 2.3): no name can be taken for a scheme.
void add_link(TextBuilder& page, std::string_view name) {
  for (const char byte : name) {
    const bool is_unreserved = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                               (byte >= 'a' && byte <= 'z') || byte == '-' || byte == '.' ||
                               byte == '_' || byte == '~';
    is_unreserved ? page.add(byte) : page.add_percent(byte);
  }
}

void add_entry(TextBuilder& page, const Entry& entry) {
  const std::string_view slash = entry.is_directory ? "/" : "";
  page.add("<li><a href=\"./");
  add_link(page, entry.name);
  page.add(slash).add("\">");
  add_escaped(page, entry.name);
  page.add(slash).add("</a></li>\n");
}

void add_heading(TextBuilder& page, std::string_view path) {
  page.add("<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>/");
  add_escaped(page, path);
  page.add("</title></head>\n<body><h1>/");
  add_escaped(page, path);
  page.add("</h1>\n<ul>\n");
  if (!path.empty()) {
    page.add("<li><a href=\"../\">../</a></li>\n");
  }
}

}  // namespace

void answer_with_listing(Response& response, OpenFile directory, const ListedDirectory& listed) {
  Arena& arena = response.arena();
  Lister lister(listed, arena);
  lister.read(directory.descriptor().get());
  TextBuilder page(arena, 256 + lister.entries().size() * 64);
  add_heading(page, listed.path);
  for (const Entry& entry : lister.entries()) {
    add_entry(page, entry);
  }
  page.add("</ul>\n").add(lister.is_cut() ? "<p>There is more.</p>\n" : "");
  response.body_by_reference(page.add("</body></html>\n").text(), "text/html; charset=utf-8");
}

}  // namespace stadion::http
