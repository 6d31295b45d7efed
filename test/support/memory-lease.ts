/** A lease server in memory, by any clock, and its clients; a client can be cut off. */
import { fail, ok } from '../../machines/model/result.js';
import type { Lease } from '../../src/ports/lease.js';

export interface LeaseServer {
  /** A client of its own connection. */
  connect(): CutLease;
  /** Who has it now. */
  holder(): string | undefined;
}

export interface CutLease extends Lease {
  /** Nothing of this client reaches the server. */
  cut: boolean;
}

export function leaseServer(ttlMs: number, now: () => number): LeaseServer {
  let revision = 0;
  let record: { writer: string; node: string; revision: number; atMs: number } | undefined;
  const live = () => (record !== undefined && now() < record.atMs + ttlMs ? record : undefined);
  const write = (writer: string, node: string) => {
    revision += 1;
    record = { writer, node, revision, atMs: now() };
    return ok({ revision });
  };
  const away = fail({ code: 'unavailable' as const, message: 'the lease server is away' });
  const lost = fail({ code: 'lost' as const, message: 'the lease is lost' });
  return {
    holder: () => live()?.node,
    connect: () => {
      const client: CutLease = {
        ttlMs,
        cut: false,
        acquire: async ({ writer, node }) => {
          if (client.cut) return away;
          const held = live();
          if (held === undefined || held.writer === writer) return write(writer, node);
          return fail({ code: 'held', message: `${held.node} holds the lease` });
        },
        renew: async ({ writer, node }, grant) => {
          if (client.cut) return away;
          return live()?.revision === grant.revision ? write(writer, node) : lost;
        },
        release: async (grant) => {
          if (client.cut) return away;
          if (live()?.revision === grant.revision) record = undefined;
          return ok(undefined);
        },
        close: async () => undefined,
      };
      return client;
    },
  };
}
