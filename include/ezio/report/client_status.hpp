// SPDX-License-Identifier: GPL-2.0-or-later
//
// A seeder's view of its clients: plain values, without a network.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ezio {

enum class ClientState {
    connecting, // nothing received yet
    checking,   // hashing what the target already holds
    downloading,
    syncing,
    verifying, // reading back
    complete,  // verified, written, synced; with --verify also read back
    failed,
    stopped, // by a signal
    lost,    // vanished without a last report; set by the seeder, never reported
};

[[nodiscard]] std::string_view to_string(ClientState state);
[[nodiscard]] std::optional<ClientState> parse_client_state(std::string_view text);

// Whether the state is final, unless the client is restarted.
[[nodiscard]] constexpr bool is_final(ClientState state)
{
    return state == ClientState::complete || state == ClientState::failed || state == ClientState::stopped;
}

// Whether the image is not on the client's target and no longer on its way.
[[nodiscard]] constexpr bool has_failed(ClientState state)
{
    return state == ClientState::failed || state == ClientState::stopped || state == ClientState::lost;
}

// A client's report about itself. Bytes are of the payload, the rate is bytes per second.
struct ClientReport {
    std::string host;   // its name
    std::string target; // path
    std::string serial; // of the target's disk; empty: unknown
    ClientState state = ClientState::connecting;
    std::uint64_t done_bytes = 0; // of the current state: received and written, or read
    std::uint64_t received_bytes = 0;
    std::uint64_t rate = 0;
    std::uint64_t seconds = 0; // since its start
    std::optional<std::uint64_t> eta_seconds;
    std::optional<int> status; // exit status, if known
    std::string message;       // of a failure

    bool operator==(const ClientReport&) const = default;
};

struct ClientStatus {
    ClientReport report;
    std::string address;  // where it listens, as the seeder sees it; unique
    bool reports = false; // false: only its pieces are known (another program, or --no-report)
    std::uint64_t total_bytes = 0;
};

// The client's name in messages: its host name, or its address if it has none.
[[nodiscard]] const std::string& name_of(const ClientStatus& client);

// "pc07 (/dev/sda)": for sentences.
[[nodiscard]] std::string describe_client(const ClientStatus& client);

// 0 to 100; 100 only when complete.
[[nodiscard]] double percent_done(const ClientStatus& client);

// "failed at 61.3 %: No space left on device", "lost at 61.3 %", "downloading".
[[nodiscard]] std::string describe_result(const ClientStatus& client);

using ClientList = std::vector<ClientStatus>;

} // namespace ezio
