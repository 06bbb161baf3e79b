#include "git/object.h"

#include <algorithm>

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

}  // namespace breakwater::storm
