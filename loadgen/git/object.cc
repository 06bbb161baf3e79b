#include "git/object.h"

#include <algorithm>
#include <cstring>

#include "git/digest.h"

namespace breakwater::storm {

namespace {

std::string_view octal(TreeEntry::Mode mode) noexcept {
  switch (mode) {
    case TreeEntry::Mode::file:
      return "100644";
    case TreeEntry::Mode::executable:
      return "100755";
    case TreeEntry::Mode::directory:
      return "40000";
  }
  return "";
}

// Git sorts a directory as if its name ended in a slash.
std::string sort_key(const TreeEntry& entry) {
  return entry.mode == TreeEntry::Mode::directory ? entry.name + "/" : entry.name;
}

void append_signature(std::string& text, std::string_view role, const Signature& who) {
  text += role;
  text += ' ' + who.name + " <" + who.email + "> " + std::to_string(who.seconds) + " +0000\n";
}

// Takes "LABEL NAME\n" off the front of `text`. nullopt, and `text` stays, if it does not begin so.
std::optional<std::string_view> take_line(std::string_view& text, std::string_view label) noexcept {
  if (!text.starts_with(label) || !text.substr(label.size()).starts_with(' ')) return std::nullopt;
  const size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view value = text.substr(label.size() + 1, end - label.size() - 1);
  text.remove_prefix(end + 1);
  return value;
}

std::optional<ObjectId> take_id(std::string_view& text, std::string_view label, HashKind kind) noexcept {
  const std::optional<std::string_view> value = take_line(text, label);
  const std::optional<ObjectId> id = value ? ObjectId::parse(*value) : std::nullopt;
  return id && id->kind == kind ? id : std::nullopt;
}

std::optional<std::vector<Link>> links_of_commit(std::string_view text, HashKind kind) {
  const std::optional<ObjectId> tree = take_id(text, "tree", kind);
  if (!tree) return std::nullopt;
  std::vector<Link> links = {{*tree, ObjectType::tree}};
  while (text.starts_with("parent ")) {
    const std::optional<ObjectId> parent = take_id(text, "parent", kind);
    if (!parent) return std::nullopt;
    links.push_back({*parent, ObjectType::commit});
  }
  if (!text.starts_with("author ")) return std::nullopt;
  return links;
}

std::optional<std::vector<Link>> links_of_tag(std::string_view text, HashKind kind) {
  const std::optional<ObjectId> object = take_id(text, "object", kind);
  const std::optional<std::string_view> type = object ? take_line(text, "type") : std::nullopt;
  if (!type) return std::nullopt;
  for (const ObjectType each : {ObjectType::commit, ObjectType::tree, ObjectType::blob, ObjectType::tag}) {
    if (*type == name(each)) return std::vector<Link>{{*object, each}};
  }
  return std::nullopt;
}

// "MODE NAME\0" and the bytes of an id, again and again.
std::optional<std::vector<Link>> links_of_tree(std::string_view content, HashKind kind) {
  std::vector<Link> links;
  while (!content.empty()) {
    const size_t space = content.find(' ');
    const size_t end = content.find('\0');
    if (space == std::string_view::npos || end == std::string_view::npos || space > end ||
        content.size() - end - 1 < bytes_of(kind))
      return std::nullopt;
    const std::string_view mode = content.substr(0, space);
    Link link{.id = {.raw = {}, .kind = kind}, .type = ObjectType::blob};
    std::memcpy(link.id.raw.data(), content.data() + end + 1, bytes_of(kind));
    if (mode == "40000") link.type = ObjectType::tree;
    if (mode != "160000") links.push_back(link);  // a submodule's commit is elsewhere
    content.remove_prefix(end + 1 + bytes_of(kind));
  }
  return links;
}

}  // namespace

std::string_view name(ObjectType type) noexcept {
  switch (type) {
    case ObjectType::commit:
      return "commit";
    case ObjectType::tree:
      return "tree";
    case ObjectType::blob:
      return "blob";
    case ObjectType::tag:
      return "tag";
  }
  return "";
}

Object make_object(ObjectType type, std::string content, HashKind kind) {
  const ObjectId id = id_of(name(type), content, kind);
  return {type, std::move(content), id};
}

std::string tree_content(std::vector<TreeEntry> entries) {
  std::ranges::sort(entries, {}, sort_key);
  std::string content;
  for (const TreeEntry& entry : entries) {
    content += octal(entry.mode);
    content += ' ' + entry.name;
    content += '\0';
    content.append(reinterpret_cast<const char*>(entry.id.raw.data()), entry.id.size());
  }
  return content;
}

std::string commit_content(const CommitText& commit) {
  std::string text = "tree " + commit.tree.hex() + "\n";
  for (const ObjectId& parent : commit.parents) text += "parent " + parent.hex() + "\n";
  append_signature(text, "author", commit.author);
  append_signature(text, "committer", commit.committer);
  return text + "\n" + commit.message;
}

std::string tag_content(const TagText& tag) {
  std::string text = "object " + tag.object.hex() + "\ntype ";
  text += name(tag.type);
  text += "\ntag " + tag.name + "\n";
  append_signature(text, "tagger", tag.tagger);
  return text + "\n" + tag.message;
}

std::optional<std::vector<Link>> links_of(ObjectType type, std::string_view content, HashKind kind) {
  switch (type) {
    case ObjectType::commit:
      return links_of_commit(content, kind);
    case ObjectType::tree:
      return links_of_tree(content, kind);
    case ObjectType::tag:
      return links_of_tag(content, kind);
    case ObjectType::blob:
      break;
  }
  return std::vector<Link>();
}

}  // namespace breakwater::storm
