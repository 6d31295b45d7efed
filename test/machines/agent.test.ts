/** Rules AG-1..AG-5: one agent, event by event, with its timers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AgentMemory, agentMachine } from '../../machines/agent.js';
import type { AgentMessage, AgentReport } from '../../machines/model/agent.js';
import { addressOf, type InstanceId } from '../../machines/model/ids.js';
import type { JsonObject } from '../../machines/model/json.js';
import { createStepper } from '../../src/runtime/stepper.js';

const ID = 'i-3f2a-0190aaaabbbb00' as InstanceId;
const START_MS = 1_700_000_000_000;
const SPEC = {
  instance: ID,
  provider: 'local',
  providerId: 'p-1',
  intervalMs: 60_000,
  missedReports: 3,
};

/** A cell by hand: time, timers in order, and all that it said with the second of it. */
function agent(random = 0) {
  const stepper = createStepper(agentMachine);
  const address = addressOf('agent', ID);
  const first = stepper.initial({ address });
  let { configuration, context } = first;
  const timers = new Map<string, number>();
  const said: (readonly [second: number, type: string, params: JsonObject])[] = [];
  let now = START_MS;
  const take = (message: { readonly type: string }): void => {
    const meta = { at: now, random, id: '01', cause: '01', from: address };
    const step = stepper.step(configuration, context, { ...message, meta } as never);
    ({ configuration, context } = step);
    for (const timer of step.timers) {
      if (timer.op === 'arm') timers.set(timer.id, now + timer.delayMs);
      else timers.delete(timer.id);
    }
    for (const { type, params } of step.effects) {
      said.push([Math.round((now - START_MS) / 1000), type, params as JsonObject]);
    }
  };
  const run = (untilS: number): void => {
    const endMs = START_MS + untilS * 1000;
    for (;;) {
      const due = [...timers].filter(([, at]) => at <= endMs).sort((a, b) => a[1] - b[1])[0];
      if (due === undefined) break;
      timers.delete(due[0]);
      now = Math.max(now, due[1]);
      take({ type: due[0] });
    }
    now = endMs;
  };
  const tell = (message: AgentMessage): void => take(message);
  take({ type: 'activated' });
  return {
    tell,
    run,
    report: (change: Partial<AgentReport> = {}) =>
      tell({
        type: 'agent.reported',
        report: { boot: 1, seq: 1, healthy: true, detail: '', ...change },
      }),
    memory: () => context as unknown as AgentMemory,
    times: (type: string) => said.filter((one) => one[1] === type).map(([second]) => second),
    verdicts: () =>
      said.flatMap(([second, type, params]) =>
        type === 'tellVerdict' ? [[second, (params['verdict'] as JsonObject)['state']]] : [],
      ),
    of: (type: string) => said.filter((one) => one[1] === type).map((one) => one[2]),
  };
}

function desired() {
  const one = agent();
  one.tell({ type: 'agent.desired', spec: SPEC });
  return one;
}

test('[AG-1] agent: late and repeated reports change nothing, a later boot does', () => {
  const one = desired();
  one.report({ seq: 5 });
  const before = one.memory();
  for (const late of [{ seq: 5 }, { seq: 4 }, { boot: 0, seq: 9 }]) {
    one.report({ ...late, healthy: false });
    assert.equal(one.memory(), before);
  }
  one.report({ boot: 2, seq: 0, healthy: false });
  assert.equal(one.memory().verdict.state, 'unhealthy');
});

test('[AG-2] agent: silent three whole intervals after its last report, and back with the next', () => {
  const one = desired();
  one.run(10);
  one.report();
  one.run(189);
  assert.deepEqual(one.verdicts(), [
    [0, 'unheard'],
    [10, 'healthy'],
  ]);
  one.run(200);
  one.report({ seq: 2 });
  assert.deepEqual(one.verdicts().slice(2), [
    [190, 'silent'],
    [200, 'healthy'],
  ]);
});

