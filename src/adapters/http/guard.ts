/**
 * Who may act over HTTP: a program on this host that knows what it does, and no web page.
 *
 * The peer must be on loopback; the header `X-Switchyard: 1` cannot be sent by a form or by a page of
 * another origin; and the `Host` must be an address or `localhost`, so that no foreign name that was
 * made to point here passes for this origin.
 */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/** Why the request may not act; `undefined`: it may. */
export function refusalOf(request: IncomingMessage): string | undefined {
  if (!isLoopback(request.socket.remoteAddress ?? '')) {
    return 'only programs on this host may act: use the command line or call from loopback';
  }
  if (request.headers['x-switchyard'] !== '1') {
    return "the header 'X-Switchyard: 1' is missing: it keeps web pages of others from acting";
  }
  if (!isOwnHost(request.headers.host)) {
    return 'the Host header must be an address or localhost: other names may be forged';
  }
  return undefined;
}

export function isLoopback(address: string): boolean {
  return /^(::ffff:)?127\./.test(address) || address === '::1';
}

/** Whether a `Host` header is an address or `localhost`, with or without a port. */
export function isOwnHost(host: string | undefined): boolean {
  const name = (host ?? '').replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return name === 'localhost' || isIP(name) !== 0;
}
