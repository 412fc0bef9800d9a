"""A small OpenID Connect provider that signs everybody in as one user, with nothing but the standard library."""

import base64
import hashlib
import json
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlparse

BITS, EXPONENT = 2048, 65537
# What a SHA-256 digest is wrapped in before it is signed (RFC 8017, section 9.2).
PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")


class Key:
    """An RSA key, drawn anew."""

    def __init__(self) -> None:
        numbers = random.SystemRandom()
        p, q = (_prime(BITS // 2, numbers) for _ in range(2))
        self.modulus, self.secret = p * q, pow(EXPONENT, -1, (p - 1) * (q - 1))

    def sign(self, message: bytes) -> bytes:
        """A signature by PKCS #1 v1.5 over SHA-256."""
        length = (self.modulus.bit_length() + 7) // 8
        digest = PREFIX + hashlib.sha256(message).digest()
        padded = b"\x00\x01" + b"\xff" * (length - len(digest) - 3) + b"\x00" + digest
        return pow(int.from_bytes(padded), self.secret, self.modulus).to_bytes(length)

    def public(self) -> dict[str, str]:
        """The public half as a JSON web key."""
        n, e = (_encode(x.to_bytes((x.bit_length() + 7) // 8)) for x in (self.modulus, EXPONENT))
        return {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "one", "n": n, "e": e}

    def token(self, claims: dict[str, object]) -> str:
        """A signed JSON web token."""
        parts = [_encode(json.dumps(part).encode()) for part in ({"alg": "RS256", "kid": "one"}, claims)]
        return ".".join([*parts, _encode(self.sign(".".join(parts).encode()))])


@contextmanager
def provide(claims: dict[str, object]) -> Iterator[str]:
    """The address of a provider whose every user has these claims."""
    key, nonces = Key(), {}

    class Provider(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            where = urlparse(self.path)
            asked = {name: values[0] for name, values in parse_qs(where.query).items()}
            if where.path == "/authorize":
                code = f"code{len(nonces)}"
                nonces[code] = asked["client_id"], asked.get("nonce")
                self.send_response(302)
                self.send_header(
                    "Location", f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"
                )
                self.end_headers()
            elif where.path == "/jwks":
                self._answer({"keys": [key.public()]})
            else:
                names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks"}
                self._answer(
                    {name: f"{address}/{path}" for name, path in names.items()}
                    | {"issuer": address, "id_token_signing_alg_values_supported": ["RS256"]}
                )

        def do_POST(self) -> None:
            asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            client, nonce = nonces.pop(asked["code"][0])
            now = int(time.time())
            said = {"iss": address, "sub": "1", "aud": client, "iat": now, "exp": now + 600, "nonce": nonce, **claims}
            self._answer({"access_token": "x", "token_type": "Bearer", "expires_in": 600, "id_token": key.token(said)})

        def _answer(self, content: dict[str, object]) -> None:
            body = json.dumps(content).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield address
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _prime(bits: int, numbers: random.Random) -> int:
    while True:
        # The two highest bits make the product as long as it is meant to be.
        candidate = numbers.getrandbits(bits) | (3 << (bits - 2)) | 1
        if candidate % EXPONENT != 1 and _is_prime(candidate, numbers):
            return candidate


def _is_prime(number: int, numbers: random.Random) -> bool:
    """By Miller and Rabin."""
    if any(number % small == 0 for small in (3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)):
        return False
    twos = ((number - 1) & -(number - 1)).bit_length() - 1
    for _ in range(40):
        x = pow(numbers.randrange(2, number - 1), (number - 1) >> twos, number)
        if x in (1, number - 1):
            continue
        if not any((x := x * x % number) == number - 1 for _ in range(twos - 1)):
            return False
    return True
