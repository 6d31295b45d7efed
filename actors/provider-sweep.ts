/**
 * One look at everything a provider has with our tags: whose is it?
 *
 * Input:  the provider, who is known to be claimed, the store. Output: what nobody owns, or a failure;
 *         what belongs to an instance that does not know it yet is told to that instance.
 *
 * An instance that asked about a provider id in this life claims it. Of the others the row is read, after
 * the list: a row is older than what it asked for, so one that is not there never was, or is over; and
 * what is over by now is no longer at the provider either, which is asked once more.
 *
 * Rules: [OR-1] [OR-2] [OR-3] src/policy/orphans.ts; [OR-5] a page or a row that cannot be read makes the
 * whole look worthless.
 */
import type { InstanceMemory } from '../machines/instance-memory.js';
import type { ProviderFailure } from '../machines/model/failures.js';
import { type Address, addressOf } from '../machines/model/ids.js';
import type { Stranger, SweepMessage } from '../machines/model/orphans.js';
import { fail, ok, type Result } from '../machines/model/result.js';
import { belongingOf, type Claim } from '../src/policy/orphans.js';
import type { ProvidedInstance, Provider } from '../src/ports/provider.js';
import type { Store } from '../src/ports/store.js';
import type { Ownership } from './provider-calls.js';

/** Pages of a list: 100,000 instances in pages of 256, with room. */
export const LIST_PAGES_MAX = 1_000;

export interface SweepInput {
  readonly provider: Provider;
  readonly ownership: Ownership;
  readonly store: Pick<Store, 'loadFamily'>;
  isClaimed(providerId: string): boolean;
  /** An instance's own, which it does not know yet. */
  introduce(found: ProvidedInstance): void;
}

export type SweepResult = Extract<
  SweepMessage,
  { readonly type: 'orphans.listed' | 'orphans.unlisted' }
>;

export async function sweepProvider(input: SweepInput): Promise<SweepResult> {
  try {
    const swept = await compare(input);
    return swept.ok ? swept.value : { type: 'orphans.unlisted', failure: swept.failure };
  } catch (error) {
    // A driver with a bug: loud elsewhere, ignorance here.
    const failure = { code: 'unavailable', message: String(error) } as const;
    return { type: 'orphans.unlisted', failure };
  }
}

/** Everything the provider has with our tags. A part of it is a failure. */
export async function listAll(
  provider: Provider,
  installation: string,
): Promise<Result<readonly ProvidedInstance[], ProviderFailure>> {
  const all: ProvidedInstance[] = [];
  let page: string | undefined;
  for (let pages = 0; pages < LIST_PAGES_MAX; pages += 1) {
    const listed = await provider.list(installation, page);
    if (!listed.ok) return listed;
    // A driver that lists too much makes nobody else's instances ours.
    all.push(...listed.value.instances.filter(({ tags }) => tags.installation === installation));
    page = listed.value.next;
    if (page === undefined) return ok(all);
  }
  const message = `its list has more than ${LIST_PAGES_MAX} pages`;
  return fail({ code: 'unavailable', message });
}

async function compare(input: SweepInput): Promise<Result<SweepResult, ProviderFailure>> {
  const { provider, ownership } = input;
  const listed = await listAll(provider, ownership.installation);
  if (!listed.ok) return listed;
  const strangers: Stranger[] = [];
  let adopted = 0;
  for (const instance of listed.value) {
    if (input.isClaimed(instance.providerId)) continue;
    const claim = await claimOf(input.store, addressOf('instance', instance.tags.instance));
    if (!claim.ok) return claim;
    const { epoch } = instance.tags;
    const belonging = belongingOf({ ...instance, epoch }, claim.value, ownership.epoch);
    if (belonging === 'ours') continue;
    if (belonging === 'unmet') {
      adopted += 1;
      input.introduce(instance);
      continue;
    }
    const still = await provider.status(instance.providerId);
    if (!still.ok && still.failure.code !== 'not-found') return still;
    if (still.ok && still.value.state === 'running') {
      strangers.push(strangerOf(instance, belonging));
    }
  }
  return ok({ type: 'orphans.listed', strangers, listed: listed.value.length, adopted });
}

async function claimOf(
  store: SweepInput['store'],
  address: Address,
): Promise<Result<Claim, ProviderFailure>> {
  const family = await store.loadFamily(address);
  if (!family.ok) return fail({ code: 'unavailable', message: family.failure.message });
  const row = family.value.find((cell) => cell.address === address);
  if (row === undefined) return ok('none');
  if (row.damaged !== undefined) return ok('unreadable');
  const { token, providerId, state } = row.context as unknown as InstanceMemory;
  const known = typeof token === 'string' && typeof state === 'string' && providerId !== undefined;
  return ok(known ? { token, providerId, state } : 'unreadable');
}

function strangerOf(
  { providerId, token, address, tags }: ProvidedInstance,
  why: Stranger['why'],
): Stranger {
  const { tenant, group, instance } = tags;
  return { providerId, token, tenant, group, instance, address, why };
}
