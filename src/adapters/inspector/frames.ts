/**
 * The three frames of the Stately inspector, made from one step of one actor.
 *
 *   @xstate.actor     once per session; alone carries the chart, as text
 *   @xstate.event     what the actor was sent
 *   @xstate.snapshot  how it stood afterwards; `status: 'error'` after a crash
 *
 * A session is one actor on one thread: an actor that moves to another thread begins a new one. The
 * group is the parent of its instances, the node the root of all.
 */
import type { Json, JsonObject } from '../../../machines/model/json.js';
import type { TapFrame } from '../../runtime/kernel.js';

/** Of the protocol, as the viewers know it. */
export const PROTOCOL_VERSION = '0.7.2';

interface Framed {
  readonly sessionId: string;
  readonly rootId: string;
  readonly id: string | null;
  readonly createdAt: string;
  readonly _version: string;
}

export interface Snapshot {
  readonly status: TapFrame['status'];
  readonly value: Json;
  readonly context: JsonObject;
  readonly children: JsonObject;
  readonly historyValue: JsonObject;
  readonly tags: readonly string[];
}

export interface ActorFrame extends Framed {
  readonly type: '@xstate.actor';
  readonly name: string;
  readonly parentId?: string;
  /** JSON of the machine's configuration. */
  readonly definition: string;
  readonly snapshot: Snapshot;
}

export interface EventFrame extends Framed {
  readonly type: '@xstate.event';
  readonly sourceId?: string;
  readonly event: { readonly type: string };
}

export interface SnapshotFrame extends Framed {
  readonly type: '@xstate.snapshot';
  readonly event: { readonly type: string };
  readonly snapshot: Snapshot;
}

export type StatelyFrame = ActorFrame | EventFrame | SnapshotFrame;

/** One step as the frames need it, without secrets. */
export interface Step {
  readonly node: string;
  readonly thread: string;
  readonly frame: TapFrame;
  /** Wall clock of the read, for steps that do not say when they were taken. */
  readonly atMs: number;
}

export function sessionOf({ thread, frame }: Pick<Step, 'thread' | 'frame'>): string {
  return `${thread}/${frame.address}`;
}

export function actorFrame(step: Step, definition: string): ActorFrame {
  const parentId = parentOf(step);
  return {
    type: '@xstate.actor',
    name: step.frame.address,
    ...framed(step, null),
    ...(parentId === undefined ? {} : { parentId }),
    definition,
    snapshot: snapshotOf(step.frame),
  };
}

/** The session that an address is shown as, if it is. */
export type SessionAt = (address: string) => string | undefined;

export interface Numbered {
  /** Steps told of this session, so that the id of each is its own. */
  readonly count: number;
  readonly sessionAt: SessionAt;
}

export function eventFrame(step: Step, { count, sessionAt }: Numbered): EventFrame {
  const { event } = step.frame;
  return {
    type: '@xstate.event',
    ...framed(step, `${sessionOf(step)}#${count}`),
    ...sourceOf(event, sessionAt),
    event: withoutMeta(event),
  };
}

export function snapshotFrame(step: Step): SnapshotFrame {
  return {
    type: '@xstate.snapshot',
    ...framed(step, null),
    event: withoutMeta(step.frame.event),
    snapshot: snapshotOf(step.frame),
  };
}

function framed(step: Step, id: string | null): Framed {
  return {
    sessionId: sessionOf(step),
    rootId: step.node,
    id,
    createdAt: String(metaOf(step.frame.event).at ?? step.atMs),
    _version: PROTOCOL_VERSION,
  };
}

function snapshotOf({ status, value, context }: TapFrame): Snapshot {
  return { status, value, context, children: {}, historyValue: {}, tags: [] };
}

interface Meta {
  readonly from?: string;
  readonly at?: number;
}

/** Who sent it, and when it was taken, stand in what the runtime added to the event. */
function metaOf(event: TapFrame['event']): Meta {
  const { meta } = event as { readonly meta?: { readonly from?: unknown; readonly at?: unknown } };
  return {
    ...(typeof meta?.from === 'string' ? { from: meta.from } : {}),
    ...(typeof meta?.at === 'number' ? { at: meta.at } : {}),
  };
}

/** The sender as the session it is shown as; one that is not shown, by its address. */
function sourceOf(event: TapFrame['event'], sessionAt: SessionAt): { readonly sourceId?: string } {
  const { from } = metaOf(event);
  return from === undefined ? {} : { sourceId: sessionAt(from) ?? from };
}

function withoutMeta(event: TapFrame['event']): { readonly type: string } {
  const { meta, ...rest } = event as TapFrame['event'] & { readonly meta?: unknown };
  return rest;
}

/** An instance and its group live on the same thread. */
function parentOf({ thread, frame }: Step): string | undefined {
  const { spec } = frame.context as { readonly spec?: { readonly key?: unknown } | null };
  const key = spec?.key;
  const isInstance = frame.address.startsWith('instance/');
  return isInstance && typeof key === 'string' ? `${thread}/group/${key}` : undefined;
}
