// Signs and verifies with sigstore-js, in the folder of a client:
//
//   node sigstore.mjs FULCIO ISSUER STAMPS [REKOR]
//
// STAMPS is the timestamp authority. With a Rekor, its entry is verified too.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { bundleToJSON } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { FulcioSigner, MessageSignatureBundleBuilder, RekorWitness, TSAWitness } from '@sigstore/sign';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';

const [fulcio, issuer, stamps, rekor] = process.argv.slice(2);
const artifact = readFileSync('hello.txt');
const token = readFileSync('token', 'utf8');
const patience = { retry: 0, timeout: 20_000 };

const signer = (token) =>
  new FulcioSigner({ fulcioBaseURL: fulcio, identityProvider: { getToken: async () => token }, ...patience });

function verify(bundle, changes = {}) {
  const { data, root, identity, by } = {
    data: artifact,
    root: 'trusted.json',
    identity: '^ada@example\\.com$',
    by: issuer,
    ...changes,
  };
  const trust = toTrustMaterial(TrustedRoot.fromJSON(JSON.parse(readFileSync(root, 'utf8'))));
  const verifier = new Verifier(trust, { ctlogThreshold: 1, timestampThreshold: 1, tlogThreshold: rekor ? 1 : 0 });
  return verifier.verify(toSignedEntity(bundle, data), { subjectAlternativeName: identity, extensions: { issuer: by } });
}

const witnesses = [new TSAWitness({ tsaBaseURL: stamps, ...patience })];
if (rekor) {
  witnesses.push(new RekorWitness({ rekorBaseURL: rekor, majorApiVersion: 2, ...patience }));
}
const bundle = await new MessageSignatureBundleBuilder({ signer: signer(token), witnesses }).create({ data: artifact });
writeFileSync('js.json', JSON.stringify(bundleToJSON(bundle)));

const { identity } = verify(bundle);
assert.equal(identity.subjectAlternativeName, 'ada@example.com');
assert.equal(identity.extensions.issuer, issuer);

for (const [changes, code] of [
  [{ identity: 'bob@example.com' }, 'UNTRUSTED_SIGNER_ERROR'],
  [{ by: 'http://127.0.0.1:1' }, 'UNTRUSTED_SIGNER_ERROR'],
  [{ root: 'misled.json' }, 'CERTIFICATE_ERROR'],
  [{ root: 'stranger.json' }, 'CERTIFICATE_ERROR'],
  [{ data: Buffer.from('hullo\n') }, 'SIGNATURE_ERROR'],
]) {
  assert.throws(() => verify(bundle, changes), { code }, JSON.stringify(changes));
}

const [header, claims] = token.split('.');
await assert.rejects(signer(`${header}.${claims}.AAAA`).sign(artifact), (error) => {
  assert.equal(error.code, 'CA_CREATE_SIGNING_CERTIFICATE_ERROR');
  assert.equal(error.cause.statusCode, 400);
  assert.equal(error.cause.message, '(400) There was an error processing the identity token');
  return true;
});
