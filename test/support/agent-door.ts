/**
 * The door for agents on a scripted node: a real authority, a real TLS door, instances and identities as the
 * test says.
 */
import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Refusal } from '../../machines/model/failures.js';
import { type Address, type InstanceId, parseInstanceId } from '../../machines/model/ids.js';
import type { Json, JsonObject } from '../../machines/model/json.js';
import type { Message } from '../../machines/model/messages.js';
import { fail, ok, type Result } from '../../machines/model/result.js';
import { type Authority, openAuthority } from '../../src/adapters/agent-ca/authority.js';
import {
  type AgentClient,
  connectAgent,
  type IdentityAnswer,
} from '../../src/adapters/agent-client/client.js';
import { createAgentCalls } from '../../src/adapters/grpc/agent-calls.js';
import { AGENT_LIMITS } from '../../src/adapters/grpc/agent-limits.js';
import { agentService } from '../../src/adapters/grpc/agent-service.js';
import { createAgentStreams } from '../../src/adapters/grpc/agent-streams.js';
import { guardedControl } from '../../src/adapters/grpc/control-guard.js';
import { boundedService, clientOf } from '../../src/adapters/grpc/definition.js';
import { createDrainBoard } from '../../src/adapters/grpc/drain-board.js';
import { operatorService } from '../../src/adapters/grpc/operator-service.js';
import { peerOf } from '../../src/adapters/grpc/peer.js';
import { reflectionServices } from '../../src/adapters/grpc/reflection-service.js';
import { controlService } from '../../src/adapters/grpc/server.js';
import { openTcpDoor } from '../../src/adapters/grpc/tcp-door.js';
import { DoorCredentials } from '../../src/adapters/grpc/tls.js';
import { systemClock } from '../../src/adapters/system/clock.js';
import { fakeNode } from './fake-node-api.js';
import { rememberingLog } from './quiet.js';

export const INSTANCE = instanceId('i-3f2a-0190abcdef0123456789');
export const OTHER = instanceId('i-3f2a-0190abcdef012345678a');
const CLIENT_TOKEN = 't-0190abcdef';
const HOUR_MS = 3_600_000;

function instanceId(text: string): InstanceId {
  return parseInstanceId(text) ?? assert.fail(text);
}

export interface DoorLab {
  readonly authority: Authority;
  readonly address: { readonly host: string; readonly port: number };
  readonly node: ReturnType<typeof fakeNode>;
  readonly log: ReturnType<typeof rememberingLog>;
  /** Key bound to each instance; a test may take one away. */
  readonly bound: Map<string, string>;
  /** Instances as they show themselves. */
  show(instance: InstanceId, more?: JsonObject): void;
  token(instance?: InstanceId, livesMs?: number): string;
  /** What was told to `agent/<instance>`. */
  told(type: string): readonly Message[];
  client(own?: { readonly certificate: string; readonly key: string }): AgentClient;
  /** Registers with a fresh key. */
  enrol(
    instance?: InstanceId,
  ): Promise<{ identity: IdentityAnswer; key: string; client: AgentClient }>;
  close(): Promise<void>;
}

export function keyPair(): {
  readonly publicKey: Buffer;
  readonly key: string;
  readonly raw: KeyObject;
} {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    publicKey: pair.publicKey.export({ type: 'spki', format: 'der' }),
    key: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    raw: pair.privateKey,
  };
}

export interface DoorLabOptions {
  readonly lifetimeMs?: number;
  readonly clientCa?: string;
  /** Of the authority, to be there afterwards; absent: a fresh one. */
  readonly dir?: string;
  readonly port?: number;
}

