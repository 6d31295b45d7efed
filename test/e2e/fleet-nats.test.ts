/**
 * Two daemons, two processes, one real broker: they share a lease and a log, and a cloud over HTTP that
 * outlives them. The holder is killed, stopped, frozen beyond its lease, and the broker killed and frozen,
 * each time while a server is being made: whoever goes on finds it, no intent has two servers, and of what
 * the last holder had asked at most one comes after the next has begun.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CloudServer } from '../../examples/fake-cloud/cloud.js';
import { type Daemon, type HostMode, makeSite, type Site, tail, until } from '../support/daemon.js';
import { CLOUD_TOKEN, type CloudAtWork, startCloud } from '../support/exec-lab.js';
import { type NatsServer, startNatsServer } from '../support/nats-server.js';
import { repoPath } from '../support/root.js';

const SIZE = 3;
/** One has failed, one takes its place. */
const MOST = SIZE + 2;
const TTL_MS = 3_000;
/** Longer than a holder that was just told of the trouble may act. */
const CREATE_MS = 1_200;

function configOf(node: string, broker: NatsServer): string {
  return `
node: { name: ${node}, workers: 1 }
lease: { driver: nats, ttl: ${TTL_MS}ms }
outbox: { sink: { driver: nats, servers: ["${broker.url}"] } }
providers:
  cloud:
    driver: exec
    command: [${process.execPath}, ${repoPath('examples', 'exec', 'fake-cloud.mjs')}]
    passEnvironment: [FAKE_CLOUD_URL, FAKE_CLOUD_TOKEN]
    pollInterval: 500ms
    timeout: 20s
templates: { web: { provider: cloud, spec: {} } }
tenants: { acme: { groups: { web: { template: web, size: ${SIZE}, drain: { timeout: 200ms } } } } }
dataplane: { driver: none }
retry: { base: 100ms, max: 500ms }
orphans: delete
orphanQuarantine: 0s
orphanSweepInterval: 2s
admin: { listen: "127.0.0.1:0" }
`;
}

interface Node {
  readonly site: Site;
  daemon: Daemon;
}

interface Fleet {
  readonly nodes: readonly [Node, Node];
  readonly broker: NatsServer;
  readonly at: CloudAtWork;
  /** All servers there ever were, in the order they were made. */
  readonly made: readonly CloudServer[];
  readonly env: Readonly<Record<string, string>>;
}

async function startFleet(): Promise<Fleet> {
  const [broker, at] = [await startNatsServer(), await startCloud()];
  const env = { FAKE_CLOUD_URL: at.url, FAKE_CLOUD_TOKEN: CLOUD_TOKEN };
  const made: CloudServer[] = [];
  const { servers } = at.cloud;
  const put = servers.set.bind(servers);
  servers.set = (id, server) => {
    if (!servers.has(id)) made.push(server);
    return put(id, server);
  };
  const start = async (name: string, mode: HostMode): Promise<Node> => {
    const site = makeSite(configOf(name, broker), mode);
    return { site, daemon: await site.start({ env }) };
  };
  const nodes = [await start('one', 'threads'), await start('two', 'single')] as const;
  return { nodes, broker, at, made, env };
}

const running = ({ at }: Fleet): readonly CloudServer[] =>
  [...at.cloud.servers.values()].filter(({ status }) => status === 'running');

async function holds({ daemon }: Node): Promise<boolean> {
  const address = daemon.log.find(({ msg }) => msg === 'ready')?.['admin'];
  const asked = { signal: AbortSignal.timeout(1_000) };
  const answer = await fetch(`http://${address}/api/v1/status`, asked);
  const { lease } = (await answer.json()) as { readonly lease: { readonly held: boolean } };
  return lease.held;
}

