// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/net/ca_certificate.hpp"

#include "expect_error.hpp"
#include "temp_dir.hpp"

namespace ezio {

using test::contains;
using test::refusal_of;
using test::TempDir;

namespace {

// Made with openssl(1) for this test; their keys are gone. They end in the year 2126.
const std::string of_ca = "-----BEGIN CERTIFICATE-----\n"
                          "MIIBejCCAR+gAwIBAgIUJWYF0XkKfpK1Oatz0naWIXVcDZAwCgYIKoZIzj0EAwIw\n"
                          "ETEPMA0GA1UEAwwGTGFiIENBMCAXDTI2MTEyNTAxNDUwOVoYDzIxMjYxMTAxMDE0\n"
                          "NTA5WjARMQ8wDQYDVQQDDAZMYWIgQ0EwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC\n"
                          "AAToyedlFVQt6VHepNuSrwoC18iAGCoaAvYNgi1yCIurt0uCflCHZDZzK8HbOTiL\n"
                          "N2IX5tDRXlNNc0st7wA2mybNo1MwUTAdBgNVHQ4EFgQUkfiAFegRHRMtpm+h2Wzc\n"
                          "F2fjjJswHwYDVR0jBBgwFoAUkfiAFegRHRMtpm+h2WzcF2fjjJswDwYDVR0TAQH/\n"
                          "BAUwAwEB/zAKBggqhkjOPQQDAgNJADBGAiEAt8HpWO4uixdp0Pemelx/v+ahMsIO\n"
                          "doYBDoymqf2X6kECIQCPaVUZ4D8Y3x498oeMrWyNDWcFKDhqmu5Y8bpCTx7csA==\n"
                          "-----END CERTIFICATE-----\n";
const std::string of_peer = // signed by the other one
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBbjCCARSgAwIBAgIUUJGLzMQeQABP1GOzQECMCHi4Le0wCgYIKoZIzj0EAwIw\n"
    "ETEPMA0GA1UEAwwGTGFiIENBMCAXDTI2MTEyNTAxNDUwOVoYDzIxMjYxMTAxMDE0\n"
    "NTA5WjAMMQowCAYDVQQDDAEqMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaMWm\n"
    "QjKCPGbxVCn0yBN9c0LbElHCE/S8LGRXNMwLlaFPSQA0xZIyB5JeDanSiGZ6TIRY\n"
    "kDOQ1sB+l1BFJ5RNgaNNMEswCQYDVR0TBAIwADAdBgNVHQ4EFgQUZ+QFJr56oeF8\n"
    "1vAoGpQLPmsBjrEwHwYDVR0jBBgwFoAUkfiAFegRHRMtpm+h2WzcF2fjjJswCgYI\n"
    "KoZIzj0EAwIDSAAwRQIgXy3+anLJl85QQyizjfbERUSM8DjMZy1hLvnmYHSR4WUC\n"
    "IQD3EyYGgQdblmmt6KZhOYdG4HoT4HeJfNcSvMTbmV5mnw==\n"
    "-----END CERTIFICATE-----\n";

std::string read_of(const std::string& contents)
{
    const TempDir dir;
    test::write_file(dir / "ca.pem", contents);
    return read_ca_certificate(dir / "ca.pem");
}

void check_refused(const std::string& contents, const std::string& why)
{
    const TempDir dir;
    test::write_file(dir / "ca.pem", contents);
    const auto refusal = refusal_of([&] { (void)read_ca_certificate(dir / "ca.pem"); });
    CHECK(refusal.status == ExitStatus::usage);
    CHECK(refusal.message == "--ssl-ca " + (dir / "ca.pem") + ": " + why);
}

const std::string none_there = "there is no certificate in it (PEM: -----BEGIN CERTIFICATE-----)";

} // namespace

TEST_CASE("CA certificate: a CA's certificate in PEM is taken as it is")
{
    CHECK(read_of(of_ca) == of_ca);
}

TEST_CASE("CA certificate: nothing else that is in the file gets out with it, least of all a key")
{
    const std::string key = "-----BEGIN PRIVATE KEY-----\nTm90IGEga2V5Lg==\n-----END PRIVATE KEY-----\n";
    CHECK(read_of("Lab CA, 2026\n" + key + of_ca + key + "Notes\n") == of_ca);
}

TEST_CASE("CA certificate: a file without a certificate is refused")
{
    check_refused("", none_there);
    check_refused("-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----\n", none_there);
    check_refused(of_ca.substr(0, of_ca.size() / 2), none_there);
}

TEST_CASE("CA certificate: which of several is meant is not guessed")
{
    check_refused(of_ca + of_peer, "it contains more than one certificate; give only that of the CA");
}

TEST_CASE("CA certificate: one that may not sign others is refused")
{
    check_refused(of_peer, "it is not the certificate of a CA: it may not sign peers' certificates");
}

TEST_CASE("CA certificate: a file that cannot be read is refused as a wrong option")
{
    const auto refusal = refusal_of([] { (void)read_ca_certificate("/nowhere/ca.pem"); });
    CHECK(refusal.status == ExitStatus::usage);
    CHECK_THAT(refusal.message, contains("--ssl-ca /nowhere/ca.pem cannot be read: No such file"));
}

} // namespace ezio
