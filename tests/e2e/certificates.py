"""Certificates for private images, made with openssl(1)."""

import subprocess
import time

from harness import run

DAY = 86400  # seconds
EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


def validity(days):
    """The options for a certificate that is valid from now on for so many days; -1: that was until yesterday."""
    if days > 0 or "-not_after" not in subprocess.run(["openssl", "x509", "-help"], capture_output=True, text=True).stderr:
        return ["-days", str(days)]
    now = time.time()  # OpenSSL 3.5 takes no negative days
    return [word for option, when in (("-not_before", now - 2 * DAY), ("-not_after", now - DAY))
            for word in (option, time.strftime("%Y%m%d%H%M%SZ", time.gmtime(when)))]


class Authority:
    """A certificate authority with openssl(1). Certificates and keys are files in `directory`."""

    def __init__(self, directory, name):
        self.directory, self.name = directory, name
        self.certificate, self._key = directory / f"{name}.pem", directory / f"{name}.key"
        run("openssl", "req", "-x509", *EC, "-subj", f"/CN={name}", "-days", "2", "-keyout", self._key, "-out", self.certificate)

    def issue(self, host, common_name="*", days=2, usage=None):
        """The options that show a new certificate of this CA."""
        request, key, certificate = (self.directory / f"{self.name}-{host}.{kind}" for kind in ("csr", "key", "pem"))
        extensions = self.directory / "extensions"
        extensions.write_text(f"extendedKeyUsage={usage}\n" if usage else "basicConstraints=CA:FALSE\n")
        run("openssl", "req", *EC, "-subj", f"/CN={common_name}", "-keyout", key, "-out", request)
        run("openssl", "x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._key, *validity(days),
            "-extfile", extensions, "-out", certificate)
        return ["--ssl-cert", certificate, "--ssl-key", key]
