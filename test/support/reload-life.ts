/**
 * The reload actor on a real host and store; every other actor is elsewhere and only remembered.
 */
import assert from 'node:assert/strict';
import { reloadActor } from '../../actors/reload-actor.js';
import { type Address, addressOf, kindOf } from '../../machines/model/ids.js';
import type { JsonObject } from '../../machines/model/json.js';
import { noFailpoints } from '../../src/adapters/system/failpoints.js';
import type { ReloadPorts } from '../../src/ports/reload.js';
import type { Store } from '../../src/ports/store.js';
import type { Envelope } from '../../src/runtime/envelope.js';
import { createHost, type Host } from '../../src/runtime/host.js';
import { createVirtualClock, type VirtualClock } from '../../src/runtime/virtual-clock.js';
import { numberedIds, rememberingLog, rememberingMetrics, seededRandom } from './quiet.js';
import { textConfigFile } from './text-config.js';
import { memoryStore } from './toy-node.js';

export const RELOAD = addressOf('reload', 'main');
/** The runtime's own: a row waits for the sink. */
const WAKE = 'outbox.appended';

export interface Life {
  readonly host: Host;
  readonly clock: VirtualClock;
  readonly store: Store;
  /** `receiver type generation`, in order, since the last look. */
  told(): readonly string[];
  readonly levels: readonly string[];
  readonly generations: readonly number[];
  /** Statuses, as log and metrics hear of them. */
  readonly reports: readonly string[];
  readonly outside: Outside;
  write(text: string): void;
  reload(change?: JsonObject): Promise<JsonObject>;
}

interface Outside {
  /** Pools that take no messages. */
  readonly deaf: Address[];
  /** Whoever sets the log level never comes back. */
  stuck: boolean;
  /** Or takes so long. */
  slowMs?: number;
}

interface Before {
  readonly store: Store;
  readonly clock: VirtualClock;
  readonly outside?: Outside;
}

export async function live(text: string, before?: Before): Promise<Life> {
  const clock = before?.clock ?? createVirtualClock();
  const store = before?.store ?? memoryStore(clock);
  const file = { text };
  const told: string[] = [];
  const levels: string[] = [];
  const generations: number[] = [];
  const reports: string[] = [];
  const outside: Outside = before?.outside ?? { deaf: [], stuck: false };
  const setLevel = async ({ level }: JsonObject): Promise<void> => {
    if (level === 'warn') throw new Error('no such level here');
    levels.push(String(level));
    const { slowMs = 0 } = outside;
    if (slowMs > 0) await new Promise<void>((resolve) => void clock.after(slowMs, resolve));
    if (outside.stuck) await new Promise(() => undefined);
  };
  const host = createHost({
    thread: 'main',
    incarnation: before === undefined ? 1 : 2,
    types: [reloadActor as never],
    services: [],
    placement: {
      shards: ['elsewhere'],
      threadOf: (address) => (kindOf(address) === 'reload' ? 'main' : 'elsewhere'),
    },
    clock,
    ids: numberedIds(before === undefined ? 'a' : 'b'),
    random: seededRandom(1),
    log: rememberingLog(),
    metrics: rememberingMetrics(),
    store,
    ports: {
      configFile: textConfigFile(
        () => file.text,
        () => store,
      ),
      failpoints: noFailpoints,
      hook: (name) => (name === 'log_level' ? setLevel : undefined),
      room: () => new Promise<void>((resolve) => clock.soon(resolve)),
      quarantined: async (kinds) => (kinds.includes('pool') ? outside.deaf : []),
      plan: async () => ({ instances: [] }),
      report: (result) => void reports.push(String(result['status'])),
      setGeneration: (generation) => void generations.push(generation),
    } satisfies ReloadPorts,
    remote: {
      send: (_, envelope) => told.push(sayLetter(envelope)) > 0,
      reply: () => undefined,
    },
    generation: () => generations.at(-1) ?? 0,
  });
  const started = await host.start();
  assert.ok(started.ok);
  const reload = async (change: JsonObject = {}): Promise<JsonObject> => {
    const message = { trigger: 'api', dryRun: false, disruptive: false, ...change };
    const asked = host.ask(RELOAD, { type: 'reload.requested', ...message });
    await clock.settle();
    const answer = await asked;
    assert.ok(answer.ok, 'an answer');
    return answer.value as JsonObject;
  };
  const write = (next: string): void => void Object.assign(file, { text: next });
  const letters = (): readonly string[] => told.splice(0).filter((line) => !line.includes(WAKE));
  return {
    host,
    clock,
    store,
    told: letters,
    levels,
    generations,
    reports,
    outside,
    write,
    reload,
  };
}

export const PERMITTED = ' may recreate';

function sayLetter({ to, body }: Envelope): string {
  const { type, spec, settings } = body as { type: string } & Record<string, JsonObject>;
  const generation = (spec ?? settings)?.['generation'] ?? '';
  const permitted = JSON.stringify(body).includes('"mayRecreate":true') ? PERMITTED : '';
  return `${to} ${type} ${String(generation)}${permitted}`.trim();
}

export const boot = (life: Life): Promise<JsonObject> => life.reload({ trigger: 'boot' });

export const EVERYBODY = (generation: number): readonly string[] => [
  'guard/shrink guard.settings',
  'provider/local provider.settings',
  'sweep/local sweep.settings',
  `pool/public pool.desired ${generation}`,
  `lbsync/main lbsync.settings ${generation}`,
  'outbox/main outbox.settings',
  `tenancy/main tenancy.settings ${generation}`,
  `backend/cache-1 backend.desired ${generation}`,
  `backend/cache-2 backend.desired ${generation}`,
  `frontend/cache frontend.desired ${generation}`,
  `frontend/bulk frontend.desired ${generation}`,
  `tenant/acme tenant.desired ${generation}`,
];
