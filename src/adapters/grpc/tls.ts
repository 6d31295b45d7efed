/**
 * Credentials of the TLS door: which certificate is shown to whom, and whose are accepted. They may be
 * replaced while the door is open; connections that exist keep what they began with.
 *
 * Agents ask for the daemon by AGENT_SERVER_NAME, wherever they reach it, and are shown the certificate of
 * their own authority; everybody else is shown the configured one. A certificate of a client is asked for and
 * not demanded: Register is called without one, every other call looks at who it is.
 */
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { ServerCredentials } from '@grpc/grpc-js';
import { AGENT_SERVER_NAME } from '../agent-ca/authority.js';
import { AGENT_LIMITS } from './agent-limits.js';

export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

export interface TlsMaterial {
  /** Towards agents. */
  readonly agents: KeyPair;
  /** Towards everybody else; absent: the same. */
  readonly others?: KeyPair;
  /** PEM of those whose certificates are accepted. */
  readonly authorities: readonly string[];
}

type SniDone = (error: Error | null, context?: SecureContext) => void;

export class DoorCredentials extends ServerCredentials {
  readonly #shown: { agents: SecureContext };

  constructor(material: TlsMaterial) {
    const shown = { agents: createSecureContext(contextOf(material, material.agents)) };
    const { headerBytesMax, handshakeTimeoutMs, callsPerConnectionMax } = AGENT_LIMITS;
    super(
      {
        requestCert: true,
        rejectUnauthorized: false,
        handshakeTimeout: handshakeTimeoutMs,
        settings: {
          maxHeaderListSize: headerBytesMax,
          maxConcurrentStreams: callsPerConnectionMax,
        },
        // No context: the default one.
        SNICallback: (name: string, done: SniDone) =>
          name === AGENT_SERVER_NAME ? done(null, shown.agents) : done(null),
      },
      contextOf(material, material.others ?? material.agents),
    );
    this.#shown = shown;
  }

  /** Throws what Node says of keys and certificates that do not fit. */
  replace(material: TlsMaterial): void {
    const agents = createSecureContext(contextOf(material, material.agents));
    const others = contextOf(material, material.others ?? material.agents);
    // grpc-js would take what does not fit as a reason to let nobody in.
    createSecureContext(others);
    this.updateSecureContextOptions(others);
    this.#shown.agents = agents;
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

function contextOf({ authorities }: TlsMaterial, { cert, key }: KeyPair): SecureContextOptions {
  return { cert, key, ca: [...authorities], minVersion: 'TLSv1.3' };
}
