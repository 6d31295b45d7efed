/**
 * The TCP door of the API, and what lies behind it before it opens: the agents' authority, from which every
 * instance gets its token when it is made.
 *
 * Input: the configuration at start. Output: tokens for providers from the moment the authority is open, the
 * services once the node can answer. Certificates are renewed while it runs: our own in time, the configured
 * ones when their files change.
 *
 * Rules: [ID-19] certificates that cannot be used are told and change nothing: those before them stay.
 */

import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { fail, ok, type Result } from '../../machines/model/result.js';
import { type Authority, openAuthority } from '../adapters/agent-ca/authority.js';
import { createAgentCalls } from '../adapters/grpc/agent-calls.js';
import { AGENT_LIMITS } from '../adapters/grpc/agent-limits.js';
import { type AnyCall, agentService } from '../adapters/grpc/agent-service.js';
import { type AgentStreams, createAgentStreams } from '../adapters/grpc/agent-streams.js';
import { guardedControl } from '../adapters/grpc/control-guard.js';
import {
  boundedService,
  CONTROL_MESSAGE_BYTES_MAX,
  clientOf,
} from '../adapters/grpc/definition.js';
import type { DrainBoard } from '../adapters/grpc/drain-board.js';
import { healthService } from '../adapters/grpc/health-service.js';
import { operatorService } from '../adapters/grpc/operator-service.js';
import { type Peer, peerOf } from '../adapters/grpc/peer.js';
import { reflectionServices } from '../adapters/grpc/reflection-service.js';
import { controlService } from '../adapters/grpc/server.js';
import { openTcpDoor } from '../adapters/grpc/tcp-door.js';
import { DoorCredentials, type KeyPair, type TlsMaterial } from '../adapters/grpc/tls.js';
import { parseListen } from '../adapters/http/listen.js';
import type { Config } from '../config/complete.js';
import type { Cancel } from '../ports/clock.js';
import type { NodeApi } from '../ports/node-api.js';
import type { AgentEnrolment, EnrolClaims } from '../ports/provider.js';
import type { Parts } from './parts.js';

export interface AgentDoor {
  /** Undefined: there is no door for agents. */
  enrol(claims: EnrolClaims): AgentEnrolment | undefined;
  /** Before any instance is made; tells the authority from any other. */
  prepare(installation: string): Promise<Result<string | undefined, string>>;
  /** Of the newest report of an instance's agent, while it is connected. */
  metricsOf(instance: string): Readonly<Record<string, number>> | undefined;
  /** Undefined: nobody asked for one. */
  open(api: NodeApi, board: DrainBoard): Promise<Result<OpenDoor | undefined, string>>;
}

type TlsFiles = Config['api']['tls'];

export interface OpenDoor {
  readonly address: string;
  /** Shows what these files hold from the next connection on; rejects, and shows what it did, when it cannot. */
  reload(files: TlsFiles): Promise<void>;
  close(): Promise<void>;
}

/** Files of certificates are looked at again this often. */
const LOOK_MS = 10_000;

export function createAgentDoor(config: Config, parts: Parts): AgentDoor {
  const { listen, advertise, agentCa } = config.api;
  let authority: Authority | undefined;
  let streams: AgentStreams | undefined;
  let server = advertise ?? reachable(listen ?? '');
  return {
    enrol: ({ token, instance }) => {
      if (authority === undefined) return undefined;
      const expiresAtMs = parts.clock.now() + 2 * config.bootTimeout;
      return { token: authority.mintToken({ clientToken: token, instance, expiresAtMs }), server };
    },
    prepare: async (installation) => {
      if (listen === undefined) return ok(undefined);
      const { dir, lifetime: lifetimeMs } = agentCa;
      const opened = await openAuthority({ dir, installation, lifetimeMs, clock: parts.clock });
      if (!opened.ok) return opened;
      authority = opened.value;
      return ok(authority.fingerprint);
    },
    metricsOf: (instance) => streams?.metricsOf(instance),
    open: async (api, board) => {
      if (listen === undefined || authority === undefined) return ok(undefined);
      const { clock, log } = parts;
      streams = createAgentStreams({ api, clock, log });
      const files = config.api.tls;
      const { reflection } = config.api;
      const input = { files, parts, authority, listen, api, board, streams, reflection };
      const opened = await openDoor(input);
      if (opened.ok && advertise === undefined) server = reachable(listen, opened.value.address);
      return opened;
    },
  };
}

