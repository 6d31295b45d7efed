/**
 * Finds the authority of a daemon from the pin in a token: the daemon shows its chain, and the authority in it
 * is believed when its key has the pinned digest. Nothing secret is said on this connection.
 *
 * Rules: [ID-30] the token is shown to nobody but the daemon that made it.
 */
import { X509Certificate } from 'node:crypto';
import { connect, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import { AGENT_SERVER_NAME } from '../agent-ca/authority.js';
import { keyDigest } from '../agent-ca/certificate.js';

export interface Place {
  readonly host: string;
  readonly port: number;
}

const HANDSHAKE_MS = 10_000;

/** @returns the authority's certificate, PEM. */
export function authorityByPin(place: Place, pin: string): Promise<Result<string, string>> {
  return new Promise((resolve) => {
    const socket = connect({
      ...place,
      servername: AGENT_SERVER_NAME,
      ALPNProtocols: ['h2'],
      minVersion: 'TLSv1.3',
      // Whom to believe is what this connection finds out.
      rejectUnauthorized: false,
      timeout: HANDSHAKE_MS,
    });
    const finish = (result: Result<string, string>): void => {
      socket.destroy();
      resolve(result);
    };
    socket.once('secureConnect', () => finish(pinned(socket, pin)));
    socket.once('timeout', () => finish(fail('it does not answer')));
    socket.once('error', (error) => finish(fail(error.message)));
  });
}

function pinned(socket: TLSSocket, pin: string): Result<string, string> {
  const chain = chainOf(socket.getPeerCertificate(true));
  const authority = chain.find((certificate) => keyDigest(certificate.publicKey) === pin);
  const leaf = chain[0];
  const signed = authority !== undefined && leaf?.verify(authority.publicKey) === true;
  if (authority === undefined || !signed) {
    return fail('it is not the daemon this token was made by: its authority has another key');
  }
  return ok(authority.toString());
}

const CHAIN_MAX = 8;

function chainOf(first: DetailedPeerCertificate): readonly X509Certificate[] {
  const chain: X509Certificate[] = [];
  let next: DetailedPeerCertificate | undefined = first;
  while (next?.raw !== undefined && chain.length < CHAIN_MAX) {
    chain.push(new X509Certificate(next.raw));
    next = next.issuerCertificate === next ? undefined : next.issuerCertificate;
  }
  return chain;
}
