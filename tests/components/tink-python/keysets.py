"""Keysets as Tink's own library writes them, encrypted with a key of a key service.

    keysets.py FOLDER KEY_URI

KEY_URI is aws-kms://ARN, where AWS_ENDPOINT_URL is, or hcvault:///MOUNT/keys/KEY, where VAULT_ADDR
is. Each keyset becomes NAME.json and NAME.binary, with the public half of its primary key in
hexadecimal in NAME.public where it is of a type that signs here. CLEARTEXT is not encrypted, and
ASSOCIATED_DATA is encrypted with some where the service knows of it.
"""

import os
import pathlib
import sys

import tink
from tink import aead, mac, secret_key_access, signature
from tink.proto import ecdsa_pb2, ed25519_pb2, tink_pb2

TEMPLATES = signature.signature_key_templates
SIGNING = [
    "ECDSA_P256",
    "ECDSA_P256_RAW",
    "ECDSA_P256_IEEE_P1363",
    "ECDSA_P384_SHA384",
    "ECDSA_P384_SHA512",
    "ECDSA_P521",
    "ED25519",
]
NOT_USED = {
    "HMAC": mac.mac_key_templates.HMAC_SHA256_128BITTAG,
    "ML_DSA": TEMPLATES.ML_DSA_65,
    "RSA": TEMPLATES.RSA_SSA_PKCS1_3072_SHA256_F4,
}


def key_of(uri):
    scheme, key = uri.split("://", 1)
    if scheme == "aws-kms":
        import boto3
        from tink.integration import awskms

        client = boto3.client("kms", region_name=key.split(":")[3])
        return awskms.new_client(boto3_client=client, key_uri=uri).get_aead(uri)
    if scheme == "hcvault":
        import hvac
        from tink.integration import hcvault

        client = hvac.Client(os.environ["VAULT_ADDR"], os.environ["VAULT_TOKEN"])
        return hcvault.new_aead(key, client)
    raise SystemExit(f"no key service is reached by {uri}")


def cleartext(handle):
    return tink.proto_keyset_format.serialize(handle, secret_key_access.TOKEN)


def handle_of(keyset):
    return tink.proto_keyset_format.parse(
        keyset.SerializeToString(), secret_key_access.TOKEN
    )


def public_half(handle):
    keyset = tink_pb2.Keyset.FromString(cleartext(handle))
    [key] = [key for key in keyset.key if key.key_id == keyset.primary_key_id]
    if key.key_data.type_url.endswith("Ed25519PrivateKey"):
        private = ed25519_pb2.Ed25519PrivateKey.FromString(key.key_data.value)
        return private.public_key.key_value
    public = ecdsa_pb2.EcdsaPrivateKey.FromString(key.key_data.value).public_key
    field = {2: 32, 3: 48, 4: 66}[public.params.curve]
    number = lambda text: int.from_bytes(text, "big").to_bytes(field, "big")
    return b"\x04" + number(public.x) + number(public.y)


def rotated():
    """A disabled key, one that was in use, and one that is."""
    keyset = tink_pb2.Keyset()
    for name in ["ECDSA_P521", "ED25519", "ECDSA_P384_SHA384"]:
        one = tink.new_keyset_handle(getattr(TEMPLATES, name))
        [key] = tink_pb2.Keyset.FromString(cleartext(one)).key
        keyset.key.append(key)
        keyset.primary_key_id = key.key_id
    keyset.key[0].status = tink_pb2.KeyStatusType.DISABLED
    return handle_of(keyset)


def main():
    folder, uri = pathlib.Path(sys.argv[1]), sys.argv[2]
    for module in (aead, mac, signature):
        module.register()
    kek = key_of(uri)

    def write(name, handle, associated_data=b""):
        json = tink.json_proto_keyset_format.serialize_encrypted
        binary = tink.proto_keyset_format.serialize_encrypted
        (folder / f"{name}.json").write_text(json(handle, kek, associated_data))
        (folder / f"{name}.binary").write_bytes(binary(handle, kek, associated_data))

    def write_signing(name, handle):
        write(name, handle)
        (folder / f"{name}.public").write_text(public_half(handle).hex())

    for name in SIGNING:
        write_signing(name, tink.new_keyset_handle(getattr(TEMPLATES, name)))
    write_signing("ROTATED", rotated())
    for name, template in NOT_USED.items():
        write(name, tink.new_keyset_handle(template))

    handle = tink.new_keyset_handle(TEMPLATES.ECDSA_P256)
    if uri.startswith("aws-kms:"):
        write("ASSOCIATED_DATA", handle, b"data")
    json = tink.json_proto_keyset_format.serialize(handle, secret_key_access.TOKEN)
    (folder / "CLEARTEXT.json").write_text(json)
    (folder / "CLEARTEXT.binary").write_bytes(cleartext(handle))


main()
