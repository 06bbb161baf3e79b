// Intrusive doubly linked list. A node is in at most one list; it may unlink itself at any time in O(1).
// The list owns nothing.
#pragma once

#include "base/assert.h"

namespace breakwater {

struct ListNode {
  ListNode* prev = nullptr;
  ListNode* next = nullptr;

  ListNode() = default;
  ListNode(const ListNode&) = delete;
  ListNode& operator=(const ListNode&) = delete;
  ~ListNode() { BW_ASSERT(!linked()); }

  bool linked() const noexcept { return next != nullptr; }
  void unlink() noexcept {
    if (!linked()) return;
    prev->next = next;
    next->prev = prev;
    prev = next = nullptr;
  }
};

// T derives from ListNode.
template <typename T>
class List {
 public:
  List() noexcept { end_.prev = end_.next = &end_; }
  ~List() {
    BW_ASSERT(empty());
    end_.prev = end_.next = nullptr;
  }
  List(const List&) = delete;
  List& operator=(const List&) = delete;

  bool empty() const noexcept { return end_.next == &end_; }
  T* front() noexcept { return empty() ? nullptr : static_cast<T*>(end_.next); }
  T* back() noexcept { return empty() ? nullptr : static_cast<T*>(end_.prev); }
  T* after(T& node) noexcept { return node.next == &end_ ? nullptr : static_cast<T*>(node.next); }
  T* before(T& node) noexcept { return node.prev == &end_ ? nullptr : static_cast<T*>(node.prev); }
  // Behind `place`, or in front of all if that is null.
  void insert_after(T* place, T& node) noexcept {
    ListNode& before_it = place == nullptr ? end_ : static_cast<ListNode&>(*place);
    insert(node, before_it, *before_it.next);
  }
  void push_back(T& node) noexcept { insert(node, *end_.prev, end_); }
  void push_front(T& node) noexcept { insert(node, end_, *end_.next); }
  T* pop_front() noexcept {
    T* const node = front();
    if (node != nullptr) static_cast<ListNode*>(node)->unlink();
    return node;
  }
  // Moves everything out of `other`, behind what is here.
  void take_all(List& other) noexcept {
    while (T* const node = other.pop_front()) push_back(*node);
  }

 private:
  static void insert(ListNode& node, ListNode& prev, ListNode& next) noexcept {
    BW_ASSERT(!node.linked());
    node.prev = &prev;
    node.next = &next;
    prev.next = &node;
    next.prev = &node;
  }
  ListNode end_;
};

}  // namespace breakwater
