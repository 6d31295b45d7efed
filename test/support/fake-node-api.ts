/**
 * A scripted node behind the doors: answers what the test put in, remembers what was asked, and follows
 * an event stream that the test writes.
 */
import type { Refusal } from '../../machines/model/failures.js';
import type { Address } from '../../machines/model/ids.js';
import type { Json, JsonObject } from '../../machines/model/json.js';
import type { Message } from '../../machines/model/messages.js';
import { ok, type Result } from '../../machines/model/result.js';
import type {
  GivenConfig,
  ListFilter,
  NodeApi,
  ReloadRequest,
  WatchItem,
} from '../../src/ports/node-api.js';
import type { JournalEntry, OutboxRow } from '../../src/ports/store.js';
import { FAKE_LISTS, FAKE_STATUS } from './fake-node-data.js';

export interface FakeNode {
  readonly api: NodeApi;
  /** Every call that acts or lists, in order. */
  readonly asked: readonly Asked[];
  readonly script: Script;
  /** Appends to the event stream; returns its sequence. */
  emit(item?: Partial<WatchItem>): number;
  /** Watches open now. */
  watchers(): number;
}

export type Asked =
  | { readonly call: 'list'; readonly kind: string; readonly filter: ListFilter }
  | { readonly call: 'ask' | 'tell'; readonly to: Address; readonly message: Message }
  | { readonly call: 'plan'; readonly given?: GivenConfig }
  | { readonly call: 'reload'; readonly request: ReloadRequest };

/** What the node says; tests change it as they go. */
export interface Script {
  status: JsonObject;
  lists: Readonly<Record<string, readonly JsonObject[]>>;
  answer: Result<Json, Refusal>;
  /** Actors by address. */
  views: Readonly<Record<string, JsonObject>>;
  reload: JsonObject;
  plan: JsonObject;
  planGroup: (wish: JsonObject) => ReturnType<NodeApi['planGroup']>;
  history: readonly JsonObject[];
  ready: { readonly ready: boolean; readonly reasons: readonly string[] };
  chain: readonly JournalEntry[];
  outbox: readonly OutboxRow[];
  /** Thrown by every question: a bug inside the daemon. */
  defect: Error | undefined;
}

export function fakeNode(): FakeNode {
  const script: Script = {
    status: FAKE_STATUS,
    lists: FAKE_LISTS,
    answer: ok({ ok: true }),
    views: {},
    reload: { status: 'unchanged', generation: 3, trigger: 'api' },
    plan: {
      changes: [],
      instances: [],
      dataplane: [],
      restartOnly: [],
      disruptive: [],
      problems: [],
    },
    planGroup: (wish) => ok({ name: 'x', ...wish } as never),
    history: [],
    ready: { ready: true, reasons: [] },
    chain: [],
    outbox: [],
    defect: undefined,
  };
  const asked: Asked[] = [];
  const stream = createStream();
  const told = <T>(value: T): Promise<T> =>
    script.defect === undefined ? Promise.resolve(value) : Promise.reject(script.defect);

  const api: NodeApi = {
    status: () => told(script.status),
    list: (kind, filter) => {
      asked.push({ call: 'list', kind, filter });
      const all = script.lists[kind] ?? [];
      return told(all.slice(0, filter.limit ?? all.length));
    },
    show: (kind, name) =>
      told((script.lists[`${kind}s`] ?? []).find((item) => isNamed(item, name))),
    view: (address) => told(script.views[address]),
    tell: (to, message) => void asked.push({ call: 'tell', to, message }),
    ask: (to, message) => {
      asked.push({ call: 'ask', to, message });
      return told(script.answer);
    },
    dataplane: () => told({ driver: 'simulated', connected: true, vips: [] }),
    why: () => told(script.chain),
    watch: stream.watch,
    reload: (request) => {
      asked.push({ call: 'reload', request });
      return told(script.reload);
    },
    plan: (given) => {
      asked.push({ call: 'plan', ...(given === undefined ? {} : { given }) });
      return told(script.plan);
    },
    planGroup: (_, wish) => script.planGroup(wish),
    reloadStatus: () => told(script.reload),
    reloadHistory: () => told(script.history),
    outbox: ({ limit }) => told(script.outbox.slice(0, limit)),
    ready: () => told(script.ready),
  };
  return { api, asked, script, emit: stream.emit, watchers: stream.watchers };
}

function isNamed({ id, name, tenant }: JsonObject, wanted: string): boolean {
  return [id, name, `${tenant}/${name}`].includes(wanted);
}

/** Calls listeners in a later turn, as the journal's reader does. */
function createStream() {
  const items: WatchItem[] = [];
  const watches = new Set<() => void>();

  const watch: NodeApi['watch'] = (since, listener) => {
    let cursor = since < 0 ? items.length : since;
    let stopped = false;
    const deliver = (): void => {
      for (const item of items.slice(cursor)) {
        if (stopped) return;
        cursor = item.seq;
        listener(item);
      }
    };
    const later = (): void => void setImmediate(deliver);
    watches.add(later);
    later();
    return () => {
      stopped = true;
      watches.delete(later);
    };
  };

  const emit = (item: Partial<WatchItem> = {}): number => {
    const seq = items.length + 1;
    items.push({ ...FIRST_ITEM, ...item, seq });
    for (const later of watches) later();
    return seq;
  };

  return { watch, emit, watchers: () => watches.size };
}

const FIRST_ITEM: WatchItem = {
  seq: 0,
  at: '2026-03-01T12:00:00.250Z',
  kind: 'group',
  object: 'acme/web',
  event: 'group.member_wanted',
  rule: 'GR-4',
  numbers: { size: 3, present: 2 },
  cause: 'd000000000001',
};
