// Opens a token of ours, and makes one that says a little more, with `jose` from npm.
//
// Reads and writes what its sister in Python does.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(pathToFileURL(`${process.argv[2]}/package.json`));
const jose = await import(pathToFileURL(require.resolve("jose")));

const task = JSON.parse(readFileSync(0, "utf8"));
const header = jose.decodeProtectedHeader(task.token);
const key = await jose.importJWK(task.jwk, header.enc ?? header.alg);
const secret = task.jwk.kty === "oct" ? jose.base64url.decode(task.jwk.k) : key;
// All that `jose` itself checks of a token, with our parties.
const checks = { issuer: "http://testbed", audience: "http://testbed", typ: header.typ };

let claims;
if (header.enc) {
  claims = (await jose.jwtDecrypt(task.token, secret, checks)).payload;
} else {
  const remote = task.jwks.keys.length > 0;
  const keys = remote ? jose.createLocalJWKSet(task.jwks) : secret;
  claims = (await jose.jwtVerify(task.token, keys, checks)).payload;
}

const said = structuredClone(claims);
said.data[task.key] = task.value;
said.ver += 1;
const token = header.enc
  ? await new jose.EncryptJWT(said).setProtectedHeader(header).encrypt(secret)
  : await new jose.SignJWT(said).setProtectedHeader(header).sign(key);
process.stdout.write(JSON.stringify({ header, claims, token }));
