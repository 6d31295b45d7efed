/**
 * The tenant manager's answer to a replay or a poll, read strictly: one thing that cannot be right
 * refuses the whole answer, because a guess here makes or deletes a tenant.
 *
 * Input:  the text, and what was asked. Output: the page, or one sentence saying what is wrong with it.
 *
 * Rules: [TE-20] ids, kinds and names are as agreed; [TE-21] the events of a poll are newer than its
 * cursor, ascend, and are no more than were asked for. Unknown fields are ignored.
 */
import { fail, ok, type Result } from '../../../machines/model/result.js';
import type { TenancyEvent, TenancyPage } from '../../ports/tenancy-api.js';
import { RESOURCE_NAME_LENGTH_MAX } from './limits.js';

/** Absent: a replay, whose events have no ids of their own. */
export interface Asked {
  readonly after: number;
  readonly limit: number;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

type Fields = Readonly<Record<string, unknown>>;

export function readPage(text: string, asked?: Asked): Result<TenancyPage, string> {
  const parsed = parseJson(text);
  if (!isFields(parsed)) return fail('the answer is no JSON object');
  const { events: listed, lastEventId } = parsed;
  if (!isSequence(lastEventId)) return fail('lastEventId is no whole number from 0');
  if (!Array.isArray(listed)) return fail('events is no list');
  if (asked !== undefined && listed.length > asked.limit) {
    return fail(`${listed.length} events where ${asked.limit} were asked for`);
  }
  const events: TenancyEvent[] = [];
  let last = asked?.after;
  for (const [index, raw] of (listed as readonly unknown[]).entries()) {
    const event = readEvent(raw);
    if (!event.ok) return fail(`event ${index}: ${event.failure}`);
    const { id } = event.value;
    if (last !== undefined && id <= last) return fail(`event ${index}: id ${id} after ${last}`);
    if (last !== undefined) last = id;
    events.push(event.value);
  }
  return ok({ events, lastEventId });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSequence(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function readEvent(raw: unknown): Result<TenancyEvent, string> {
  if (!isFields(raw)) return fail('no object');
  const { id, eventType, resourceType, resourceId, resourceName } = raw;
  if (!isSequence(id)) return fail('id is no whole number from 0');
  if (eventType !== 'created' && eventType !== 'deleted') return fail('eventType is unknown');
  if (resourceType !== 'org' && resourceType !== 'project') return fail('resourceType is unknown');
  if (typeof resourceId !== 'string' || !UUID.test(resourceId)) {
    return fail('resourceId is no UUID');
  }
  if (!isResourceName(resourceName)) return fail('resourceName is no name');
  const base = { id, eventType, resourceType, resourceId, resourceName } as const;
  return withOrg(base, raw);
}

function withOrg(event: TenancyEvent, { orgId, orgName }: Fields): Result<TenancyEvent, string> {
  if (isPresent(orgId) && !(typeof orgId === 'string' && UUID.test(orgId))) {
    return fail('orgId is no UUID');
  }
  if (isPresent(orgName) && !isResourceName(orgName)) return fail('orgName is no name');
  return ok({
    ...event,
    ...(typeof orgId === 'string' ? { orgId } : {}),
    ...(typeof orgName === 'string' ? { orgName } : {}),
  });
}

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function isResourceName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= RESOURCE_NAME_LENGTH_MAX;
}
