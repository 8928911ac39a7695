// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/peers/peer_faults.hpp"

#include <boost/system/error_code.hpp>

#include <string>

namespace ezio {

namespace {

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor" // Boost's categories have none; none is ever deleted

class Category final : public boost::system::error_category {
  public:
    [[nodiscard]] const char* name() const noexcept override { return "ezio peer"; }

    [[nodiscard]] std::string message(int fault) const override
    {
        switch (static_cast<PeerFault>(fault)) {
        case PeerFault::asks_too_much:
            return "requests the metadata or rejected blocks more often than any peer needs to";
        case PeerFault::reads_nothing:
            return "requests more than it reads";
        case PeerFault::reports_nonsense:
            return "sends invalid reports, or too many";
        case PeerFault::floods:
            break;
        }
        return "sends more messages than any peer needs";
    }
};

#pragma GCC diagnostic pop

const Category& category()
{
    static const Category instance;
    return instance;
}

} // namespace

lt::error_code make_error(PeerFault fault)
{
    return {static_cast<int>(fault), category()};
}

bool is_peer_fault(const lt::error_code& error)
{
    return error.category() == category();
}

} // namespace ezio
