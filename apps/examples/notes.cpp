// SPDX-License-Identifier: MIT

// stadion-example-notes: a JSON service that keeps notes in memory.
//
//     curl -i -d '{"text":"milk"}' http://127.0.0.1:8080/notes         201, and Location: /notes/1
//     curl -X PUT -d '{"text":"tea"}' http://127.0.0.1:8080/notes/1
//     curl 'http://127.0.0.1:8080/notes?after=0'                       100 of them at a time
//     curl -i -X DELETE http://127.0.0.1:8080/notes/1                  204

#include <charconv>
#include <cstdint>
#include <exception>
#include <iostream>
#include <map>
#include <mutex>
#include <optional>
#include <stadion/http/json.hpp>
#include <stadion/http/server.hpp>
#include <string>

using namespace stadion;
namespace json = boost::json;
using http::HttpError, http::Request, http::Response, http::Status, std::string_view;
using Id = std::uint64_t;

constexpr std::size_t kNotesMax = 1000;
constexpr std::size_t kBodyBytesMax = 2048;
constexpr std::size_t kPageMax = 100;

/// In the storage of an arena: without one, Boost.JSON's values are on the heap.
json::object to_object(Id id, string_view text, const json::storage_ptr& storage) {
  return json::object({{"id", id}, {"text", text}}, storage);
}

/// Used by several Workers at once. A request's arena ends with the request, and with it every view
/// of it: what goes in is copied to strings of this store's own. What comes out is copied to the
/// arena of the one who asks: the next moment another may delete the note.
class Notes {
 public:
  /// None when it is full.
  std::optional<Id> add(string_view text) {
    const std::lock_guard lock(mutex_);
    if (notes_.size() >= kNotesMax) return std::nullopt;
    notes_.emplace(++last_id_, text);
    return last_id_;
  }
  bool replace(Id id, string_view text) {
    const std::lock_guard lock(mutex_);
    const auto note = notes_.find(id);
    return note != notes_.end() && (note->second = text, true);
  }
  bool erase(Id id) {
    const std::lock_guard lock(mutex_);
    return notes_.erase(id) > 0;
  }
  std::optional<string_view> find(Id id, Arena& arena) const {
    const std::lock_guard lock(mutex_);
    const auto note = notes_.find(id);
    return note == notes_.end() ? std::nullopt : std::optional(arena.copy(note->second));
  }
  json::array list(Id after, const json::storage_ptr& storage) const {
    const std::lock_guard lock(mutex_);
    json::array page(storage);
    for (auto note = notes_.upper_bound(after); note != notes_.end(); ++note) {
      if (page.size() == kPageMax) break;
      page.emplace_back(to_object(note->first, note->second, storage));
    }
    return page;
  }

 private:
  mutable std::mutex mutex_;
  std::map<Id, std::string> notes_;
  Id last_id_ = 0;
};

/// The text of the note in the body. It lives in the request's arena.
string_view text_from(const Request& request) {
  const json::object* note = http::json_body(request).if_object();
  const json::value* text = note == nullptr ? nullptr : note->if_contains("text");
  if (text == nullptr || !text->is_string()) {
    throw HttpError(Status::bad_request, "A note is {\"text\": \"...\"}.\n");
  }
  return text->get_string();
}

/// 0, which no note has, for what is no number.
Id id_from(string_view text) {
  Id id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  return error == std::errc() && end == text.data() + text.size() ? id : 0;
}

Id id_of(const Request& request) { return id_from(request.param("id")); }

void require_note(bool is_there) {
  if (!is_there) throw HttpError(Status::not_found, "There is no such note.\n");
}

void answer(Response& response, Id id, string_view text) {
  http::answer_json(response, to_object(id, text, http::json_storage(response.arena())));
}

void add_routes(http::Routes routes, Notes& notes) {
  routes.get("", [&notes](const Request& request, Response& response) {
    const Id after = id_from(request.query("after").value_or("0"));
    http::answer_json(response, notes.list(after, http::json_storage(request.arena())));
  });
  routes.post("", [&notes](const Request& request, Response& response) {
    const string_view text = text_from(request);
    const std::optional<Id> id = notes.add(text);
    if (!id) throw HttpError(Status::conflict, "The store is full: delete a note first.\n");
    response.status(Status::created).header("Location", "/notes/" + std::to_string(*id));
    answer(response, *id, text);
  });
  routes.get("/{id}", [&notes](const Request& request, Response& response) {
    const auto text = notes.find(id_of(request), request.arena());
    require_note(text.has_value());
    answer(response, id_of(request), *text);
  });
  routes.put("/{id}", [&notes](const Request& request, Response& response) {
    const string_view text = text_from(request);
    require_note(notes.replace(id_of(request), text));
    answer(response, id_of(request), text);
  });
  routes.del("/{id}", [&notes](const Request& request, Response& response) {
    require_note(notes.erase(id_of(request)));
    response.status(Status::no_content);
  });
}

int main(int argc, char** argv) try {
  Notes notes;  // Before the server, whose handlers use it until they end.
  http::Server server({.workers = 2});
  add_routes(server.group("/notes", {.body_bytes_max = kBodyBytesMax}), notes);

  server.stop_on_signals();  // Before anybody is told that the server is there.
  const auto endpoint = server.listen(argc > 1 ? argv[1] : "127.0.0.1:8080");
  std::cout << "listening on http://" << endpoint.to_string() << std::endl;
  server.run();
} catch (const std::exception& error) {
  std::cerr << "stadion-example-notes: " << error.what() << '\n';
  return 1;
}
