# SPDX-License-Identifier: Apache-2.0
"""The private CA and the leaf certificates of the listeners, good ones and bad ones on demand."""
import datetime
import ipaddress
import os
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)
KINDS = ("good", "expired", "not_yet", "wrong_name", "wrong_ca")
VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def new_key(kind):
    if kind == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP256R1())


def pem_of(cert):
    return cert.public_bytes(serialization.Encoding.PEM).decode()


def pem_of_key(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption()).decode()


class Authority:
    """A certificate authority that lives as long as the process."""

    def __init__(self, name="fakecloud test CA"):
        self.key = new_key("ecdsa")
        now = datetime.datetime.utcnow()
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        self.cert = (x509.CertificateBuilder()
                     .subject_name(_name(name)).issuer_name(_name(name))
                     .public_key(self.key.public_key()).serial_number(x509.random_serial_number())
                     .not_valid_before(now - 400 * DAY).not_valid_after(now + 400 * DAY)
                     .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
                     .add_extension(usage, critical=True)
                     .add_extension(x509.SubjectKeyIdentifier.from_public_key(
                         self.key.public_key()), critical=False)
                     .sign(self.key, hashes.SHA256()))

    def leaf(self, key, kind="good", client=False):
        """A certificate for `key`: valid for 127.0.0.1 and localhost, unless `kind` spoils it."""
        now = datetime.datetime.utcnow()
        begin, end = now - DAY, now + 90 * DAY
        if kind == "expired":
            begin, end = now - 90 * DAY, now - DAY
        elif kind == "not_yet":
            begin, end = now + 30 * DAY, now + 90 * DAY
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        if kind == "wrong_name":
            names = [x509.DNSName("elsewhere.example")]
        use = ExtendedKeyUsageOID.CLIENT_AUTH if client else ExtendedKeyUsageOID.SERVER_AUTH
        builder = (x509.CertificateBuilder()
                   .subject_name(_name("elsewhere" if kind == "wrong_name" else "localhost"))
                   .issuer_name(self.cert.subject).public_key(key.public_key())
                   .serial_number(x509.random_serial_number())
                   .not_valid_before(begin).not_valid_after(end)
                   .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
                   .add_extension(x509.SubjectAlternativeName(names), critical=False)
                   .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
                   .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(
                       self.key.public_key()), critical=False))
        return builder.sign(self.key, hashes.SHA256())


class Tls:
    """Contexts of the listeners; each may be changed while it runs, for the handshakes to come."""

    def __init__(self, folder):
        self.folder = folder
        self.ca = Authority()
        self.stranger = Authority("another CA")
        self.keys = {}
        self.ca_file = os.path.join(folder, "ca.pem")
        self._write("ca.pem", pem_of(self.ca.cert))

    def _write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            out.write(text)
        return path

    def context(self, settings):
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.apply(made, settings)
        return made

    def apply(self, context, settings):
        """settings: key rsa|ecdsa, cert one of KINDS, tls 1.2|1.3 (else both), client_ca PEM."""
        kind, key_kind = settings.get("cert", "good"), settings.get("key", "rsa")
        if kind not in KINDS:
            raise ValueError("no such certificate: %r" % kind)
        if key_kind not in self.keys:
            self.keys[key_kind] = new_key(key_kind)
        key = self.keys[key_kind]
        issuer = self.stranger if kind == "wrong_ca" else self.ca
        cert = self._write("%s-%s.pem" % (key_kind, kind), pem_of(issuer.leaf(key, kind)))
        context.load_cert_chain(cert, self._write("%s-key.pem" % key_kind, pem_of_key(key)))
        version = settings.get("tls")
        context.minimum_version = VERSIONS.get(version, ssl.TLSVersion.TLSv1_2)
        context.maximum_version = VERSIONS.get(version, ssl.TLSVersion.TLSv1_3)
        if settings.get("client_ca"):
            context.load_verify_locations(cadata=settings["client_ca"])
            context.verify_mode = ssl.CERT_REQUIRED
        else:
            context.verify_mode = ssl.CERT_NONE
