"""AWS KMS as moto plays it, on a free port of this machine, until standard input ends.

Prints one line of JSON with the address. moto takes the message of a Sign request for a message
whatever its MessageType says; here a digest is taken for a digest, as AWS does.

    server.py [--tls CERTIFICATE KEY]
"""

import argparse
import json
import os
import sys
import threading

import moto.kms.utils as keys
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from moto.kms.responses import KmsResponse
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

request = threading.local()


def remember_message_type():
    sign = KmsResponse.sign

    def remembering(self):
        request.digest = self._get_param("MessageType") == "DIGEST"
        return sign(self)

    KmsResponse.sign = remembering


def prehashed(algorithm):
    return Prehashed(algorithm) if request.digest else algorithm


def take_digests():
    of_ecdsa = keys.ECDSAPrivateKey._ECDSAPrivateKey__hash_algorithm
    of_rsa = keys.RSAPrivateKey._RSAPrivateKey__padding_and_hash_algorithm

    def ecdsa(self, name):
        return prehashed(of_ecdsa(self, name))

    def rsa(self, name):
        padding, algorithm = of_rsa(self, name)
        return padding, prehashed(algorithm)

    keys.ECDSAPrivateKey._ECDSAPrivateKey__hash_algorithm = ecdsa
    keys.RSAPrivateKey._RSAPrivateKey__padding_and_hash_algorithm = rsa


class Quiet(WSGIRequestHandler):
    """Keeps connections, as AWS does, and logs nothing."""

    protocol_version = "HTTP/1.1"

    def log(self, *_):
        pass


def end_with_standard_input():
    sys.stdin.read()
    os._exit(0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tls", nargs=2, metavar=("CERTIFICATE", "KEY"))
    tls = parser.parse_args().tls
    remember_message_type()
    take_digests()
    server = make_server(
        "127.0.0.1",
        0,
        DomainDispatcherApplication(create_backend_app),
        threaded=True,
        request_handler=Quiet,
        ssl_context=tuple(tls) if tls else None,
    )
    print(json.dumps({"address": f"127.0.0.1:{server.server_port}"}), flush=True)
    threading.Thread(target=end_with_standard_input, daemon=True).start()
    server.serve_forever()


main()
