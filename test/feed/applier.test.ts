/** Applying a feed: once, in order, whatever repeats, breaks or is unknown; on a memory and on SQLite. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { ok } from '../../machines/model/result.js';
import { createSqliteTarget } from '../../src/adapters/feed-target/sqlite.js';
import { type ApplierOptions, createApplier } from '../../src/feed/applier.js';
import { artifactNameOf } from '../../src/feed/artifacts.js';
import { APPLY_ATTEMPTS_MAX } from '../../src/feed/limits.js';
import type { FeedTarget } from '../../src/ports/feed-target.js';
import { feedTextOf } from '../../src/ports/feed-text.js';
import type { FeedEvent } from '../../src/ports/store.js';
import { expectOk } from '../contract/provider.js';
import { feedEvent } from '../support/feed-events.js';
import { openMemorySink } from '../support/memory-sink.js';
import { openMemorySource } from '../support/memory-source.js';
import { createMemoryTarget } from '../support/memory-target.js';
import { seedOfRun } from '../support/seed.js';

/** `a2`: version 2 of key a. */
function named(name: string, changes: Partial<FeedEvent> = {}): FeedEvent {
  const [key, version] = [name.slice(0, 1), Number(name.slice(1))];
  const base = { eventId: name, orderingKey: key, aggregateVersion: version, node: 'other' };
  return feedEvent(version, { ...base, data: { name }, ...changes });
}

async function world(names: string, options: Partial<ApplierOptions> = {}) {
  const sink = openMemorySink();
  const source = openMemorySource(sink);
  const target = createMemoryTarget();
  const append = async (...events: readonly FeedEvent[]) =>
    void (await sink.append(events.map(feedTextOf)));
  await append(
    ...names
      .split(' ')
      .filter(Boolean)
      .map((name) => named(name)),
  );
  const applier = createApplier({
    ...{ source, target, node: 'me', unknownTypes: 'quarantine', knows: (type) => type !== 'new' },
    ...options,
  });
  const cursor = async () => expectOk(await target.standing()).cursor;
  const passes = async (times: number) => {
    let last = await applier.pass();
    for (let more = 1; more < times; more += 1) last = await applier.pass();
    return last;
  };
  return { sink, source, target, applier, append, cursor, passes };
}

test('[FA-1] applier: all in order, then acknowledged; nothing more to do changes nothing', async () => {
  const { applier, target, source } = await world('a1 b1 a2');
  assert.deepEqual(await applier.pass(), { applied: 3, cursor: 3, more: false, quarantined: [] });
  assert.deepEqual(target.order, ['a1', 'b1', 'a2']);
  assert.deepEqual(source.acknowledged, [3]);
  assert.equal((await applier.pass()).applied, 0);
});

test('[FA-3] O20: of 5, 6 and 7 the sixth fails: 5 is applied and acknowledged, 7 waits', async () => {
  const { passes, target, source, applier } = await world('a1 b1 c1 d1 e5 f6 g7');
  target.refuses.add('f6');
  assert.deepEqual(await passes(2), {
    ...{ applied: 0, cursor: 5, more: false, quarantined: [], stopped: 'refused' },
  });
  assert.deepEqual(source.acknowledged, [5]);
  target.refuses.clear();
  assert.equal((await applier.pass()).cursor, 7);
  assert.deepEqual(target.order, ['a1', 'b1', 'c1', 'd1', 'e5', 'f6', 'g7']);
});

test('[FA-4] O19: tampered bytes are not applied and the cursor stays; whole again they are', async () => {
  const { sink, append, applier, cursor, target } = await world('a1');
  const text = JSON.stringify({ members: [1] });
  const { ref, checksum } = artifactNameOf(text);
  await sink.putArtifact(ref, Buffer.from('{"members":[2]}'));
  await append(named('a2', { artifactRef: ref, checksum, data: {} }));
  assert.match((await applier.pass()).stopped ?? '', /are not those/);
  assert.equal(await cursor(), 1);
  await sink.putArtifact(ref, Buffer.from(text));
  assert.equal((await applier.pass()).cursor, 2);
  assert.deepEqual(target.state.get('a'), { members: [1] });
});

test('[FA-3] [FA-5] applier: refused too often, a key is quarantined; retried, it has all it missed', async () => {
  const { passes, target, applier, append } = await world('a1 b1 a2 b2');
  target.refuses.add('a1');
  const last = await passes(APPLY_ATTEMPTS_MAX);
  assert.deepEqual(last.quarantined, [{ orderingKey: 'a', since: 1, error: 'refused' }]);
  assert.deepEqual([last.cursor, target.order], [4, ['b1', 'b2']]);
  assert.equal((await applier.retry('a')).ok, false, 'it is refused still');
  target.refuses.clear();
  assert.deepEqual(await applier.retry('a'), ok(undefined));
  assert.deepEqual(target.order, ['b1', 'b2', 'a1', 'a2']);
  assert.equal((await applier.retry('a')).ok, false, 'it is free');
  await append(named('a3'));
  assert.equal((await applier.pass()).applied, 1);
});

