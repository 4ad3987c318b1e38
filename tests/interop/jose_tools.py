"""Opens a token of ours, and makes one that says a little more, with a library from PyPI.

Reads one JSON object from standard input: `library`, `jwk` (the key that makes tokens), `jwks`
(the set that verifies), `token`, `key`, `value`. Writes one: `header`, `claims`, `token`.
"""

import base64
import json
import sys


def header_of(token):
    part = token.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def more(claims, key, value):
    claims = json.loads(claims)
    claims["data"][key] = value
    claims["ver"] += 1
    return claims


def with_jwcrypto(task, header):
    from jwcrypto import jwe, jwk, jws

    private = jwk.JWK(**task["jwk"])
    if "enc" in header:
        box = jwe.JWE()
        box.deserialize(task["token"], key=private)
        claims = box.payload
    else:
        verifying = jwk.JWKSet.from_json(json.dumps(task["jwks"])).get_key(header["kid"])
        box = jws.JWS()
        box.deserialize(task["token"], key=verifying or private)
        claims = box.payload
    said = more(claims, task["key"], task["value"])
    text = json.dumps(said).encode()
    if "enc" in header:
        box = jwe.JWE(text, json.dumps(header))
        box.add_recipient(private)
    else:
        box = jws.JWS(text)
        box.add_signature(private, protected=json.dumps(header))
    return json.loads(claims), box.serialize(compact=True)


def with_joserfc(task, header):
    from joserfc import jwe, jws
    from joserfc.jwk import JWKRegistry, KeySet

    private = JWKRegistry.import_key(task["jwk"])
    algorithms = [header["alg"]]
    if "enc" in header:
        ours = jwe.JWERegistry(algorithms=["dir", "A256GCM"], strict_check_header=False)
        claims = jwe.decrypt_compact(task["token"], private, registry=ours).plaintext
    else:
        ours = jws.JWSRegistry(algorithms=algorithms, strict_check_header=False)
        keys = task["jwks"]["keys"]
        verifying = KeySet.import_key_set({"keys": keys}) if keys else private
        claims = jws.deserialize_compact(task["token"], verifying, registry=ours).payload
    text = json.dumps(more(claims, task["key"], task["value"]))
    if "enc" in header:
        made = jwe.encrypt_compact(header, text, private, registry=ours)
    else:
        made = jws.serialize_compact(header, text, private, registry=ours)
    return json.loads(claims), made


def main():
    task = json.load(sys.stdin)
    header = header_of(task["token"])
    run = {"jwcrypto": with_jwcrypto, "joserfc": with_joserfc}[task["library"]]
    claims, token = run(task, header)
    json.dump({"header": header, "claims": claims, "token": token}, sys.stdout)


main()
