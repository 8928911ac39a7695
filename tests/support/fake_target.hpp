// SPDX-License-Identifier: GPL-2.0-or-later
//
// A target in memory that fails, ends too early, or is as slow as the test wants, and remembers what it was
// asked for. What two threads do to the same bytes at once is not guarded: the thread sanitizer shall see it.
#pragma once

#include "deadline.hpp"

#include "ezio/target/target.hpp"
#include "ezio/util/positional_io.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <new>
#include <vector>

namespace ezio::test {

class FakeTarget final : public Target {
  public:
    using Operation = IoFailure::Operation;

    // One call, as it began.
    struct Call {
        Operation operation;
        std::uint64_t offset;
        std::uint64_t length;
    };

    explicit FakeTarget(std::uint64_t size) : m_bytes(size, std::byte{0xff})
    {
        write_gate.open();
        read_gate.open();
        sync_gate.open();
    }

    // Calls wait here before anything else is done. Open at first.
    Gate write_gate;
    Gate read_gate;
    Gate sync_gate;

    // As an `error`: the call throws std::bad_alloc.
    static constexpr int throws = -1;

    // The nth call from now on, counted from 1, fails with `error`. Any thread.
    void fail(Operation operation, std::size_t nth, int error)
    {
        const std::lock_guard lock(m_mutex);
        m_failing[operation] = {m_count[operation] + nth, error};
    }

    [[nodiscard]] std::vector<Call> calls() const
    {
        const std::lock_guard lock(m_mutex);
        return m_calls;
    }
    [[nodiscard]] std::vector<Call> calls(Operation operation) const
    {
        auto found = calls();
        std::erase_if(found, [&](const Call& call) { return call.operation != operation; });
        return found;
    }

    [[nodiscard]] unsigned cache_drops() const { return m_cache_drops; }

    // What is on the device. Only while no call is under way.
    [[nodiscard]] std::vector<std::byte>& bytes() { return m_bytes; }

    std::optional<IoFailure> do_read_at(std::uint64_t offset, std::span<iovec> parts) override
    {
        return transfer(Operation::read, offset, parts, read_gate);
    }
    std::optional<IoFailure> do_write_at(std::uint64_t offset, std::span<iovec> parts) override
    {
        return transfer(Operation::write, offset, parts, write_gate);
    }
    std::optional<IoFailure> do_write_behind(const Extent& span, std::uint64_t bytes) override
    {
        const int error = begin({Operation::write_back, span.offset, bytes});
        return error != 0 ? std::optional(IoFailure{Operation::write_back, m_path, error, span.offset, bytes})
                          : std::nullopt;
    }
    std::optional<IoFailure> do_sync() override
    {
        const int error = begin({Operation::sync, 0, 0});
        sync_gate.pass();
        return error != 0 ? std::optional(IoFailure{Operation::sync, m_path, error}) : std::nullopt;
    }
    void do_drop_cache() override { ++m_cache_drops; }
    [[nodiscard]] bool is_rotational() const override { return false; }
    [[nodiscard]] const std::string& path() const override { return m_path; }

  private:
    struct Fault {
        std::size_t nth = 0;
        int error = 0;
    };

    std::optional<IoFailure> transfer(Operation operation, std::uint64_t offset, std::span<iovec> parts,
                                      Gate& gate)
    {
        const std::uint64_t length = total_bytes(parts);
        const int error = begin({operation, offset, length});
        gate.pass();
        if (error == throws) {
            throw std::bad_alloc();
        }
        if (error != 0) {
            return IoFailure{operation, m_path, error, offset, length};
        }
        std::uint64_t at = offset;
        for (iovec& part : parts) {
            const std::uint64_t room = m_bytes.size() - std::min<std::uint64_t>(at, m_bytes.size());
            const std::uint64_t some = std::min<std::uint64_t>(part.iov_len, room);
            if (some > 0) {
                copy(operation, &m_bytes[at], part.iov_base, some);
            }
            if (some < part.iov_len) { // as a device that is too short
                return IoFailure{operation, m_path, operation == Operation::read ? end_of_file : ENOSPC,
                                 offset, length};
            }
            at += some;
            part = {nullptr, 0}; // used up
        }
        return std::nullopt;
    }

    static void copy(Operation operation, std::byte* device, void* memory, std::size_t length)
    {
        if (operation == Operation::read) {
            std::memcpy(memory, device, length);
        } else {
            std::memcpy(device, memory, length);
        }
    }

    // Returns the error that the call has to fail with.
    int begin(const Call& call)
    {
        const std::lock_guard lock(m_mutex);
        m_calls.push_back(call);
        const Fault& fault = m_failing[call.operation];
        return ++m_count[call.operation] == fault.nth ? fault.error : 0;
    }

    const std::string m_path = "/dev/fake";
    std::vector<std::byte> m_bytes;
    std::atomic<unsigned> m_cache_drops = 0;
    mutable std::mutex m_mutex; // guards the rest
    std::vector<Call> m_calls;
    std::map<Operation, std::size_t> m_count;
    std::map<Operation, Fault> m_failing;
};

} // namespace ezio::test