test('[FA-5] applier: a key that is let go takes its next event, which is the whole of it', async () => {
  const { passes, target, applier, append } = await world('a1 a2');
  target.refuses.add('a1');
  await passes(APPLY_ATTEMPTS_MAX);
  assert.deepEqual(await applier.letGo('a'), ok(undefined));
  await append(named('a3'));
  await applier.pass();
  assert.deepEqual([target.order, target.state.get('a')], [['a3'], { name: 'a3' }]);
});

for (const [unknownTypes, order, stopped] of [
  ['halt', [], true],
  ['quarantine', ['b1'], false],
  ['ignore', ['b1', 'a2'], false],
] as const) {
  test(`[FA-3] applier: a type nobody knows, with ${unknownTypes}`, async () => {
    const { append, passes, target } = await world('', { unknownTypes });
    await append(named('a1', { type: 'new' }), named('b1'), named('a2'));
    const last = await passes(APPLY_ATTEMPTS_MAX + 2);
    assert.deepEqual(target.order, order);
    assert.equal(last.stopped !== undefined, stopped);
    assert.equal(last.quarantined.length, unknownTypes === 'quarantine' ? 1 : 0);
  });
}

test('[FA-2] applier: own, repeated, overtaken events and tombstones change nothing', async () => {
  const { append, applier, target } = await world('a2');
  const grave = named('b1', { type: 'event.buried' });
  await append(named('c1', { node: 'me' }), named('a1'), grave, named('b2'), named('a3'));
  const taken = named('a2', { controlVersion: 0 });
  await applier.pass();
  assert.deepEqual(target.order, ['a2', 'b2', 'a3']);
  await append({ ...taken, eventId: 'a2-again' });
  await applier.pass();
  assert.deepEqual(target.order, ['a2', 'b2', 'a3']);
});

test('[FA-2] applier: nodes that speak of the same backend count for themselves, the fleet’s holders go on from each other', async () => {
  for (const open of Object.values(targets)) {
    const target = open();
    const { append, applier } = await world('', { target });
    const said = (node: string, kind: string, version: number) =>
      named(`k${version}`, {
        ...{ eventId: `${node}-${kind}-${version}`, node, aggregateKind: kind },
        orderingKey: `${kind}/k`,
      });
    await append(said('n1', 'backend', 2), said('n2', 'backend', 1), said('n2', 'backend', 2));
    await append(said('n1', 'group', 1), said('n2', 'group', 3), said('n1', 'group', 2));
    await applier.pass();
    assert.deepEqual(target.applied(), [
      ...['n1-backend-2', 'n2-backend-1', 'n2-backend-2', 'n1-group-1', 'n2-group-3'],
    ]);
  }
});

test('[FA-3] applier: what cannot be read is quarantined by itself, its neighbours go on', async () => {
  const { source, passes, target } = await world('a1 b1 a2');
  source.damaged.add(2);
  const last = await passes(APPLY_ATTEMPTS_MAX);
  assert.deepEqual(
    last.quarantined.map(({ orderingKey }) => orderingKey),
    ['illegible/2'],
  );
  assert.deepEqual(target.order, ['a1', 'a2']);
});

test('[FA-7] applier: a feed that lost its end is read again from there', async () => {
  const { sink, append, applier, target } = await world('a1 b1 c1 d1');
  await applier.pass();
  sink.forgetFrom(2);
  assert.equal((await applier.pass()).cursor, 1);
  await append(named('b1'), named('c1'), named('d1'), named('a2'));
  await applier.pass();
  assert.deepEqual(target.order, ['a1', 'b1', 'c1', 'd1', 'a2']);
});

test('[FA-7] applier: a feed that lost its end and has grown past the cursor since is noticed all the same', async () => {
  for (const open of Object.values(targets)) {
    const target = open();
    const { sink, append, applier } = await world('a1 b1 c1 d1 e1 f1', { target });
    await applier.pass();
    sink.forgetFrom(4);
    // Others write before what was lost is published again.
    await append(named('x1'), named('x2'), named('d1'), named('e1'), named('f1'), named('g1'));
    assert.equal((await applier.pass()).cursor, 9);
    assert.deepEqual(target.applied(), ['a1', 'b1', 'c1', 'd1', 'e1', 'f1', 'x1', 'x2', 'g1']);
    assert.deepEqual(await applier.pass(), { applied: 0, cursor: 9, more: false, quarantined: [] });
  }
});

