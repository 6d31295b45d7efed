/**
 * The recorded session, sent again: the simulator must answer as VPP did, byte for byte but for the
 * pointer and the timestamp in frame headers.
 */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { seedOfRun } from '../support/seed.js';
import { capturedFrames, withSim } from './lab.js';

/** VPP's process id and uptime in the recorded session. */
const RECORDED = { pid: 0x5597, uptimeS: 16 } as const;

const frames = capturedFrames();
const sent = Buffer.concat(frames.filter(({ dir }) => dir === 'tx').map(({ frame }) => frame));
const expected = frames.filter(({ dir }) => dir === 'rx');

/** Sends the whole session in the pieces given and returns the frames until VPP hangs up. */
async function replay(pieces: readonly Buffer[]): Promise<readonly Buffer[]> {
  const received: Buffer[] = [];
  await withSim(
    async ({ sim }) => {
      await sim.control({ advanceS: RECORDED.uptimeS });
      const socket = connect(sim.path);
      const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
      socket.setNoDelay(true);
      socket.on('data', (chunk: Buffer) => received.push(chunk));
      for (const piece of pieces) socket.write(piece);
      await closed;
      assert.deepEqual(sim.violations(), []);
    },
    { pid: RECORDED.pid },
  );
  return framesIn(Buffer.concat(received));
}

function framesIn(stream: Buffer): readonly Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < stream.length; ) {
    const end = at + 16 + stream.readUInt32BE(at + 8);
    found.push(stream.subarray(at, end));
    at = end;
  }
  return found;
}

/** Without the bytes that mean nothing: 0-7 and 12-15. */
function meaning(frame: Buffer): string {
  return `${frame.toString('hex', 8, 12)} ${frame.toString('hex', 16)}`;
}

test('[VP-64] recorded session: every answer is the recorded one, in order', async () => {
  const answers = await replay([sent]);
  assert.equal(answers.length, expected.length);
  for (const [index, answer] of answers.entries()) {
    const recorded = expected[index];
    assert.ok(recorded);
    assert.equal(meaning(answer), meaning(recorded.frame), `answer ${index}, ${recorded.name}`);
  }
});

test('[VP-60] frames: however a session is cut, the answers are the same', async () => {
  const cuts = fc.array(fc.integer({ min: 1, max: sent.length - 1 }), { maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(cuts, async (places) => {
      const ends = [...new Set(places), sent.length].sort((left, right) => left - right);
      const pieces = ends.map((end, index) => sent.subarray(ends[index - 1] ?? 0, end));
      const answers = await replay(pieces);
      assert.deepEqual(
        answers.map(meaning),
        expected.map(({ frame }) => meaning(frame)),
      );
    }),
    { seed: seedOfRun(), numRuns: 15 },
  );
});

test('[VP-60] frames: replies leak a pointer, as those of VPP do', async () => {
  const answers = await replay([sent]);
  for (const answer of answers.slice(1)) assert.notEqual(answer.readBigUInt64BE(0), 0n);
});
