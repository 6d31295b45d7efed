/**
 * The schemas of events against what machines really publish, and against the files that people read.
 * `GOLDEN=write` writes docs/events/.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Defect } from '../../machines/model/assert.js';
import type { RecordParams } from '../../machines/model/effects.js';
import { addressOf } from '../../machines/model/ids.js';
import { packageFile } from '../../src/adapters/system/package-file.js';
import { allMachines } from '../../src/app/roles.js';
import { EVENT_SCHEMAS, eventJsonSchemas, knowsType } from '../../src/feed/event-schemas.js';
import type { FeedEvent } from '../../src/ports/store.js';
import { rowsRecord } from '../../src/runtime/duty.js';
import { type Driven, drive } from '../support/drive.js';
import { feedEvent } from '../support/feed-events.js';
import { SAMPLES } from '../support/machine-samples.js';
import { seededRandom } from '../support/quiet.js';

const FOLDER = packageFile('docs/events');
const WALKS = 60;
const STEPS = 60;

/** As the store makes it: undefined fields are not there. */
function eventOf({ event, publish }: RecordParams): FeedEvent | undefined {
  if (publish === undefined) return undefined;
  const { aggregateKind, aggregateId, data } = publish;
  const orderingKey = `${aggregateKind}/${aggregateId}`;
  const told = { type: event, aggregateKind, aggregateId, orderingKey, data };
  return JSON.parse(JSON.stringify(feedEvent(1, told))) as FeedEvent;
}

function* publishedBy(id: string): Generator<FeedEvent> {
  const machine = allMachines().get(id);
  const samples = SAMPLES[id];
  if (machine === undefined || samples === undefined) return;
  const random = seededRandom(id.length);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random.next() * list.length)] as T;
  for (let walk = 0; walk < WALKS; walk += 1) {
    let driven: Driven<unknown> = drive(machine, samples.input);
    for (let step = 0; step < STEPS; step += 1) {
      const meta = { at: 1_000_000 + step * 1_000, random: random.next() };
      const timers = Object.keys(driven.timers);
      const fires = timers.length > 0 && random.next() < 0.25;
      try {
        driven = fires ? driven.fire(pick(timers), meta) : driven.send(pick(samples.events), meta);
      } catch (error) {
        // A message out of place crashes an actor: that life is over, and told of by other tests.
        if (!(error instanceof Defect)) throw error;
        break;
      }
      for (const record of driven.said<RecordParams>('record')) {
        const event = eventOf(record);
        if (event !== undefined) yield event;
      }
    }
  }
}

for (const id of allMachines().keys()) {
  test(`[FD-12] events of ${id}: each type has a schema, and the whole aggregate fits it`, () => {
    const wrong = new Map<string, string>();
    for (const event of publishedBy(id)) {
      const parsed = EVENT_SCHEMAS.get(event.type)?.safeParse(event);
      if (parsed?.success === true) continue;
      wrong.set(event.type, parsed?.error.message ?? 'no schema in src/feed/event-schemas.ts');
    }
    assert.deepEqual([...wrong], []);
  });
}

test('[FD-12] events: the rows that nodes of a fleet tell each other have a schema', () => {
  const actor = addressOf('group', 'acme/web');
  const cell = {
    ...{ address: actor, parent: undefined, machine: 'group', machineVersion: 1 },
    ...{ machineHash: 'h', version: 3, incarnation: 1, value: 'idle', context: {}, timers: [] },
  };
  for (const rows of [
    { actor, cell, spawns: [], forget: false },
    { actor, cell: undefined, spawns: [cell], forget: true },
  ]) {
    const event = eventOf(rowsRecord(rows));
    assert.equal(EVENT_SCHEMAS.get(event?.type ?? '')?.safeParse(event).error?.message, undefined);
    assert.ok(knowsType(event?.type ?? ''));
  }
});

test('[FD-12] events: an odd one fits no schema', () => {
  const event = { ...feedEvent(1), type: 'override.set', data: { object: 'a', overrides: [] } };
  const schema = EVENT_SCHEMAS.get('override.set');
  assert.ok(schema?.safeParse(event).success);
  assert.ok(schema.safeParse({ ...event, data: {} }).success, 'its data is in an artifact');
  for (const odd of [{ data: { object: 1 } }, { aggregateVersion: 0 }, { type: 'x' }]) {
    assert.equal(schema.safeParse({ ...event, ...odd }).success, false);
  }
  assert.ok(knowsType('override.set') && !knowsType('override.x'));
});

test('[FD-12] events: docs/events has the schema of each type, and no other', () => {
  const wanted = new Map(
    [...eventJsonSchemas()].map(([type, schema]) => [
      `${type}.json`,
      `${JSON.stringify(schema, null, 2)}\n`,
    ]),
  );
  if (process.env['GOLDEN'] === 'write') {
    mkdirSync(FOLDER, { recursive: true });
    for (const [name, text] of wanted) writeFileSync(join(FOLDER, name), text);
  }
  const there = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
  assert.deepEqual(there.sort(), [...wanted.keys()].sort());
  for (const [name, text] of wanted) {
    assert.deepEqual(JSON.parse(readFileSync(join(FOLDER, name), 'utf8')), JSON.parse(text), name);
  }
});
