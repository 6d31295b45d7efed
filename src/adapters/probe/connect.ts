/**
 * Layers 4 and 6: a TCP connection from the wanted source address, and TLS on top of it.
 *
 * Output: a connected stream, or the outcome that explains why not. Connections are closed by reset:
 * a probe every second to thousands of backends must not leave sockets in TIME_WAIT.
 */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { HealthCheckSpec } from '../../../machines/model/desired.js';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import type { ProbeTarget } from '../../ports/prober.js';
import type { Attempt } from './attempt.js';
import { failed, type Outcome, refusalOf } from './outcome.js';

export type Connected = Result<Socket, Outcome>;

export function connectTcp(
  current: Attempt,
  target: ProbeTarget,
  check: HealthCheckSpec,
): Promise<Connected> {
  const source = target.address.includes(':') ? check.source6 : check.source4;
  const local = source === undefined ? {} : { localAddress: source };
  return new Promise((resolve) => {
    const socket = connect({ host: target.address, port: target.port, noDelay: true, ...local });
    current.closing(() => reset(socket));
    socket.once('connect', () => resolve(ok(socket)));
    // Stays for the socket's life: an error after the outcome is nobody's business any more.
    socket.on('error', (error) => resolve(fail(refusalOf(error))));
  });
}

/** The TLS stream that runs on a socket: it may say goodbye on the socket's behalf. */
const onTop = new WeakMap<Socket, Socket>();

/** A socket that already said goodbye cannot be reset: libuv refuses, and would spin on it for ever. */
function reset(socket: Socket): void {
  if (socket.destroyed) return;
  const saidGoodbye = socket.writableEnded || onTop.get(socket)?.writableEnded === true;
  if (saidGoodbye) socket.destroy();
  else socket.resetAndDestroy();
}

export function secure(
  current: Attempt,
  socket: Socket,
  { target, check }: { readonly target: ProbeTarget; readonly check: HealthCheckSpec },
): Promise<Connected> {
  current.layer = 'L6';
  const servername = check.serverName ?? nameIn(check.host);
  return new Promise((resolve) => {
    const stream = connectTls({
      socket,
      host: target.address,
      rejectUnauthorized: !check.insecureSkipVerify,
      ALPNProtocols: ['http/1.1'],
      ...(servername === undefined ? {} : { servername }),
    });
    onTop.set(socket, stream);
    current.closing(() => stream.destroy());
    stream.once('secureConnect', () => resolve(ok(stream)));
    stream.on('error', (error) => resolve(fail(failed('L6RSP', error.message))));
    stream.once('close', () => resolve(fail(failed('L6RSP', 'closed during the TLS handshake'))));
  });
}

/** Host header without its port; an address is no server name. */
function nameIn(host: string | undefined): string | undefined {
  const name = host?.replace(/:\d+$/, '');
  return name === undefined || /^[\d.]+$|[:[]/.test(name) ? undefined : name;
}