export async function openDoorLab(options: DoorLabOptions = {}): Promise<DoorLab> {
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'door-'));
  const clock = systemClock();
  const lifetimeMs = options.lifetimeMs ?? 24 * HOUR_MS;
  const opened = await openAuthority({ dir, installation: 'inst-1', lifetimeMs, clock });
  const authority = opened.ok ? opened.value : assert.fail(opened.failure);
  const node = fakeNode();
  const log = rememberingLog();
  const bound = new Map<string, string>();
  const api = {
    ...node.api,
    ask: async (to: Address, message: Message) => {
      const judged = judge(bound, to, message as { key?: string } & Message);
      return judged ?? node.api.ask(to, message);
    },
  };
  const show = (instance: InstanceId, more: JsonObject = {}): void => {
    const view = {
      id: instance,
      tenant: 'acme',
      group: 'web',
      state: 'serving',
      token: CLIENT_TOKEN,
    };
    node.script.views = { ...node.script.views, [`instance/${instance}`]: { ...view, ...more } };
  };
  show(INSTANCE);
  const board = createDrainBoard({ api, clock });
  const base = {
    board,
    clock,
    log,
    peerOf: (call: Parameters<Parameters<typeof agentService>[0]['peerOf']>[0]) =>
      peerOf(call.getAuthContext().sslPeerCertificate?.raw, authority, clock.now()),
  };
  const calls = createAgentCalls({ api, authority, clock, log });
  const streams = createAgentStreams({ api, clock, log });
  // The daemon's own certificate is good for longer than a test.
  const lasting = await openAuthority({
    dir,
    installation: 'inst-1',
    lifetimeMs: 24 * HOUR_MS,
    clock,
  });
  assert.ok(lasting.ok);
  const pair = lasting.value.certifyServer(['127.0.0.1']);
  const authorities = [
    authority.certificate,
    ...(options.clientCa === undefined ? [] : [options.clientCa]),
  ];
  const door = await openTcpDoor({
    listen: `127.0.0.1:${options.port ?? 0}`,
    credentials: new DoorCredentials({ agents: { cert: pair.pem, key: pair.keyPem }, authorities }),
    services: [
      {
        definition: boundedService('Agent', AGENT_LIMITS.messageBytesMax),
        implementation: agentService({ ...base, calls, streams }),
      },
      {
        definition: boundedService('Operator', 65_536),
        implementation: operatorService({ ...base, api, metricsOf: streams.metricsOf }),
      },
      {
        definition: clientOf('Control').service,
        implementation: guardedControl(controlService({ api, log }), base.peerOf),
      },
      ...reflectionServices(base.peerOf),
    ],
  });
  const { address, close } = door.ok ? door.value : assert.fail(door.failure);
  const [host = '', port = ''] = address.split(':');
  const place = { host, port: Number(port) };
  const clients: AgentClient[] = [];
  const client: DoorLab['client'] = (own) => {
    const made = connectAgent(
      place,
      { authority: authority.certificate, ...(own === undefined ? {} : { own }) },
      Date.now,
    );
    clients.push(made);
    return made;
  };
  const token: DoorLab['token'] = (instance = INSTANCE, livesMs = HOUR_MS) =>
    authority.mintToken({ clientToken: CLIENT_TOKEN, instance, expiresAtMs: Date.now() + livesMs });
  return {
    authority,
    address: place,
    node,
    log,
    bound,
    show,
    token,
    told: (type) =>
      node.asked.flatMap((one) =>
        one.call === 'tell' && one.message.type === type ? [one.message] : [],
      ),
    client,
    enrol: async (instance = INSTANCE) => {
      const { publicKey, key } = keyPair();
      const answer = await client().call<IdentityAnswer>('Register', {
        token: token(instance),
        publicKey,
      });
      const identity = answer.ok ? answer.value : assert.fail(answer.failure.message);
      return { identity, key, client: client({ certificate: identity.certificate, key }) };
    },
    close: async () => {
      for (const one of clients) one.close();
      await close();
      if (options.dir === undefined) rmSync(dir, { recursive: true });
    },
  };
}

/** As the identity actor does, without a store. */
function judge(
  bound: Map<string, string>,
  to: Address,
  message: { readonly key?: string } & Message,
): Result<Json, Refusal> | undefined {
  const [kind, instance = ''] = to.split('/');
  if (kind !== 'identity') return undefined;
  const known = bound.get(instance);
  const key = message.key ?? '';
  if (message.type === 'identity.enrol' && (known === undefined || known === key)) {
    bound.set(instance, key);
    return ok({ ok: true });
  }
  if (known === key) return ok({ ok: true });
  const rule = message.type === 'identity.enrol' ? 'ID-5' : 'ID-6';
  return fail({ code: 'refused', rule, message: `this key does not speak for ${instance}` });
}
