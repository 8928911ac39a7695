// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/lvm_report.hpp"

#include "catch.hpp"
#include "expect_error.hpp"

#include "ezio/util/units.hpp"

#include <map>

namespace ezio {

using test::contains;
using test::refusal_of;

namespace {

using Fields = std::map<std::string, std::string>;

// As lvm 2.03.16 prints it, for extents of 4 MiB.
std::string row(const Fields& changed)
{
    Fields fields{{"pv_name", "/dev/sda3"},
                  {"pv_uuid", "CX2GdH-MqA8-DT3o-6EvW-0PcU-0lOU-IIs47M"},
                  {"pv_missing", ""},
                  {"pv_in_use", "used"},
                  {"pv_mda_used_count", "1"},
                  {"pe_start", "1048576"},
                  {"pv_pe_count", "24"},
                  {"vg_name", "vg0"},
                  {"vg_uuid", "6Q0z2R-7O73-PpcR-EhAh-kRTl-YWEq-mxVpEL"},
                  {"vg_extent_size", "4194304"},
                  {"pvseg_start", "0"},
                  {"pvseg_size", "5"},
                  {"lv_uuid", "SjsAeY-1FcS-ziE9-tsmy-StrJ-tPBO-2He7RI"},
                  {"lv_full_name", "vg0/root"},
                  {"lv_attr", "-wi-XX----"},
                  {"lv_role", "public"},
                  {"lv_size", "20971520"},
                  {"segtype", "linear"},
                  {"seg_start_pe", "0"}};
    for (const auto& [field, value] : changed) {
        fields[field] = value;
    }
    std::string text;
    for (const auto& [field, value] : fields) {
        text += fmt::format("{}\"{}\":\"{}\"", text.empty() ? "" : ", ", field, value);
    }
    return "{" + text + "}";
}

Fields free_extents(const std::string& start, const std::string& size)
{
    return {{"pvseg_start", start}, {"pvseg_size", size}, {"lv_uuid", ""},    {"lv_full_name", "vg0/"},
            {"lv_attr", ""},        {"lv_size", "0"},     {"segtype", "free"}};
}

LvmReport report_of(const std::vector<Fields>& rows)
{
    std::vector<std::string> texts(rows.size());
    std::transform(rows.begin(), rows.end(), texts.begin(), row);
    return parse_lvm_report(fmt::format(R"({{"report": [{{"pvseg": [{}]}}]}})", fmt::join(texts, ",\n")));
}

std::string kind_of(const Fields& fields)
{
    return report_of({fields}).logical.at(0).kind;
}

} // namespace

TEST_CASE("lvm report: a volume group on one physical volume")
{
    const LvmReport report = report_of({{}, free_extents("5", "19")});
    PhysicalVolume physical;
    physical.device = "/dev/sda3";
    physical.uuid = "CX2GdH-MqA8-DT3o-6EvW-0PcU-0lOU-IIs47M";
    physical.group = "vg0";
    physical.data_begin = 1_MiB;
    physical.data_end = 97_MiB;
    physical.free_bytes = 76_MiB;
    CHECK(report.physical == std::vector{physical});
    const LogicalVolume root{"vg0/root",
                             "LVM-6Q0z2R7O73PpcREhAhkRTlYWEqmxVpELSjsAeY1FcSziE9tsmyStrJtPBO2He7RI",
                             20_MiB,
                             "",
                             {{physical.uuid, 0, {1_MiB, 20_MiB}}}};
    CHECK(report.logical == std::vector{root});
}

TEST_CASE("lvm report: parts of a volume are in its order, and touching ones merged")
{
    const LvmReport report = report_of({{{"pvseg_start", "0"}, {"pvseg_size", "2"}, {"seg_start_pe", "3"}},
                                        {{"pvseg_start", "10"}, {"pvseg_size", "1"}, {"seg_start_pe", "0"}},
                                        {{"pvseg_start", "11"}, {"pvseg_size", "2"}, {"seg_start_pe", "1"}}});
    const std::string uuid = report.physical.at(0).uuid;
    const std::vector<VolumePart> parts{{uuid, 0, {41_MiB, 12_MiB}}, {uuid, 12_MiB, {1_MiB, 8_MiB}}};
    CHECK(report.logical.at(0).parts == parts);
    CHECK(report.logical.at(0).length_of_parts() == 20_MiB);
}

TEST_CASE("lvm report: a physical volume that is missing")
{
    const LvmReport report = report_of({{},
                                        {{"pv_name", "[unknown]"},
                                         {"pv_uuid", "2Q5G05"},
                                         {"pv_missing", "missing"},
                                         {"lv_uuid", "onpLJa"},
                                         {"lv_full_name", "vg0/other"},
                                         {"lv_attr", "-wi-XX--p-"}}});
    CHECK_FALSE(report.physical.at(0).missing);
    CHECK(report.physical.at(1).missing);
    CHECK(report.logical.at(1).kind.empty()); // linear, wherever that is
}

TEST_CASE("lvm report: a physical volume in no group")
{
    Fields fields = free_extents("0", "0");
    fields.insert({{"vg_name", ""}, {"vg_uuid", ""}, {"vg_extent_size", "0"}, {"pv_pe_count", "0"}});
    const auto physical = [&](const Fields& more) {
        Fields all = fields;
        all.insert(more.begin(), more.end());
        return report_of({all}).physical.at(0);
    };
    SECTION("is empty")
    {
        CHECK_FALSE(physical({{"pv_in_use", ""}}).metadata_missing);
        CHECK(physical({{"pv_in_use", ""}}).data_end == 1_MiB);
    }
    SECTION("is not when it is marked as used: the metadata is elsewhere, or lost")
    {
        CHECK(physical({{"pv_in_use", "used"}}).metadata_missing);
    }
    SECTION("may not be when it has no metadata area of its own")
    {
        CHECK(physical({{"pv_in_use", ""}, {"pv_mda_used_count", "0"}}).metadata_missing);
    }
}

TEST_CASE("lvm report: what is no linear volume")
{
    CHECK(kind_of({}).empty());
    CHECK(kind_of({{"segtype", "striped"}}) == "striped");
    CHECK(kind_of({{"lv_role", "private,thin,pool,data"}, {"lv_attr", "Twi-XX----"}}) == "thin, pool, data");
    CHECK(kind_of({{"lv_role", "private,raid,image"}, {"lv_attr", "Iwi-XXr---"}}) == "raid, image");
    CHECK(kind_of({{"lv_role", "public,origin,thickorigin"}, {"lv_attr", "owi-XXs---"}}) ==
          "origin, thickorigin");
    CHECK(kind_of({{"lv_role", "public,snapshot,thicksnapshot"}, {"lv_attr", "swi-XXs---"}}) ==
          "snapshot, thicksnapshot");
    CHECK(kind_of({{"lv_role", "public"}, {"lv_attr", "Cwi-XXC---"}}) == "linear"); // by its attributes
    const LvmReport mixed = report_of(
        {{{"pvseg_size", "2"}}, {{"pvseg_start", "2"}, {"seg_start_pe", "2"}, {"segtype", "striped"}}});
    CHECK(mixed.logical.at(0).kind == "striped");
}

TEST_CASE("lvm report: what makes no sense is refused")
{
    const auto refused = [](const std::vector<Fields>& rows) {
        const auto refusal = refusal_of([&] { (void)report_of(rows); });
        CHECK(refusal.status == ExitStatus::target);
        return refusal.message;
    };
    CHECK_THAT(refused({{{"pvseg_size", "25"}}}), contains("/dev/sda3 are beyond its end"));
    CHECK_THAT(refused({{{"pvseg_size", "x"}}}), contains("pvseg_size is 'x'"));
    CHECK_THAT(refused({{{"pv_pe_count", "18446744073709551615"}}}), contains("pv_pe_count"));
    CHECK_THAT(refused({{{"pv_pe_count", "4611686018427387904"}}}), contains("pv_pe_count"));
    CHECK_THAT(refused({{{"pe_start", "9223372036854775807"}}}), contains("pe_start"));
    CHECK_THAT(refused({{{"lv_size", "8388608"}}}), contains("vg0/root are beyond its end"));
    CHECK_THAT(refused({{}, {{"pvseg_start", "7"}, {"seg_start_pe", "4"}, {"lv_size", "41943040"}}}),
               contains("vg0/root overlap"));
    for (const char* text :
         {"", "[]", "{}", R"({"report": [{"pv": []}]})", R"({"report": [{"pvseg": [{}]}]})",
          R"({"report": [{"pvseg": [{"pv_uuid": 1}]}]})"}) {
        CHECK_THAT(refusal_of([&] { (void)parse_lvm_report(text); }).message, contains("is inconsistent"));
    }
}

TEST_CASE("lvm report: nothing that LVM2 knows is no physical volume")
{
    CHECK(report_of({}).physical.empty());
}

TEST_CASE("lvm report: where a missing physical volume was last")
{
    const std::string errors = "  WARNING: Metadata changes will NOT be backed up\n"
                               "  WARNING: VG vg0 is missing PV Aaa-b (last written to /dev/sdb1).\n"
                               "  WARNING: VG vg0 is missing PV Bbb-c.\n";
    CHECK(last_place_of("Aaa-b", errors) == "/dev/sdb1");
    CHECK(last_place_of("Bbb-c", errors).empty());
    CHECK(last_place_of("Ccc-d", errors).empty());
    CHECK(last_place_of("Aaa-b", "Aaa-b.\n(last written to /dev/sdc)").empty());
    CHECK(last_place_of("Aaa-b", "Aaa-b (last written to /dev").empty());
}

} // namespace ezio
