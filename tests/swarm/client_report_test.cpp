// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/swarm/client_report.hpp"

#include "catch.hpp"

namespace ezio {

namespace {

IdentifiedReport full_report()
{
    return {"0123456789abcdef",
            {"pc07", "/dev/sda", "S4EVNX0M", ClientState::failed, 5'000'000'000, 4'900'000'000, 98'000'000,
             83, 41, 5, "/dev/sda: write of 4096 bytes at offset 8192 failed: No space left on device"}};
}

std::optional<IdentifiedReport> parse(const std::string& payload)
{
    return parse_report(payload);
}

} // namespace

TEST_CASE("client report: what was encoded is parsed again")
{
    const auto full = parse(encode_report(full_report()));
    REQUIRE(full);
    CHECK(full->id == full_report().id);
    CHECK(full->report == full_report().report);
    const auto empty = parse(encode_report({"id", {}}));
    REQUIRE(empty);
    CHECK(empty->report == ClientReport{});
}

TEST_CASE("client report: long texts are cut, a path at its start, and none in a character")
{
    IdentifiedReport report = full_report();
    report.report.host = std::string(63, 'h') + "ü" + std::string(1000, 'h');
    report.report.target = "/" + std::string(1000, 'd') + "/disk.img";
    report.report.serial = report.report.message = std::string(10'000, 'x');
    const std::string payload = encode_report(report);
    CHECK(payload.size() <= most_report_bytes);
    const auto parsed = parse(payload);
    REQUIRE(parsed);
    CHECK(parsed->report.host == std::string(63, 'h'));
    CHECK(parsed->report.target.size() == 128);
    CHECK(parsed->report.target.starts_with("...ddd"));
    CHECK(parsed->report.target.ends_with("d/disk.img"));
    CHECK(parsed->report.serial.size() == 64);
    CHECK(parsed->report.message.size() == 400);
}

TEST_CASE("client report: 300 clients with long names report less than 100 kB a second")
{
    IdentifiedReport report = full_report();
    report.report.host = std::string(64, 'h');
    report.report.target = std::string(64, 't');
    report.report.serial = std::string(32, 's');
    report.report.state = ClientState::downloading;
    report.report.message.clear();
    report.report.status.reset();
    constexpr std::size_t headers = 6 + 66; // of the message, and of the packet
    CHECK(300 * (encode_report(report).size() + headers) / 2 < 100'000);
}

TEST_CASE("client report: texts that a stranger makes too long are cut")
{
    const auto parsed = parse("d4:host200:" + std::string(200, 'h') + "2:id2:xx5:state8:complete1:vi1ee");
    REQUIRE(parsed);
    CHECK(parsed->report.host.size() == 64);
}

TEST_CASE("client report: what makes no sense is no report")
{
    CHECK(parse("d2:id2:xx5:state8:complete1:vi1ee"));
    CHECK_FALSE(parse(""));
    CHECK_FALSE(parse("i1e"));
    CHECK_FALSE(parse("d2:id2:xx5:state8:complete1:vi1e"));
    CHECK_FALSE(parse("d2:id2:xx5:state8:completee")); // no version
    CHECK_FALSE(parse("d5:state8:complete1:vi1ee"));   // no id
    CHECK_FALSE(parse("d2:id0:5:state8:complete1:vi1ee"));
    CHECK_FALSE(parse("d2:id2:xx5:state4:lost1:vi1ee")); // the seeder finds that out
    CHECK_FALSE(parse("d2:id2:xx5:state5:happy1:vi1ee"));
    CHECK_FALSE(parse("d4:donei-1e2:id2:xx5:state8:complete1:vi1ee"));
    CHECK_FALSE(parse("d4:done1:x2:id2:xx5:state8:complete1:vi1ee"));
    CHECK_FALSE(parse("d2:id2:xx5:state8:complete6:statusi256e1:vi1ee"));
    CHECK_FALSE(parse("d2:id2:xx1:ll" + std::string(200, 'l') + std::string(200, 'e') + "ee"));
}

TEST_CASE("client report: a later version with more in it is taken")
{
    const auto parsed = parse("d2:id2:xx3:new3:abc5:state7:syncing1:vi2ee");
    REQUIRE(parsed);
    CHECK(parsed->report.state == ClientState::syncing);
}

TEST_CASE("client report: every truncation of a report is no report, and not read beyond")
{
    const std::string payload = encode_report(full_report());
    for (std::size_t size = 0; size < payload.size(); ++size) {
        CHECK_FALSE(parse(payload.substr(0, size)));
    }
}

TEST_CASE("client report: the answer to a last word is known")
{
    CHECK(is_heard(encode_heard()));
    CHECK_FALSE(is_heard(std::string("d5:heardi0ee")));
    CHECK_FALSE(is_heard(std::string("nonsense")));
}

} // namespace ezio
