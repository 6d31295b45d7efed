/**
 * Who is connected. VPP gives each connection a registration as it accepts it; the handle is its
 * slot with bit 31 set, starting at one, and a freed slot is handed out again at once.
 *
 * A reply goes to whoever owns the handle in the *request*. Handles without bit 31 belong to
 * shared-memory clients, of which there are none.
 */
import { emptyPool, type Pool, put, release } from './pool.js';

const SOCKET_BIT = 0x80000000;
const FIRST_SLOT = 1;

export type Registrations = Pool<true, null>;

export const noRegistrations: Registrations = emptyPool();

export function register(registrations: Registrations): {
  readonly registrations: Registrations;
  readonly handle: number;
} {
  const { pool, slot } = put(registrations, true as const);
  return { registrations: pool, handle: handleOf(slot) };
}

export function unregister(registrations: Registrations, handle: number): Registrations {
  return isRegistered(registrations, handle)
    ? release(registrations, slotOfHandle(handle), null)
    : registrations;
}

export function isRegistered(registrations: Registrations, handle: number): boolean {
  return handle >= SOCKET_BIT && registrations.slots[slotOfHandle(handle)] === true;
}

function handleOf(slot: number): number {
  return SOCKET_BIT + slot + FIRST_SLOT;
}

function slotOfHandle(handle: number): number {
  return handle - SOCKET_BIT - FIRST_SLOT;
}
