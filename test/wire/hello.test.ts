/** The first frame of a link: who may talk to whom. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCodec } from '../../src/wire/codec.js';
import {
  decodeHello,
  encodeHello,
  type Hello,
  helloOf,
  WIRE_VERSION,
} from '../../src/wire/hello.js';

function heard(hello: Hello) {
  const encoded = encodeHello(hello);
  return decodeHello(encoded.ok ? encoded.value : undefined);
}

test('[WI-4] hello: a peer of the same build is known by thread and incarnation', () => {
  const hello = helloOf('shard-1', 3);
  assert.deepEqual(heard(hello), { ok: true, value: hello });
});

const refused: readonly {
  readonly name: string;
  readonly change: object;
  readonly code: string;
}[] = [
  { name: 'a later wire version', change: { hello: WIRE_VERSION + 1 }, code: 'version' },
  { name: 'other shapes', change: { structuresHash: 'feed' }, code: 'version' },
  { name: 'no version', change: { hello: '1' }, code: 'malformed' },
  { name: 'no thread', change: { thread: undefined }, code: 'malformed' },
  { name: 'no port', change: { lane: 'slow' }, code: 'malformed' },
  { name: 'no incarnation', change: { incarnation: -1 }, code: 'malformed' },
];
for (const { name, change, code } of refused) {
  test(`[WI-4] hello: ${name} is refused`, () => {
    const answer = heard({ ...helloOf('shard-1', 3), ...change });
    assert.equal(answer.ok ? '' : answer.failure.code, code);
  });
}

test('[WI-4] hello: what is refused is said in a sentence that names the peer and both sides', () => {
  for (const change of [{ hello: WIRE_VERSION + 1 }, { structuresHash: 'feed' }]) {
    const answer = heard({ ...helloOf('shard-1', 3), ...change });
    const [field, theirs] = Object.entries(change)[0] ?? [];
    const ours = String(helloOf('x', 0)[field as 'hello' | 'structuresHash']);
    const said = answer.ok ? '' : answer.failure.message;
    assert.match(said, /^shard-1 speaks .*: every thread must run the same build$/);
    assert.ok(said.includes(` ${theirs}, not ${ours}:`), said);
  }
});

test('[WI-4] hello: another frame, cut bytes, or no bytes are no hello', () => {
  const other = createCodec().encode({ type: 'credit', received: 1 });
  const encoded = encodeHello(helloOf('shard-1', 3));
  assert.ok(other.ok && encoded.ok);
  assert.equal(decodeHello(other.value).ok, false);
  for (let length = 0; length < encoded.value.length; length += 1) {
    assert.equal(decodeHello(encoded.value.slice(0, length)).ok, false);
  }
  assert.equal(decodeHello(undefined).ok, false);
});
