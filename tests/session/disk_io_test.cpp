// SPDX-License-Identifier: GPL-2.0-or-later
//
// The adapter, used as libtorrent uses it: from the one thread that runs the io_context.
#include "session/disk_io.hpp"

#include "disk_io_rig.hpp"

#include <libtorrent/download_priority.hpp>

namespace ezio {

using test::any_error;
using test::payload_size;
using test::piece_length;
using test::pieces;
using test::request;
using test::storage;
using test::system_error;
using Rig = test::DiskIoRig;

namespace {

// Counts on_disk(): the peer may go on.
struct Observer final : lt::disk_observer {
    std::atomic<int> calls = 0;
    void on_disk() override { ++calls; }
};

template <typename Request>
void check_answered_later(Rig& rig, Request make_request, bool is_error)
{
    const auto call = rig.make(make_request);
    REQUIRE(rig.all_answered());
    CHECK(call->times == 1);
    CHECK_FALSE(call->within_the_request);
    CHECK(call->thread == rig.network_thread());
    CHECK(static_cast<bool>(call->error.ec) == is_error);
}

} // namespace

TEST_CASE("disk I/O: what libtorrent needs is answered once, on its thread, after the call has returned")
{
    Rig rig;
    check_answered_later(
        rig,
        [](DiskIo& io, auto answered) {
            io.async_check_files(storage, nullptr, {},
                                 [answered](lt::status_t status, const lt::storage_error& e) {
                                     answered(status == lt::status_t{} ? e : any_error());
                                 });
        },
        false);
    check_answered_later(
        rig,
        [&](DiskIo& io, auto answered) {
            (void)io.async_write(storage, request(0, 0), reinterpret_cast<const char*>(rig.payload.data()),
                                 {}, [answered](const lt::storage_error& e) { answered(e); }, {});
        },
        false);
    check_answered_later(
        rig,
        [](DiskIo& io, auto answered) {
            io.async_hash(
                storage, lt::piece_index_t{1}, {}, lt::disk_interface::v1_hash,
                [answered](lt::piece_index_t piece, const lt::sha1_hash&, const lt::storage_error& e) {
                    answered(piece == lt::piece_index_t{1} ? e : lt::storage_error());
                });
        },
        true); // it was not received
    check_answered_later(
        rig,
        [](DiskIo& io, auto answered) {
            io.async_clear_piece(storage, lt::piece_index_t{0}, [answered](lt::piece_index_t piece) {
                answered(piece == lt::piece_index_t{0} ? lt::storage_error() : any_error());
            });
        },
        false);
    check_answered_later(
        rig,
        [](DiskIo& io, auto answered) {
            io.async_read(storage, request(2, 0),
                          [answered](lt::disk_buffer_holder, const lt::storage_error& e) { answered(e); },
                          {});
        },
        true);
    check_answered_later(
        rig, [](DiskIo& io, auto answered) { io.async_release_files(storage, [answered] { answered(); }); },
        false);
    check_answered_later(
        rig, [](DiskIo& io, auto answered) { io.async_stop_torrent(storage, [answered] { answered(); }); },
        false);
    CHECK_FALSE(rig.engine().failure());
}

TEST_CASE(
    "disk I/O: what this program never asks for is answered as well, with an error where it would matter")
{
    Rig rig;
    check_answered_later(
        rig,
        [](DiskIo& io, auto answered) {
            io.async_hash2(storage, lt::piece_index_t{0}, 0, {},
                           [answered](lt::piece_index_t, const lt::sha256_hash&, const lt::storage_error& e) {
                               answered(e);
                           });
        },
        true);
    check_answered_later(
        rig,
        [](DiskIo& io, auto answered) {
            io.async_move_storage(
                storage, "/elsewhere", lt::move_flags_t::always_replace_files,
                [answered](lt::status_t status, const std::string&, const lt::storage_error& e) {
                    answered(status != lt::status_t{} ? e : lt::storage_error());
                });
        },
        true);
    check_answered_later(
        rig,
        [](DiskIo& io, auto answered) {
            io.async_rename_file(storage, lt::file_index_t{0}, "other",
                                 [answered](const std::string&, lt::file_index_t,
                                            const lt::storage_error& e) { answered(e); });
        },
        true);
    check_answered_later(
        rig,
        [](DiskIo& io, auto answered) {
            io.async_delete_files(storage, {}, [answered](const lt::storage_error& e) { answered(e); });
        },
        true);
    check_answered_later(
        rig,
        [](DiskIo& io, auto answered) {
            using Priorities = lt::aux::vector<lt::download_priority_t, lt::file_index_t>;
            io.async_set_file_priority(storage, Priorities(3, lt::top_priority),
                                       [answered](const lt::storage_error& e, const Priorities& priorities) {
                                           answered(priorities.size() == 3 ? e : any_error());
                                       });
        },
        false);
    CHECK_FALSE(rig.engine().failure());
}

TEST_CASE("disk I/O: an answer that nobody wants is none")
{
    Rig rig;
    std::size_t open_files = 1;
    rig.on_network([&](DiskIo& io) {
        io.async_release_files(storage, {});
        io.async_stop_torrent(storage, {});
        io.submit_jobs();
        io.settings_updated();
        open_files = io.get_status(storage).size();
        io.remove_torrent(storage);
    });
    CHECK(open_files == 0);
}

TEST_CASE("disk I/O: a piece is written, hashed, on the target, and read back")
{
    Rig rig;
    for (int piece = 0; piece < static_cast<int>(pieces); ++piece) {
        rig.write_piece(piece);
        lt::sha1_hash hash;
        const auto call = rig.make([&](DiskIo& io, auto answered) {
            io.async_hash(
                storage, lt::piece_index_t{piece}, {}, lt::disk_interface::v1_hash,
                [&hash, answered](lt::piece_index_t, const lt::sha1_hash& h, const lt::storage_error& e) {
                    hash = h;
                    answered(e);
                });
        });
        REQUIRE(rig.all_answered());
        CHECK_FALSE(call->error.ec);
        CHECK(hash == lt::sha1_hash(reinterpret_cast<const char*>(
                          rig.image.hashes[static_cast<std::uint32_t>(piece)].data())));
    }
    REQUIRE(rig.failed_or_done.came());
    CHECK_FALSE(rig.engine().failure());
    CHECK(rig.engine().facts().done_bytes == payload_size);
    const auto read = rig.read(request(3, 5, 1000));
    REQUIRE(rig.all_answered());
    CHECK(rig.is_right(*read, 3 * piece_length + 5, 1000));
    CHECK(test::same_bytes(&rig.target.bytes()[4096], rig.payload.data(), payload_size));
}

TEST_CASE("disk I/O: a holder has exactly the size of the request, from memory, from the disk, or from both")
{
    Rig rig(Rig::Disk::complete);
    const auto miss = rig.read(request(1, 0));
    REQUIRE(rig.all_answered());
    CHECK_FALSE(miss->call->within_the_request);
    CHECK(rig.is_right(*miss, piece_length, block_bytes));
    const auto hit = rig.read(request(1, 100, 77));
    REQUIRE(rig.all_answered());
    CHECK(rig.is_right(*hit, piece_length + 100, 77));
    const auto both = rig.read(request(1, 16_KiB - 1, 16_KiB)); // the chunk of 16 KiB ends there
    REQUIRE(rig.all_answered());
    CHECK(rig.is_right(*both, piece_length + 16_KiB - 1, 16_KiB));
    const auto end = rig.read(request(pieces - 1, piece_length - 1, 1));
    REQUIRE(rig.all_answered());
    CHECK(rig.is_right(*end, payload_size - 1, 1));
}

TEST_CASE("disk I/O: a peer whose write is held is told when it may go on, one that has left is not")
{
    Rig rig;
    rig.target.write_gate.close();
    const auto staying = std::make_shared<Observer>();
    auto leaving = std::make_shared<Observer>();
    for (int block = 0; block < 111; ++block) {
        (void)rig.write(block / 16, block % 16 * static_cast<int>(block_bytes), staying);
        CHECK_FALSE(rig.last_write_was_held());
    }
    (void)rig.write(10, 0, leaving);
    CHECK(rig.last_write_was_held());
    (void)rig.write(11, 0, staying);
    CHECK(rig.last_write_was_held());
    (void)rig.write(12, 0); // of nobody
    leaving.reset();
    rig.target.write_gate.open();
    REQUIRE(rig.all_answered());
    CHECK(test::comes_true([&] { return staying->calls == 1; }));
}

TEST_CASE(
    "disk I/O: after a failed write libtorrent stops asking and hangs up on nobody, the engine keeps what it "
    "really was")
{
    Rig rig;
    rig.target.fail(IoFailure::Operation::write, 1, EDQUOT);
    rig.write_piece(2);
    const auto hash = [&] {
        return rig.make([&](DiskIo& io, auto answered) {
            io.async_hash(storage, lt::piece_index_t{2}, {}, lt::disk_interface::v1_hash,
                          [answered](lt::piece_index_t, const lt::sha1_hash&, const lt::storage_error& e) {
                              answered(e);
                          });
        });
    };
    (void)hash();
    REQUIRE(rig.failed_or_done.came());
    const auto write = rig.write(0, 0);
    const auto cancelled = hash();
    REQUIRE(rig.all_answered());
    CHECK(write->error.ec == system_error(ENOSPC));
    CHECK(write->error.operation == lt::operation_t::file_write);
    CHECK(write->error.file() == lt::file_index_t{0});
    CHECK(cancelled->error.ec == boost::asio::error::operation_aborted);
    CHECK(rig.engine().failure()->error == EDQUOT);
}

TEST_CASE("disk I/O: a failed read is an error without data")
{
    Rig rig(Rig::Disk::complete);
    rig.target.fail(IoFailure::Operation::read, 1, EIO);
    const auto across = rig.read(request(0, 16_KiB - 1, 16_KiB));
    REQUIRE(rig.all_answered());
    CHECK(across->call->error.ec == system_error(EIO));
    CHECK(across->call->error.operation == lt::operation_t::file_read);
    const auto after = rig.read(request(1, 0));
    REQUIRE(rig.all_answered());
    CHECK(after->call->error.ec == system_error(EIO));
    CHECK(after->data.empty());
}

TEST_CASE("disk I/O: abort with requests outstanding answers them, and lets the io_context run out when the "
          "disk has")
{
    Rig rig(Rig::Disk::complete);
    rig.target.read_gate.close();
    const auto waiting = rig.read(request(0, 0));
    const auto other = rig.read(request(2, 0));
    REQUIRE(rig.target.read_gate.wait_for_waiting(2));
    rig.abort();
    REQUIRE(rig.all_answered());
    CHECK(waiting->call->error.ec == boost::asio::error::operation_aborted);
    CHECK(other->call->error.ec == boost::asio::error::operation_aborted);
    CHECK_FALSE(rig.run_has_returned());
    const auto late = rig.write(1, 0);
    REQUIRE(rig.all_answered());
    CHECK(late->error.ec == boost::asio::error::operation_aborted);
    rig.target.read_gate.open();
    CHECK(rig.run_returns());
}

TEST_CASE("disk I/O: abort without anything to do lets the io_context run out")
{
    Rig rig;
    rig.abort();
    CHECK(rig.run_returns());
}

} // namespace ezio