/** Where an agent is told to call; a port that the kernel chose is known only when it is bound. */
function reachable(listen: string, bound = listen): string {
  const port = parseListen(bound)?.port ?? 0;
  const host = parseListen(listen)?.host ?? '';
  if (['0.0.0.0', '::', ''].includes(host)) return `${hostname()}:${port}`;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

interface DoorInput {
  /** `api.tls`, as the last reload had it. */
  files: TlsFiles;
  readonly parts: Parts;
  readonly authority: Authority;
  readonly listen: string;
  readonly api: NodeApi;
  readonly board: DrainBoard;
  readonly streams: AgentStreams;
  /** Tools may ask which services there are. */
  readonly reflection: boolean;
}

async function openDoor(input: DoorInput): Promise<Result<OpenDoor, string>> {
  const { authority, listen, parts } = input;
  const first = await materialOf(input);
  if (!first.ok) return first;
  const credentials = credentialsFor(first.value);
  if (!credentials.ok) return credentials;
  const opened = await openTcpDoor({
    listen,
    credentials: credentials.value,
    services: servicesOf(input, authority),
  });
  if (!opened.ok) return opened;
  const { stop, look } = renew(input, credentials.value, first.value);
  const reload = async (files: TlsFiles): Promise<void> => {
    const before = input.files;
    input.files = files;
    const refusal = await look();
    if (refusal === undefined) return;
    input.files = before;
    throw new Error(refusal);
  };
  const { address, close } = opened.value;
  parts.log.info({ address }, 'agents and operators may call');
  return ok({
    address,
    reload,
    close: () => {
      stop();
      return close();
    },
  });
}

function credentialsFor(material: TlsMaterial): Result<DoorCredentials, string> {
  try {
    return ok(new DoorCredentials(material));
  } catch (error) {
    return fail(`api.tls: the certificate and the key cannot be used: ${messageOf(error)}`);
  }
}

function servicesOf(input: DoorInput, authority: Authority) {
  const { parts, api, board, streams } = input;
  const { clock, log } = parts;
  const peer = (call: AnyCall): Peer => {
    const raw = call.getAuthContext().sslPeerCertificate?.raw;
    const found = peerOf(raw, authority, clock.now());
    // Without an authority of theirs nobody can be an operator here.
    return found.kind === 'operator' && input.files.clientCa === undefined
      ? { kind: 'nobody' }
      : found;
  };
  const calls = createAgentCalls({ api, authority, clock, log });
  const base = { board, clock, log, peerOf: peer };
  return [
    {
      definition: boundedService('Agent', AGENT_LIMITS.messageBytesMax),
      implementation: agentService({ ...base, calls, streams }),
    },
    {
      definition: boundedService('Operator', CONTROL_MESSAGE_BYTES_MAX),
      implementation: operatorService({ ...base, api, metricsOf: streams.metricsOf }),
    },
    {
      definition: clientOf('Health').service,
      implementation: healthService({ api, clock }),
    },
    {
      definition: clientOf('Control').service,
      implementation: guardedControl(controlService({ api, log }), peer),
    },
    ...(input.reflection ? reflectionServices(peer) : []),
  ];
}

// --- certificates -------------------------------------------------------------------------------

interface Shown extends TlsMaterial {
  /** When our own certificate has to be made anew. */
  readonly renewAtMs: number;
  /** What the configured files say; compared to notice a change. */
  readonly text: string;
}

async function materialOf(input: DoorInput, before?: Shown): Promise<Result<Shown, string>> {
  const { authority, listen, parts } = input;
  const { cert, key, clientCa } = input.files;
  const nowMs = parts.clock.now();
  try {
    const read = (path: string | undefined) =>
      path === undefined ? undefined : readFile(path, 'utf8');
    const [certText, keyText, caText] = await Promise.all([read(cert), read(key), read(clientCa)]);
    const others =
      certText === undefined || keyText === undefined
        ? undefined
        : checked(certText, keyText, nowMs);
    const text = JSON.stringify([certText, keyText, caText]);
    const own =
      before !== undefined && nowMs < before.renewAtMs ? before : ownPair(authority, listen, nowMs);
    return ok({
      agents: own.agents,
      renewAtMs: own.renewAtMs,
      text,
      authorities: [authority.certificate, ...(caText === undefined ? [] : [caText])],
      ...(others === undefined ? {} : { others }),
    });
  } catch (error) {
    return fail(`api.tls: ${messageOf(error)}`);
  }
}

function ownPair(authority: Authority, listen: string, nowMs: number) {
  const host = parseListen(listen)?.host ?? 'localhost';
  const pair = authority.certifyServer([...new Set([host, 'localhost', hostname()])]);
  const agents: KeyPair = { cert: pair.pem, key: pair.keyPem };
  return { agents, renewAtMs: nowMs + ((pair.notAfterMs - nowMs) * 2) / 3 };
}

function checked(cert: string, key: string, nowMs: number): KeyPair {
  const endsAtMs = Date.parse(new X509Certificate(cert).validTo);
  if (endsAtMs <= nowMs) throw new Error('the certificate has expired');
  return { cert, key };
}

interface Renewals {
  readonly stop: Cancel;
  /** Answers why what is there cannot be shown. */
  look(): Promise<string | undefined>;
}

function renew(input: DoorInput, credentials: DoorCredentials, first: Shown): Renewals {
  const { clock, log } = input.parts;
  let shown = first;
  let told = '';
  let stopped = false;
  let cancel: Cancel = () => undefined;
  const complain = (message: string): string => {
    if (message !== told) log.error({}, message);
    told = message;
    return message;
  };
  const look = async (): Promise<string | undefined> => {
    const next = await materialOf(input, shown);
    if (!next.ok) return complain(next.failure);
    const isSame = next.value.text === shown.text && next.value.renewAtMs === shown.renewAtMs;
    if (isSame) return undefined;
    try {
      credentials.replace(next.value);
      shown = next.value;
      told = '';
      log.info({}, 'certificates of the API replaced');
      return undefined;
    } catch (error) {
      return complain(`api.tls: the certificate and the key cannot be used: ${messageOf(error)}`);
    }
  };
  const again = (): void => {
    if (stopped) return;
    cancel = clock.after(LOOK_MS, () => void look().finally(again));
  };
  again();
  const stop = (): void => {
    stopped = true;
    cancel();
  };
  return { stop, look };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
