// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a seeder knows of its clients: plain values, without a network.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ezio {

enum class ClientState {
    connecting, // nothing received yet
    checking,   // hashing what is on the target already
    downloading,
    syncing,
    verifying, // reading back
    complete,  // verified, written, synced; with --verify read back
    failed,
    stopped, // by a signal
    lost,    // vanished without a last word; never reported, the seeder finds it out
};

[[nodiscard]] std::string_view to_string(ClientState state);
[[nodiscard]] std::optional<ClientState> parse_client_state(std::string_view text);

// The client has said its last word, unless it starts again.
[[nodiscard]] constexpr bool is_final(ClientState state)
{
    return state == ClientState::complete || state == ClientState::failed || state == ClientState::stopped;
}

// The image is not on its target, and nothing is coming.
[[nodiscard]] constexpr bool has_failed(ClientState state)
{
    return state == ClientState::failed || state == ClientState::stopped || state == ClientState::lost;
}

// What a client says of itself. Bytes are of the payload, the rate is bytes per second.
struct ClientReport {
    std::string host;   // its name
    std::string target; // path
    std::string serial; // of the target's disk; empty: unknown
    ClientState state = ClientState::connecting;
    std::uint64_t done_bytes = 0; // of the state: received and written, or read
    std::uint64_t received_bytes = 0;
    std::uint64_t rate = 0;
    std::uint64_t seconds = 0; // since its start
    std::optional<std::uint64_t> eta_seconds;
    std::optional<int> status; // exit status, once it is known
    std::string message;       // of a failure

    bool operator==(const ClientReport&) const = default;
};

struct ClientStatus {
    ClientReport report;
    std::string address;  // where it listens, as the seeder sees it; no two clients have the same
    bool reports = false; // otherwise only its pieces are known: another program, or --no-report
    std::uint64_t total_bytes = 0;
};

// How it is called in messages: its name, or its address where it has none.
[[nodiscard]] const std::string& name_of(const ClientStatus& client);

// "pc07 (/dev/sda)": for sentences.
[[nodiscard]] std::string describe_client(const ClientStatus& client);

// 0 to 100; 100 only when complete.
[[nodiscard]] double percent_done(const ClientStatus& client);

// "failed at 61.3 %: No space left on device", "lost at 61.3 %", "downloading".
[[nodiscard]] std::string describe_result(const ClientStatus& client);

using ClientList = std::vector<ClientStatus>;

} // namespace ezio
