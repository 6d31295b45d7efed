/**
 * The TLS door: agents, operators' programs and operators on one TCP address.
 *
 * Input: where, whose certificates, which services. Output: its address, or one sentence that names the
 * configuration key. Sockets are taken here and handed to grpc-js, so that they are counted before anybody
 * has said a word.
 *
 * Rules: [ID-18] what is too much (connections, calls, bytes, headers, time) costs the peer its own
 * connection and nobody else's; [CL-9] a door that cannot be opened.
 */
import { type AddressInfo, createServer, type Server as TcpServer } from 'node:net';
import { Server, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import { parseListen } from '../http/listen.js';
import { AGENT_LIMITS } from './agent-limits.js';
import { CONTROL_MESSAGE_BYTES_MAX } from './definition.js';
import type { DoorCredentials } from './tls.js';

export interface TcpDoorOptions {
  /** `host:port`. */
  readonly listen: string;
  readonly credentials: DoorCredentials;
  readonly services: readonly {
    readonly definition: ServiceDefinition;
    readonly implementation: UntypedServiceImplementation;
  }[];
}

export interface TcpDoor {
  readonly address: string;
  close(): Promise<void>;
}

/** How long open streams may take to end before they are cut. */
const CLOSE_GRACE_MS = 1_000;

export async function openTcpDoor(options: TcpDoorOptions): Promise<Result<TcpDoor, string>> {
  const { listen, credentials, services } = options;
  const place = parseListen(listen);
  if (place === undefined) return fail(`api.listen is '${listen}': write HOST:PORT`);
  const grpc = new Server({
    'grpc.max_receive_message_length': CONTROL_MESSAGE_BYTES_MAX,
    'grpc.max_concurrent_streams': AGENT_LIMITS.callsPerConnectionMax,
    'grpc.keepalive_time_ms': AGENT_LIMITS.keepaliveMs,
    'grpc.keepalive_timeout_ms': AGENT_LIMITS.keepaliveTimeoutMs,
    'grpc.max_connection_idle_ms': AGENT_LIMITS.idleMs,
    'grpc-node.max_session_memory': AGENT_LIMITS.sessionMegabytesMax,
    'grpc.enable_channelz': 0,
  });
  for (const { definition, implementation } of services)
    grpc.addService(definition, implementation);
  const injector = grpc.createConnectionInjector(credentials);
  const tcp = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => undefined);
    injector.injectConnection(socket);
  });
  tcp.maxConnections = AGENT_LIMITS.connectionsMax;
  const failure = await bind(tcp, place);
  if (failure !== undefined) return fail(sentenceFor(failure, listen));
  return ok({ address: addressOf(tcp), close: () => close(tcp, grpc, injector) });
}

function bind(
  tcp: TcpServer,
  place: { readonly host: string; readonly port: number },
): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    tcp.once('error', resolve);
    tcp.listen({ ...place }, () => {
      tcp.off('error', resolve);
      resolve(undefined);
    });
  });
}

function sentenceFor({ code, message }: NodeJS.ErrnoException, listen: string): string {
  if (code === 'EADDRINUSE') {
    return `${listen} is in use by another program: stop it, or set api.listen to a free address`;
  }
  return `cannot listen on ${listen}: ${message}; correct api.listen`;
}

function addressOf(tcp: TcpServer): string {
  const { address, port, family } = tcp.address() as AddressInfo;
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
}

async function close(
  tcp: TcpServer,
  grpc: Server,
  injector: ReturnType<Server['createConnectionInjector']>,
): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    tcp.close(() => resolve());
  });
  injector.drain(CLOSE_GRACE_MS);
  const gone = new Promise<void>((resolve) => {
    const timer = setTimeout(() => {
      grpc.forceShutdown();
      resolve();
    }, CLOSE_GRACE_MS);
    grpc.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
  await gone;
  injector.destroy();
  await closed;
}
