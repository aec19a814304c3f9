//! Whether the double speaks as Google's own client expects, which is to say: the double's judge.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::process::Command;

use fulcio_test_services::{
    ca_service::{CaService, State},
    component, succeed,
};

#[tokio::test(flavor = "multi_thread")]
async fn the_double_speaks_as_googles_own_client_expects() {
    let Some(bin) = component("FULCIO_GOOGLE_PYTHON") else {
        return;
    };
    let pool = CaService::start().await;
    pool.page(2);
    for id in ["first", "second", "third"] {
        pool.add(id);
    }
    pool.add("staged");
    pool.set_state("staged", State::Staged);
    pool.add("off");
    pool.set_state("off", State::Disabled);
    let host = pool.address.strip_prefix("http://").unwrap();
    let mut python = Command::new(bin.join("python"));
    succeed(python.args(["-c", CLIENT, host, CaService::POOL]));
    assert_eq!(pool.issued(), 5);
}

const CLIENT: &str = r#"
import datetime, sys, uuid
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud.security import privateca_v1 as ca
from google.cloud.security.privateca_v1.services.certificate_authority_service.transports import (
    CertificateAuthorityServiceRestTransport,
)
from google.protobuf.duration_pb2 import Duration

host, pool = sys.argv[1:]
client = ca.CertificateAuthorityServiceClient(
    transport=CertificateAuthorityServiceRestTransport(
        host=host, url_scheme="http", credentials=AnonymousCredentials()))

def refused(status, call, **kwargs):
    try:
        call(**kwargs)
    except exceptions.GoogleAPICallError as error:
        said = error.response.json()["error"]
        assert said["status"] == status and said["code"] == error.code, said
        return
    raise SystemExit(f"not refused with {status}")

authorities = list(client.list_certificate_authorities(parent=pool))
assert [(a.name, a.state.name) for a in authorities] == [
    (f"{pool}/certificateAuthorities/{id}", state) for id, state in [
        ("first", "ENABLED"), ("second", "ENABLED"), ("third", "ENABLED"),
        ("staged", "STAGED"), ("off", "DISABLED")]], authorities
staged = client.get_certificate_authority(name=f"{pool}/certificateAuthorities/staged")
assert staged == authorities[3] and staged.tier == ca.CaPool.Tier.DEVOPS, staged
chain = [x509.load_pem_x509_certificate(pem.encode()) for pem in staged.pem_ca_certificates]
chain[0].verify_directly_issued_by(chain[1])
chain[1].verify_directly_issued_by(chain[1])

FULCIO = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.8")

def request(key, names, **more):
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    config = ca.CertificateConfig(
        public_key=ca.PublicKey(format_=ca.PublicKey.KeyFormat.PEM, key=pem),
        subject_config=ca.CertificateConfig.SubjectConfig(
            subject=ca.Subject(), subject_alt_name=names),
        x509_config=ca.X509Parameters(
            key_usage=ca.KeyUsage(
                base_key_usage=ca.KeyUsage.KeyUsageOptions(digital_signature=True),
                extended_key_usage=ca.KeyUsage.ExtendedKeyUsageOptions(code_signing=True)),
            additional_extensions=[ca.X509Extension(
                object_id=ca.ObjectId(object_id_path=[int(a) for a in FULCIO.dotted_string.split(".")]),
                value=b"\x0c\x01x")]))
    return ca.CreateCertificateRequest(
        parent=pool, certificate=ca.Certificate(lifetime=Duration(seconds=600), config=config), **more)

email = ca.SubjectAltNames(email_addresses=["ada@example.com"])
key = ec.generate_private_key(ec.SECP256R1()).public_key()
for names, kind in [
    (email, x509.RFC822Name),
    (ca.SubjectAltNames(uris=["https://example.com/a"]), x509.UniformResourceIdentifier),
    (ca.SubjectAltNames(custom_sans=[ca.X509Extension(
        object_id=ca.ObjectId(object_id_path=[1, 3, 6, 1, 4, 1, 57264, 1, 7]),
        value=b"\x0c\x03a!b")]), x509.OtherName),
]:
    asked = request(key, names, certificate_id="some-id",
                    issuing_certificate_authority_id="staged", request_id=str(uuid.uuid4()))
    answer = client.create_certificate(request=asked)
    # What was asked for once is not issued again.
    assert client.create_certificate(request=asked) == answer
    assert answer.issuer_certificate_authority == staged.name, answer
    assert list(answer.pem_certificate_chain) == list(staged.pem_ca_certificates), answer
    assert answer.lifetime == datetime.timedelta(minutes=10), answer
    assert answer.config == asked.certificate.config, answer
    leaf = x509.load_pem_x509_certificate(answer.pem_certificate.encode())
    leaf.verify_directly_issued_by(chain[0])
    assert leaf.public_key() == key and not list(leaf.subject)
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc == datetime.timedelta(minutes=10)
    of = leaf.extensions.get_extension_for_class
    names = of(x509.SubjectAlternativeName)
    assert names.critical and [type(name) for name in names.value] == [kind], names
    assert of(x509.KeyUsage).value.digital_signature
    assert list(of(x509.ExtendedKeyUsage).value) == [ExtendedKeyUsageOID.CODE_SIGNING]
    fulcio = leaf.extensions.get_extension_for_oid(FULCIO)
    assert not fulcio.critical and fulcio.value.value == b"\x0c\x01x", fulcio

rsa_key = rsa.generate_private_key(65537, 2048).public_key()
for _ in range(2):
    answer = client.create_certificate(request=request(rsa_key, email))
    assert x509.load_pem_x509_certificate(answer.pem_certificate.encode()).public_key() == rsa_key

create = client.create_certificate
edwards = ed25519.Ed25519PrivateKey.generate().public_key()
refused("INVALID_ARGUMENT", create, request=request(edwards, email))
refused("INVALID_ARGUMENT", create, request=request(key, ca.SubjectAltNames()))
refused("INVALID_ARGUMENT", create, request=request(key, email, request_id="1"))
refused("INVALID_ARGUMENT", create, request=request(key, email, certificate_id="a/b"))
refused("FAILED_PRECONDITION", create,
        request=request(key, email, issuing_certificate_authority_id="off"))
refused("NOT_FOUND", create,
        request=request(key, email, issuing_certificate_authority_id="nobody"))
refused("NOT_FOUND", client.get_certificate_authority,
        name=f"{pool}/certificateAuthorities/nobody")
refused("NOT_FOUND", client.list_certificate_authorities, parent=pool + "-2")
"#;
