// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/net/tls_credentials.hpp"

#include "expect_error.hpp"
#include "temp_dir.hpp"

namespace ezio {

using test::contains;
using test::refusal_of;
using test::TempDir;

namespace {

// Made with openssl(1) for this test. They end in the year 2126; the keys open nothing.
const std::string ca = "-----BEGIN CERTIFICATE-----\n"
                       "MIIBeDCCAR+gAwIBAgIUOhoqz1q8lBZGFnC+lIp3n6ImjJUwCgYIKoZIzj0EAwIw\n"
                       "ETEPMA0GA1UEAwwGTGFiIENBMCAXDTI2MTEyNTAyMzIxNVoYDzIxMjYxMTAxMDIz\n"
                       "MjE1WjARMQ8wDQYDVQQDDAZMYWIgQ0EwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC\n"
                       "AATdKSJwt0yZzNy2ax4bbPoPPbbeAaI8F2Rh0JoqIPv5w3R6FznkaVUVCcYvpqTC\n"
                       "dW6i3iPPsNYiCQGfvcSGYS0bo1MwUTAdBgNVHQ4EFgQUigY7JijF1AD57NipcZlI\n"
                       "tbKh56AwHwYDVR0jBBgwFoAUigY7JijF1AD57NipcZlItbKh56AwDwYDVR0TAQH/\n"
                       "BAUwAwEB/zAKBggqhkjOPQQDAgNHADBEAiAfohOHjmz8tP7aPwhV1NOO2I5bhObj\n"
                       "QB7/9QbouTYmlgIgC78dPTjnBNJCes6mcnvIOwp0zlpGcUM4dnyp87coCMU=\n"
                       "-----END CERTIFICATE-----\n";
const std::string other_ca = // of the same name
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBeDCCAR+gAwIBAgIUfP1S/xuZx5nQOETTosO8739viBkwCgYIKoZIzj0EAwIw\n"
    "ETEPMA0GA1UEAwwGTGFiIENBMCAXDTI2MTEyNTAyMzIxNloYDzIxMjYxMTAxMDIz\n"
    "MjE2WjARMQ8wDQYDVQQDDAZMYWIgQ0EwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC\n"
    "AATVPsSGhXZSG+ydjABB7KiP/zl+iH5XHgkRSIQWgOnOs0Wrsr+Ar0pOJuthXp/E\n"
    "JRxu/8JZdTdSPTn8hxEvnUHwo1MwUTAdBgNVHQ4EFgQU88wyHyVcFKriSjlpoaOw\n"
    "h7yLDFEwHwYDVR0jBBgwFoAU88wyHyVcFKriSjlpoaOwh7yLDFEwDwYDVR0TAQH/\n"
    "BAUwAwEB/zAKBggqhkjOPQQDAgNHADBEAiBOCwNOxgOk478TaRsdtovX0rQgU9WQ\n"
    "L7MmUG7qqfOqbwIgS1zhqR1QODv0Hp0qemwXgUx484dMrJfFK3VbInHoZPw=\n"
    "-----END CERTIFICATE-----\n";
const std::string for_all = // made out to *
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBGDCBwAIUIJCoECH5UkDxSpB8vY5JXxjzCEYwCgYIKoZIzj0EAwIwETEPMA0G\n"
    "A1UEAwwGTGFiIENBMCAXDTI2MTEyNTAyMzIxNVoYDzIxMjYxMTAxMDIzMjE1WjAM\n"
    "MQowCAYDVQQDDAEqMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEDOuDs7n7pcYc\n"
    "BEL7BbEy2eC+gxJjPRYXXnCLb6rGOy2lA4UqVSz59TELtW6GanHfzymrtLv2oP7Z\n"
    "gwMoi0BebzAKBggqhkjOPQQDAgNHADBEAiAhESEXyL7mFMS4RpiN8SzRV2Sa2Bts\n"
    "aFRqPjUFXqGXNQIgHsmmavS06SRxR1bfS9y4Puvyt/2eFq2RmKzJ3AH8tyc=\n"
    "-----END CERTIFICATE-----\n";
const std::string key_of_for_all = "-----BEGIN PRIVATE KEY-----\n"
                                   "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgup6++3e8vTwz8TuG\n"
                                   "XetMXGEyYP3x7QYMdIEbsXCmi5uhRANCAAQM64OzufulxhwEQvsFsTLZ4L6DEmM9\n"
                                   "FhdecItvqsY7LaUDhSpVLPn1MQu1boZqcd/PKau0u/ag/tmDAyiLQF5v\n"
                                   "-----END PRIVATE KEY-----\n";
const std::string for_sda = // made out to sda
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBGjCBwgIUEqXRLekkBu6NrOjyqUn7LdHZwe8wCgYIKoZIzj0EAwIwETEPMA0G\n"
    "A1UEAwwGTGFiIENBMCAXDTI2MTEyNTAyMzIxNVoYDzIxMjYxMTAxMDIzMjE1WjAO\n"
    "MQwwCgYDVQQDDANzZGEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQ5lgG1Fo4/\n"
    "KKcZ2YczvW2w/D2fmf63FpuDTMCusrd2rPpN72iEEUu47nYj/pkfwUD/THRuZHMr\n"
    "YiVABwlZ2s9TMAoGCCqGSM49BAMCA0cAMEQCICDqrHdQkRKDxK/vlQMXKqMym8Hx\n"
    "1l3hbNKjLHKXfZksAiAdv/Cu8WuQSsxl6GM4fbUHkORiLp8wJqivIItrg4d3JQ==\n"
    "-----END CERTIFICATE-----\n";
const std::string key_of_for_sda = "-----BEGIN PRIVATE KEY-----\n"
                                   "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgpT4Zg7ACb7PQAMEZ\n"
                                   "emx/xiVFobbt2InLAdql7qs0xPahRANCAAQ5lgG1Fo4/KKcZ2YczvW2w/D2fmf63\n"
                                   "FpuDTMCusrd2rPpN72iEEUu47nYj/pkfwUD/THRuZHMrYiVABwlZ2s9T\n"
                                   "-----END PRIVATE KEY-----\n";
const std::string expired = // of the key of for_all
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBFzCBvgIUVHcEqZghyPdyLIfJoHvtjLOdqMgwCgYIKoZIzj0EAwIwETEPMA0G\n"
    "A1UEAwwGTGFiIENBMB4XDTI2MTEyNTAyMzIxNloXDTI2MTEyNDAyMzIxNlowDDEK\n"
    "MAgGA1UEAwwBKjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABAzrg7O5+6XGHARC\n"
    "+wWxMtngvoMSYz0WF15wi2+qxjstpQOFKlUs+fUxC7Vuhmpx388pq7S79qD+2YMD\n"
    "KItAXm8wCgYIKoZIzj0EAwIDSAAwRQIhAOSaxnkRl7m8AIuVM9QOLAP/MFihNQu/\n"
    "+9kCL3HAFh1+AiBuppIpSqzVrF2f8GkazUkzQ4a85PFDKarQwzfVDcGDig==\n"
    "-----END CERTIFICATE-----\n";

class Files {
  public:
    Files(const std::string& certificate, const std::string& key)
    {
        test::write_file(m_dir / "host.pem", certificate);
        test::write_file(m_dir / "host.key", key);
    }

