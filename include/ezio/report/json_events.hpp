// SPDX-License-Identifier: GPL-2.0-or-later
//
// Events as JSON objects: the stable interface that the man page documents. Members may be added, but are
// never renamed or removed. Bytes and seconds are numbers.
#pragma once

#include "ezio/report/reporter.hpp"

#include <nlohmann/json_fwd.hpp>

namespace ezio {

[[nodiscard]] nlohmann::json to_json(const StartEvent& event);
[[nodiscard]] nlohmann::json to_json(const ProgressEvent& event);
[[nodiscard]] nlohmann::json to_json(const PeerEvent& event);
[[nodiscard]] nlohmann::json to_json(const ClientStatus& client); // not an event, but a member of several
[[nodiscard]] nlohmann::json client_to_json(const ClientStatus& client);
[[nodiscard]] nlohmann::json to_json(const ClientList& clients);
[[nodiscard]] nlohmann::json to_json(const CompleteEvent& event);
[[nodiscard]] nlohmann::json to_json(const SummaryEvent& event);
[[nodiscard]] nlohmann::json to_json(const Error& error);
[[nodiscard]] nlohmann::json warning_to_json(const std::string& message);
[[nodiscard]] nlohmann::json note_to_json(const std::string& message);

// One line of text for any bytes: invalid UTF-8 is replaced.
[[nodiscard]] std::string to_line(const nlohmann::json& object);

} // namespace ezio
