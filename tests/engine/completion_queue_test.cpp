// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/engine/completion_queue.hpp"

#include "catch.hpp"

#include <memory>
#include <string>
#include <thread>

namespace ezio {

namespace {

// What was posted, for the test to run when it wants.
struct Posted {
    std::vector<std::function<void()>> functions;

    [[nodiscard]] CompletionQueue::Post post()
    {
        return [this](std::function<void()> function) { functions.push_back(std::move(function)); };
    }
    void run()
    {
        for (const auto& function : std::exchange(functions, {})) {
            function();
        }
    }
};

void give(CompletionQueue& queue, Completions ready)
{
    if (queue.add(ready)) {
        queue.deliver_soon();
    }
}

// Tells whether it was ever copied.
struct CopyCounter {
    explicit CopyCounter(int& counter) : copies(&counter) {}
    CopyCounter(const CopyCounter& other) : copies(other.copies) { ++*copies; }
    CopyCounter(CopyCounter&&) = default;
    CopyCounter& operator=(const CopyCounter&) = delete;
    CopyCounter& operator=(CopyCounter&&) = delete;
    ~CopyCounter() = default;
    int* copies;
};

} // namespace

TEST_CASE("completion queue: one post is in flight, and brings all that gathered until it runs, in order")
{
    Posted posted;
    CompletionQueue queue(posted.post());
    std::string order;
    give(queue, {[&] { order += 'a'; }, [&] { order += 'b'; }});
    give(queue, {[&] { order += 'c'; }});
    give(queue, {[&] { order += 'd'; }});
    CHECK(order.empty());
    CHECK(posted.functions.size() == 1);
    posted.run();
    CHECK(order == "abcd");
    give(queue, {[&] { order += 'e'; }});
    CHECK(posted.functions.size() == 1);
    posted.run();
    CHECK(order == "abcde");
}

TEST_CASE("completion queue: what a completion gives comes by a post of its own, after those that wait")
{
    Posted posted;
    CompletionQueue queue(posted.post());
    std::string order;
    give(queue, {[&] {
                     order += 'a';
                     give(queue, {[&] { order += 'c'; }});
                 },
                 [&] { order += 'b'; }});
    posted.run();
    CHECK(order == "ab");
    CHECK(posted.functions.size() == 1);
    posted.run();
    CHECK(order == "abc");
}

TEST_CASE("completion queue: nothing to bring needs no post")
{
    Posted posted;
    CompletionQueue queue(posted.post());
    Completions none;
    CHECK_FALSE(queue.add(none));
    give(queue, {[] {}});
    CHECK_FALSE(queue.add(none));
    CHECK(posted.functions.size() == 1);
}

TEST_CASE("completion queue: completions are taken out of the list, moved, never copied")
{
    Posted posted;
    CompletionQueue queue(posted.post());
    int copies = 0;
    int calls = 0;
    Completions ready;
    for (int i = 0; i < 5; ++i) {
        ready.emplace_back([counter = CopyCounter(copies), &calls] { ++calls; });
    }
    copies = 0; // std::function's constructor is not what is tested
    REQUIRE(queue.add(ready));
    CHECK(ready.empty());
    queue.deliver_soon();
    posted.run();
    CHECK(calls == 5);
    CHECK(copies == 0);
}

TEST_CASE("completion queue: a completion is destroyed where it ran, not where it was given")
{
    Posted posted;
    CompletionQueue queue(posted.post());
    std::thread::id destroyed_on;
    std::thread([&] {
        std::shared_ptr<void> token(nullptr, [&](void*) { destroyed_on = std::this_thread::get_id(); });
        give(queue, {[token = std::move(token)] {}});
    }).join();
    CHECK(destroyed_on == std::thread::id());
    posted.run();
    CHECK(destroyed_on == std::this_thread::get_id());
}

TEST_CASE("completion queue: the post in flight may outlive the queue")
{
    Posted posted;
    int calls = 0;
    {
        CompletionQueue queue(posted.post());
        give(queue, {[&] { ++calls; }});
    }
    posted.run();
    CHECK(calls == 1);
}

TEST_CASE("completion queue: threads give at once, each one's completions come in its order, all of them")
{
    std::mutex mutex;
    std::vector<std::function<void()>> functions; // guarded by mutex
    CompletionQueue queue([&](std::function<void()> function) {
        const std::lock_guard lock(mutex);
        functions.push_back(std::move(function));
    });
    constexpr int threads = 4;
    constexpr int rounds = 2000;
    std::vector<std::vector<int>> came(threads);
    std::vector<std::thread> givers;
    for (std::size_t giver = 0; giver < threads; ++giver) {
        givers.emplace_back([&, giver] {
            for (int round = 0; round < rounds; ++round) {
                give(queue, {[&came, giver, round] { came[giver].push_back(round); }});
            }
        });
    }
    const auto run_posted = [&] {
        std::vector<std::function<void()>> batch;
        {
            const std::lock_guard lock(mutex);
            batch.swap(functions);
        }
        for (const auto& function : batch) {
            function();
        }
    };
    while (came[0].size() < rounds) {
        run_posted();
    }
    for (std::thread& giver : givers) {
        giver.join();
    }
    run_posted();
    for (const auto& numbers : came) {
        CHECK(numbers.size() == rounds);
        CHECK(std::is_sorted(numbers.begin(), numbers.end()));
    }
}

} // namespace ezio
