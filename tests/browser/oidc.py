"""A small OpenID Connect provider that signs everybody in as one user, with what Authlib brings."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlparse

HEADER = {"alg": "RS256", "kid": "one"}


@contextmanager
def provide(claims: dict[str, object]) -> Iterator[str]:
    """The address of a provider whose every user has these claims."""
    from joserfc import jwt
    from joserfc.jwk import RSAKey

    key, nonces = RSAKey.generate_key(2048, {"use": "sig", "kid": "one"}), {}

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
                self._answer({"keys": [key.as_dict(private=False)]})
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
            self._answer(
                {
                    "access_token": "x",
                    "token_type": "Bearer",
                    "expires_in": 600,
                    "id_token": jwt.encode(HEADER, said, key),
                }
            )

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
