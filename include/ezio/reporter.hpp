// SPDX-License-Identifier: GPL-2.0-or-later
//
// What happens, as events. Commands and the transfer say what; how it looks, and where, is the reporters'
// business alone. All calls come from the main thread.
#pragma once

#include "ezio/error.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace ezio {

enum class Phase { connecting, downloading, syncing, seeding, verifying };

[[nodiscard]] std::string_view to_string(Phase phase);

struct StartEvent {
    std::string command; // "fetch", "seed", "verify"
    std::string torrent; // path
    std::string target;  // path
    std::string name;
    std::string info_hash;
    std::string listen; // "10.0.0.1:6881, [::]:6881"; empty for commands without a network
    std::uint64_t payload_bytes = 0;
    std::uint64_t device_bytes = 0; // of the smallest device that fits
    std::uint64_t extents = 0;
    std::uint64_t pieces = 0;
    std::uint64_t piece_length = 0;
};

// Bytes are of the payload unless said otherwise; rates are bytes per second.
struct ProgressEvent {
    Phase phase = Phase::connecting;
    double seconds = 0; // since the start
    std::uint64_t total_bytes = 0;
    std::uint64_t received_bytes = 0; // from peers, whatever became of them
    std::uint64_t done_bytes = 0;     // verified, and written (fetch) or compared (verify)
    std::uint64_t uploaded_bytes = 0;
    double download_rate = 0;
    double upload_rate = 0;
    double done_rate = 0;
    std::optional<double> eta_seconds;
    unsigned peers = 0;
    unsigned peers_complete = 0; // of them, how many have everything
};

struct PeerEvent {
    bool connected = false; // or gone
    std::string address;
};

struct CompleteEvent {
    double seconds = 0;
    std::uint64_t bytes = 0; // verified, written and synced
};

struct SummaryEvent {
    ExitStatus status = ExitStatus::done;
    double seconds = 0;
    std::uint64_t total_bytes = 0;
    std::uint64_t received_bytes = 0;
    std::uint64_t written_bytes = 0;
    std::uint64_t uploaded_bytes = 0;
    std::uint64_t redundant_bytes = 0;
    std::uint64_t failed_pieces = 0; // hash was wrong
};

class Reporter {
  public:
    virtual ~Reporter() = default;

    virtual void start(const StartEvent& event) = 0;
    virtual void progress(const ProgressEvent& event) = 0; // several times a second
    virtual void peer(const PeerEvent& event) = 0;
    virtual void warning(const std::string& message) = 0;
    virtual void complete(const CompleteEvent& event) = 0;
    virtual void summary(const SummaryEvent& event) = 0;
    virtual void error(const Error& error) = 0;
};

enum class Verbosity { quiet, normal, verbose };
enum class Color { no, yes };

// Sentences and a progress line on stderr.
[[nodiscard]] std::unique_ptr<Reporter> make_text_reporter(Verbosity verbosity, Color color);

// One JSON object per line on stdout, and errors as sentences on stderr too.
[[nodiscard]] std::unique_ptr<Reporter> make_json_reporter();

} // namespace ezio