    [[nodiscard]] TlsFiles names() const { return {m_dir / "host.pem", m_dir / "host.key", ""}; }
    [[nodiscard]] std::string path(const std::string& name) const { return m_dir / name; }

  private:
    TempDir m_dir;
};

void check_refused(const Files& files, const std::string& option, const std::string& why,
                   const std::string& of = ca)
{
    CAPTURE(option, why);
    const auto refusal = refusal_of([&] { (void)load_credentials(files.names(), of, "sda1"); });
    CHECK(refusal.status == ExitStatus::network);
    const std::string file = option == "--ssl-key" ? files.path("host.key") : files.path("host.pem");
    CHECK_THAT(refusal.message, contains(option + " " + file + ": " + why));
}

} // namespace

TEST_CASE("TLS: a certificate of the CA, made out to all or to how the image's name begins, is taken")
{
    const TlsCredentials all = load_credentials(Files(for_all, key_of_for_all).names(), ca, "sda1");
    CHECK(all.certificate == for_all);
    CHECK(all.key == key_of_for_all);
    CHECK_NOTHROW(load_credentials(Files(for_sda, key_of_for_sda).names(), ca, "sda1"));
}

TEST_CASE("TLS: Diffie-Hellman parameters are built in, and always the same")
{
    const Files files(for_all, key_of_for_all);
    const std::string dh = load_credentials(files.names(), ca, "sda1").dh;
    CHECK_THAT(dh, contains("-----BEGIN DH PARAMETERS-----\n"));
    CHECK(load_credentials(files.names(), ca, "sda1").dh == dh);
    TlsFiles with_group = files.names();
    with_group.dh = files.path("dh.pem");
    test::write_file(with_group.dh, dh);
    CHECK(load_credentials(with_group, ca, "sda1").dh == dh);
    with_group.dh = files.path("host.pem");
    CHECK_THAT(refusal_of([&] { (void)load_credentials(with_group, ca, "sda1"); }).message,
               contains("--ssl-dh " + with_group.dh + ": there are no Diffie-Hellman parameters in it"));
}

TEST_CASE("TLS: what peers would refuse is refused with the reason")
{
    check_refused({expired, key_of_for_all}, "--ssl-cert", "it has expired on 20");
    const Files old(expired, key_of_for_all);
    CHECK_THAT(refusal_of([&] { (void)load_credentials(old.names(), ca, "sda1"); }).message,
               contains("UTC; is the clock right?"));
    check_refused({for_all, key_of_for_all}, "--ssl-cert",
                  "it is not signed by the CA that the torrent names", other_ca);
    check_refused({other_ca, key_of_for_all}, "--ssl-key", "it is not the key of ");
    check_refused({for_all, key_of_for_sda}, "--ssl-key", "it is not the key of ");
    const Files files(for_sda, key_of_for_sda);
    CHECK_THAT(refusal_of([&] { (void)load_credentials(files.names(), ca, "nvme0n1p1"); }).message,
               contains("it is issued to 'sda'; peers accept '*' or 'nvme0n1p1'"));
}

TEST_CASE("TLS: files that are something else are refused")
{
    check_refused({"", key_of_for_all}, "--ssl-cert", "there is no certificate in it");
    check_refused({key_of_for_all, key_of_for_all}, "--ssl-cert", "there is no certificate in it");
    check_refused({for_all, for_all}, "--ssl-key", "there is no private key in it");
    check_refused(
        {for_all, "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"},
        "--ssl-key", "it has a passphrase");
}

TEST_CASE("TLS: options that are missing, and files that are not there, are named")
{
    const auto message = [](const TlsFiles& files) {
        return refusal_of([&] { (void)load_credentials(files, ca, "sda1"); }).message;
    };
    CHECK_THAT(message({}), contains("the image is private: --ssl-cert is missing"));
    CHECK_THAT(message({Files(for_all, "").names().certificate, "", ""}),
               contains("the image is private: --ssl-key is missing"));
    CHECK_THAT(message({"/nowhere/host.pem", "/nowhere/host.key", ""}),
               contains("--ssl-cert /nowhere/host.pem"));
}

} // namespace ezio
