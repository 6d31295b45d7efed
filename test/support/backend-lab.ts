/** A backend in a laboratory: its spec, probes by letter (`P` passes, `F` fails), verbs, what it said. */
import { backendMachine } from '../../machines/backend.js';
import type { BackendMemory, Publication } from '../../machines/backend-memory.js';
import type { BackendSpec, HealthCheckSpec } from '../../machines/model/desired.js';
import type { RecordParams } from '../../machines/model/effects.js';
import { addressOf, type BackendName, type FrontendName } from '../../machines/model/ids.js';
import type { BackendMessage, ProbeResult } from '../../machines/model/messages.js';
import { obeyed, TERMS } from './book.js';
import { type Driven, drive } from './drive.js';

export type Backend = Driven<BackendMemory>;

export const CHECK: HealthCheckSpec = {
  name: 'http-ok',
  type: 'http',
  path: '/',
  status: [{ from: 200, to: 200 }],
  insecureSkipVerify: false,
  intervalMs: 1_000,
  fastIntervalMs: 200,
  downIntervalMs: 5_000,
  timeoutMs: 500,
  rise: 2,
  fall: 3,
  snap: false,
  jitter: 0,
};
export const SPEC: BackendSpec = {
  name: 'b1' as BackendName,
  address: '10.0.0.11',
  probe: { port: 80, check: CHECK },
  enabled: true,
  frontends: ['web' as FrontendName, 'api' as FrontendName],
  generation: 1,
};
export const { probe: _unprobed, ...UNCHECKED_SPEC } = SPEC;
export const OWNER = addressOf('instance', 'i-0000-000000000000');

export const desired = (change: Partial<BackendSpec> = {}): BackendMessage => ({
  type: 'backend.desired',
  spec: { ...SPEC, ...change },
  owner: OWNER,
});
export const PAUSE: BackendMessage = { ...TERMS, type: 'backend.pause', reason: 'look' };
export const RESUME: BackendMessage = { ...TERMS, type: 'backend.resume' };
export const DISABLE: BackendMessage = { ...TERMS, type: 'backend.disable', reason: 'broken' };
export const ENABLE: BackendMessage = { ...TERMS, type: 'backend.enable' };
export const DIED: BackendMessage = { type: 'backend.died', code: 'EXITED', detail: 'exit 1' };

export function fresh(): Backend {
  return drive<BackendMemory>(backendMachine, { address: addressOf('backend', 'b1') }).send({
    type: 'activated',
  });
}

export const started = (): Backend => fresh().send(desired());

export function result(passed: boolean, change: Partial<ProbeResult> = {}): ProbeResult {
  const code = passed ? 'L7OK' : 'L7STS';
  return { passed, code, detail: '', durationMs: 3, positive: false, late: false, ...change };
}

export function finish(backend: Backend, outcome: ProbeResult): Backend {
  const { probe } = backend.context;
  return backend.send({ type: 'probe.finished', probe, result: outcome } as BackendMessage);
}

/** Lets the due probe go out and answers it, once per letter. */
export function probed(backend: Backend, letters: string): Backend {
  let next = backend;
  for (const letter of letters) next = finish(next.fire('probeDue'), result(letter === 'P'));
  return next;
}

/** The verb, and what came of it once it was on disk. */
export const told = (backend: Backend, verb: BackendMessage): Backend => obeyed(backend.send(verb));

export const stateOf = (backend: Backend) => backend.context.verdict?.state;
export const verdicts = (backend: Backend) => backend.said<Publication>('publishVerdict');
export const records = (backend: Backend) => backend.said<RecordParams>('record');