test('[FA-7] applier: a feed that was made anew is read from its start, and nothing is applied twice', async () => {
  for (const open of Object.values(targets)) {
    const target = open();
    const { sink, append, applier } = await world('a1 b1 c1', { target });
    await applier.pass();
    sink.forgetFrom(1);
    await append(named('z1'), named('b1'), named('a1'), named('c1'), named('z2'));
    assert.equal((await applier.pass()).cursor, 5);
    assert.deepEqual(target.applied(), ['a1', 'b1', 'c1', 'z1', 'z2']);
  }
});

const targets: Readonly<
  Record<string, () => FeedTarget & { readonly applied: () => readonly string[] }>
> = {
  memory: () => {
    const target = createMemoryTarget();
    return { ...target, applied: () => target.order };
  },
  SQLite: () => {
    const db = new Database(':memory:');
    db.exec('CREATE TABLE things (id INTEGER PRIMARY KEY, event TEXT NOT NULL)');
    const insert = db.prepare('INSERT INTO things (event) VALUES (?)');
    const all = db.prepare<[], string>('SELECT event FROM things ORDER BY id').pluck();
    const target = createSqliteTarget(db, (_db, event) => {
      insert.run(event.eventId);
      if (event.data['poison'] === true) throw new Error('refused');
    });
    return { ...target, applied: () => all.all() };
  },
};

for (const [name, open] of Object.entries(targets)) {
  test(`[FA-1] [FA-2] [FA-6] applier on ${name}: whatever fails and repeats, each key is applied once, in order`, async () => {
    const arbStep = fc.record({
      keys: fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 5 }),
      again: fc.nat({ max: 3 }),
      sourceFails: fc.nat({ max: 2 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(arbStep, { maxLength: 8 }), async (steps) => {
        const sink = openMemorySink();
        const source = openMemorySource(sink);
        const target = open();
        const applier = createApplier({
          ...{ source, target, node: 'me', unknownTypes: 'halt', knows: () => true },
        });
        const wanted: string[] = [];
        const versions = new Map<string, number>();
        for (const { keys, again, sourceFails } of steps) {
          for (const key of keys) {
            const version = (versions.get(key) ?? 0) + 1;
            versions.set(key, version);
            wanted.push(`${key}${version}`);
            await sink.append([feedTextOf(named(`${key}${version}`))]);
          }
          // Beyond its window a sink takes an event once more.
          for (const eventId of wanted.slice(-again)) {
            if (again > 0) await sink.append([feedTextOf(named(eventId))]);
          }
          source.failures = sourceFails;
          await applier.pass();
        }
        source.failures = 0;
        let last = await applier.pass();
        while (last.more) last = await applier.pass();
        assert.deepEqual(target.applied(), wanted);
        assert.deepEqual(last.quarantined, []);
      }),
      { seed: seedOfRun(), numRuns: 100 },
    );
  });
}

test('[FA-1] SQLite target: a change that is refused leaves nothing, not even half of it', async () => {
  const open = targets['SQLite'];
  assert.ok(open);
  const target = open();
  const event = named('a1', { data: { poison: true }, controlVersion: 1 });
  const refused = await target.commit({ cursor: 1, apply: { event, data: event.data } });
  assert.deepEqual(refused, { ok: false, failure: { code: 'content', message: 'refused' } });
  assert.deepEqual(target.applied(), []);
  assert.equal(expectOk(await target.standing()).cursor, 0);
  expectOk(await target.commit({ cursor: 1, skip: event }));
  const known = expectOk(await target.known(event));
  assert.deepEqual(known, { wasApplied: true, aggregateVersion: 1 });
  const held = { orderingKey: 'a', since: 1, error: 'no' };
  expectOk(await target.commit({ cursor: 2, quarantine: held }));
  assert.deepEqual(expectOk(await target.standing()), { cursor: 2, quarantined: [held] });
  expectOk(await target.commit({ cursor: 0, release: 'a', rewindTo: 1 }));
  assert.deepEqual(expectOk(await target.standing()), { cursor: 1, quarantined: [] });
});

test('[FA-2] applier: an event that comes late behind its tombstone is applied, if nothing newer was', async () => {
  const tombstone = (name: string) =>
    named(name, { eventId: `${name}.tombstone`, type: 'event.buried' });
  for (const target of [createMemoryTarget(), undefined]) {
    const applied: string[] = [];
    const sqlite = createSqliteTarget(new Database(':memory:'), (_db, { eventId }) => {
      applied.push(eventId);
    });
    const { append, applier } = await world('a1', { target: target ?? sqlite });
    await append(tombstone('a2'), named('a2'), tombstone('b1'), named('b2'), named('b1'));
    assert.equal((await applier.pass()).cursor, 6);
    assert.deepEqual(target?.order ?? applied, ['a1', 'a2', 'b2']);
  }
});