test('[AG-2] agent: in a new life silence counts from its start, and a registration ends none of it', () => {
  const one = desired();
  one.tell({ type: 'agent.registered' });
  one.run(179);
  assert.equal(one.memory().verdict.state, 'registered');
  one.run(181);
  assert.equal(one.memory().verdict.state, 'silent');
});

test('[AG-1] agent: nobody told it what to be, and it says so', () => {
  const one = agent();
  one.report();
  assert.deepEqual(one.of('tellVerdict').at(-1)?.['known'], false);
  one.tell({ type: 'agent.desired', spec: SPEC });
  assert.deepEqual(one.of('tellVerdict').at(-1)?.['known'], true);
});

const POLLS_S = [0, 3, 9, 21, 45, 75, 105, 135, 165];

test('[IG-24] [AG-3] agent: polls at once and after 3, 6, 12 … s, until a report comes', () => {
  const silent = desired();
  silent.report();
  const back = desired();
  back.report();
  for (const one of [silent, back]) one.tell({ type: 'agent.closed', boot: 1 });
  const answered = (one: ReturnType<typeof agent>, untilS: number): void => {
    for (const second of POLLS_S.filter((at) => at <= untilS)) {
      one.run(second);
      one.tell({ type: 'provider.status', providerId: 'p-1', state: 'running' });
    }
    one.run(untilS);
  };
  answered(silent, 179);
  assert.deepEqual(silent.times('pollProvider'), POLLS_S);
  answered(back, 20);
  back.report({ seq: 2 });
  back.run(179);
  assert.deepEqual(back.times('pollProvider'), [0, 3, 9]);
  assert.equal(back.memory().verdict.state, 'healthy');
});

test('[IG-23] [AG-4] agent: a poll that hangs is given up after 5 s, nine times, each on record', () => {
  const one = desired();
  one.tell({ type: 'agent.closed', boot: 1 });
  one.run(600);
  assert.equal(one.times('pollProvider').length, 9);
  assert.equal(one.of('record').filter(({ event }) => event === 'agent.status_unknown').length, 9);
  assert.deepEqual(one.times('pollProvider').slice(0, 3), [0, 8, 19]);
  assert.deepEqual(one.times('tellDeath'), []);
});

test('[AG-4] agent: terminal and unknown are deaths, a failure and an answer about another are not', () => {
  for (const [message, dead] of [
    [{ type: 'provider.status', providerId: 'p-1', state: 'terminal' }, true],
    [{ type: 'provider.status', providerId: 'p-1', state: 'gone' }, true],
    [{ type: 'provider.status', providerId: 'p-2', state: 'gone' }, false],
    [{ type: 'provider.status', providerId: 'p-1', state: 'running' }, false],
    [
      {
        type: 'provider.statusFailed',
        providerId: 'p-1',
        failure: { code: 'unavailable', message: 'x' },
      },
      false,
    ],
  ] as const) {
    const one = desired();
    one.tell({ type: 'agent.closed', boot: 1 });
    one.tell(message);
    assert.equal(one.times('tellDeath').length, dead ? 1 : 0, JSON.stringify(message));
    one.run(60);
    assert.equal(one.times('pollProvider').length > 1, !dead, 'a death ends the polls');
  }
});

test('[AG-3] agent: the end of a stream that was replaced starts no polls', () => {
  const one = desired();
  one.report({ boot: 2 });
  one.tell({ type: 'agent.closed', boot: 1 });
  one.run(60);
  assert.deepEqual(one.times('pollProvider'), []);
});

test('[AG-5] agent: a notice is passed on at once, and not with a late report', () => {
  const one = desired();
  const notice = { id: 'n-1', deadlineMs: START_MS + 120_000 };
  one.report({ notice });
  one.report({ notice });
  assert.deepEqual(one.of('tellNotice'), [{ id: ID, notice }]);
});
