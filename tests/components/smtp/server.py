"""A mail server on a free port of this machine, until standard input ends.

Prints one line of JSON with the port, and then one for each mail that it took.

    server.py [--tls starttls|tls CERTIFICATE KEY] [--login NAME PASSWORD] [--refuse]
"""

import argparse
import asyncio
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


class Mailbox:
    def __init__(self, refuse):
        self.refuse = refuse

    async def handle_DATA(self, server, session, envelope):
        if self.refuse:
            return "451 The mailbox is busy"
        mail = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "content": envelope.content.decode(),
            "tls": server.transport.get_extra_info("sslcontext") is not None,
            "login": getattr(session, "who", None),
        }
        print(json.dumps(mail), flush=True)
        return "250 Taken"


def authenticator(name, password):
    def authenticate(server, session, envelope, mechanism, data):
        good = (data.login, data.password) == (name.encode(), password.encode())
        session.who = data.login.decode()
        return AuthResult(success=good)

    return authenticate


async def serve(arguments):
    context, options, listening = None, {}, None
    if arguments.tls:
        mode, certificate, key = arguments.tls
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)
        if mode == "tls":
            listening = context
        else:
            options = {"tls_context": context, "require_starttls": True}
    if arguments.login:
        options |= {
            "authenticator": authenticator(*arguments.login),
            "auth_required": True,
            "auth_require_tls": arguments.tls is not None and listening is None,
        }
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(Mailbox(arguments.refuse), hostname="mail.example.com", loop=loop, **options),
        "127.0.0.1",
        0,
        ssl=listening,
    )
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tls", nargs=3)
    parser.add_argument("--login", nargs=2)
    parser.add_argument("--refuse", action="store_true")
    asyncio.run(serve(parser.parse_args()))


main()