/** Everything is there once, and somebody sees to it. */
async function atRest(fleet: Fleet, label: string): Promise<Node> {
  let holder: Node | undefined;
  await until(`${label}: at rest`, async () => {
    const [one, two] = fleet.nodes;
    const asked = [one, two].map((node) => holds(node).catch(() => false));
    const [first, second] = await Promise.all(asked);
    assert.ok(!(first && second), `${label}: both hold the lease`);
    holder = first ? one : second ? two : undefined;
    return (
      holder !== undefined && fleet.at.cloud.servers.size === SIZE && running(fleet).length === SIZE
    );
  }).catch((error) => {
    const logs = fleet.nodes.map(({ daemon }) => tail(daemon)).join('\n---\n');
    throw new Error(`${error.message}\n${logs}`);
  });
  assert.ok(holder);
  return holder;
}

/** A server fails, and making the one in its place takes its time. */
async function beginMaking(fleet: Fleet): Promise<void> {
  const [victim] = running(fleet);
  assert.ok(victim);
  fleet.at.cloud.faults.push({ method: 'POST', times: 1, delayMs: CREATE_MS });
  fleet.at.cloud.servers.set(victim.id, { ...victim, status: 'stopped' });
  // The fault is taken when the request has come.
  const pending = () => fleet.at.cloud.faults.some(({ times }) => times > 0);
  await until('a server is being made', async () => !pending());
}

async function restart(fleet: Fleet, node: Node): Promise<void> {
  node.daemon = await node.site.start({ env: fleet.env });
}

const TROUBLES: Readonly<Record<string, (fleet: Fleet, holder: Node) => Promise<void>>> = {
  'the holder is killed': async (fleet, holder) => {
    await holder.daemon.stop('SIGKILL');
    await restart(fleet, holder);
  },
  'the holder is stopped': async (fleet, holder) => {
    assert.equal(await holder.daemon.stop(), 0, tail(holder.daemon));
    await restart(fleet, holder);
  },
  'the holder is frozen beyond its lease': async (fleet, holder) => {
    holder.daemon.process.kill('SIGSTOP');
    const other = fleet.nodes.find((node) => node !== holder);
    assert.ok(other);
    await until('the other one goes on', () => holds(other));
    holder.daemon.process.kill('SIGCONT');
  },
  'the broker is killed': async ({ broker }) => {
    await broker.kill();
    await pause(TTL_MS * 2);
    await broker.start();
  },
  'the broker is frozen': async ({ broker }) => {
    await broker.pause();
    await pause(TTL_MS * 2);
    broker.resume();
  },
};

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Servers made in the name of a holder after one of the next holder's was. */
function late({ made }: Fleet): number {
  let newest = 0;
  let count = 0;
  for (const { labels } of made) {
    const epoch = Number(labels['epoch']);
    assert.ok(epoch > 0, 'a server says in whose epoch it was made');
    if (epoch < newest) count += 1;
    newest = Math.max(newest, epoch);
  }
  return count;
}

test('[LE-7] [LE-8] [FL-3] two daemons on one broker: whatever is killed or frozen, no intent is executed twice', {
  timeout: 240_000,
}, async () => {
  const fleet = await startFleet();
  try {
    await atRest(fleet, 'begin');
    for (const [label, make] of Object.entries(TROUBLES)) {
      const holder = await atRest(fleet, label);
      await beginMaking(fleet);
      await make(fleet, holder);
      await atRest(fleet, `after ${label}`);
    }
    const tokens = fleet.at.cloud.tokens();
    assert.equal(new Set(tokens).size, tokens.length, 'one server for each intent, ever');
    assert.ok(fleet.at.cloud.most() <= MOST, `${fleet.at.cloud.most()} servers at once`);
    const troubles = Object.keys(TROUBLES).length;
    assert.ok(late(fleet) <= troubles, `${late(fleet)} came late`);
  } finally {
    for (const { daemon } of fleet.nodes) daemon.process.kill('SIGCONT');
    for (const { site } of fleet.nodes) await site.close();
    await fleet.at.close();
    await fleet.broker.close();
  }
});
