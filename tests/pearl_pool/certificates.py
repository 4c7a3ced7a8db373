"""Certificates made with the openssl command: a folder with an authority, and what it signs."""
import os
import subprocess

GOOD_NAME = "IP:127.0.0.1"


class Certificates:
    """ca: the file to trust. Each maker returns (certificate file, key file)."""

    def __init__(self, folder):
        self.folder = folder
        self.ca, self.ca_key = self.self_signed("authority")

    def _path(self, name):
        return os.path.join(self.folder, name)

    def _openssl(self, *words):
        subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=self.folder)

    def self_signed(self, name, alt=GOOD_NAME):
        cert, key = self._path(name + ".pem"), self._path(name + ".key")
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
                      "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName={alt}", "-keyout", key, "-out", cert)
        return cert, key

    def signed(self, name, alt=GOOD_NAME, is_expired=False):
        cert, key, request = (self._path(name + end) for end in (".pem", ".key", ".csr"))
        extensions = self._path(name + ".ext")
        with open(extensions, "w", encoding="ascii") as file:
            file.write(f"subjectAltName={alt}\n")
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
                      f"/CN={name}", "-keyout", key, "-out", request)
        if is_expired:
            self._sign_expired(request, extensions, cert)
        else:
            self._openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.ca_key, "-CAcreateserial",
                          "-days", "2", "-extfile", extensions, "-out", cert)
        return cert, key

    def _sign_expired(self, request, extensions, cert):
        """Only `openssl ca` can sign for a time that is over."""
        for name, text in (("index.txt", ""), ("serial.txt", "01\n")):
            with open(self._path(name), "w", encoding="ascii") as file:
                file.write(text)
        config = self._path("ca.conf")
        with open(config, "w", encoding="ascii") as file:
            file.write("[ca]\ndefault_ca=here\n[here]\ndatabase=index.txt\nserial=serial.txt\nnew_certs_dir=.\n"
                       "default_md=sha256\npolicy=any\n[any]\ncommonName=supplied\n")
        self._openssl("ca", "-batch", "-config", config, "-cert", self.ca, "-keyfile", self.ca_key, "-in", request,
                      "-extfile", extensions, "-startdate", "20200101000000Z", "-enddate", "20200201000000Z",
                      "-notext", "-out", cert)

    def pin(self, cert):
        """The key of a certificate as openssl reckons it: sha256//BASE64."""
        script = f"openssl x509 -in {cert} -pubkey -noout | openssl pkey -pubin -outform der | " \
                 "openssl dgst -sha256 -binary | openssl base64"
        done = subprocess.run(["sh", "-c", script], check=True, capture_output=True, text=True, cwd=self.folder)
        return "sha256//" + done.stdout.strip()
