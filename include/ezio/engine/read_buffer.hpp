// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <memory>

namespace ezio {

class BufferOwner {
  public:
    // Takes back what was lent. Any thread.
    virtual void free_buffer(std::byte* data) = 0;

  protected:
    ~BufferOwner() = default;
};

struct ReturnBuffer {
    BufferOwner* owner = nullptr;
    void operator()(std::byte* data) const { owner->free_buffer(data); }
};

// Memory that is lent until this is destroyed, by an owner that outlives it.
using ReadBuffer = std::unique_ptr<std::byte[], ReturnBuffer>;

} // namespace ezio
