/**
 * One connection to NATS, opened when it is first used and again when it is lost for good.
 *
 * Input: servers, credentials and TLS files (read anew at every opening). Output: a connection that is
 * up, or a sentence that says why there is none: nobody waits for a server that is away.
 */
import { readFileSync } from 'node:fs';
import {
  connect,
  credsAuthenticator,
  type NatsConnection,
  type NodeConnectionOptions,
} from '@nats-io/transport-node';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import { CONNECT_TIMEOUT_MS, RECONNECT_WAIT_MS } from './limits.js';

export interface NatsAccess {
  readonly servers: readonly string[];
  /** Shown by the server's monitoring. */
  readonly name: string;
  /** A `.creds` file: user JWT and NKey seed. */
  readonly credentials?: string;
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
}

export interface NatsLink {
  use(): Promise<Result<NatsConnection, string>>;
  /** Up at this moment. */
  readonly isUp: boolean;
  close(): Promise<void>;
}

export function createNatsLink(access: NatsAccess): NatsLink {
  let current: NatsConnection | undefined;
  let opening: Promise<Result<NatsConnection, string>> | undefined;
  let isUp = false;
  let closed = false;

  const follow = async (connection: NatsConnection): Promise<void> => {
    for await (const { type } of connection.status()) {
      if (connection !== current) return;
      if (type === 'disconnect' || type === 'staleConnection') isUp = false;
      if (type === 'reconnect') isUp = true;
    }
  };

  const forget = (connection: NatsConnection): void => {
    if (connection !== current) return;
    current = undefined;
    isUp = false;
  };

  const open = async (): Promise<Result<NatsConnection, string>> => {
    try {
      const connection = await connect(optionsOf(access));
      if (closed) {
        await connection.close();
        return fail('the connection was closed');
      }
      current = connection;
      isUp = true;
      follow(connection).catch(() => forget(connection));
      connection.closed().then(
        () => forget(connection),
        () => forget(connection),
      );
      return ok(connection);
    } catch (error) {
      return fail(`NATS at ${access.servers.join(', ')}: ${sayError(error)}`);
    }
  };

  return {
    use: async () => {
      if (closed) return fail('the connection was closed');
      if (current !== undefined) return isUp ? ok(current) : fail(lost(access));
      opening ??= open().finally(() => {
        opening = undefined;
      });
      return opening;
    },
    get isUp() {
      return isUp;
    },
    close: async () => {
      closed = true;
      await opening;
      const connection = current;
      current = undefined;
      isUp = false;
      await connection?.close();
    },
  };
}

function lost({ servers }: NatsAccess): string {
  return `NATS at ${servers.join(', ')}: the connection is lost; it comes back by itself`;
}

function optionsOf({ servers, name, credentials, tls }: NatsAccess): NodeConnectionOptions {
  return {
    servers: [...servers],
    name,
    timeout: CONNECT_TIMEOUT_MS,
    reconnectTimeWait: RECONNECT_WAIT_MS,
    maxReconnectAttempts: -1,
    // A server that refuses us today may have been told about us tomorrow.
    ignoreAuthErrorAbort: true,
    ...(credentials === undefined
      ? {}
      : { authenticator: credsAuthenticator(readFileSync(credentials)) }),
    ...(tls === undefined ? {} : { tls: filesOf(tls) }),
  };
}

function filesOf({ ca, cert, key }: NonNullable<NatsAccess['tls']>) {
  return {
    ...(ca === undefined ? {} : { caFile: ca }),
    ...(cert === undefined ? {} : { certFile: cert }),
    ...(key === undefined ? {} : { keyFile: key }),
  };
}

/** What a library's error says, with the cause that it often hides. */
export function sayError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? error.cause.message : '';
  const text = error.message === '' ? error.name : error.message;
  return cause === '' || text.includes(cause) ? text : `${text} (${cause})`;
}
