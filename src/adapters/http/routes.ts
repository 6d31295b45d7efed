/**
 * What each path of the admin port answers. A table from path to methods: unknown paths are 404, known
 * ones with another method are 405 and say which they take.
 *
 * The objects are those of the command line and of the Control service (docs/API.md).
 */
import type { IncomingMessage } from 'node:http';
import { type NodeApi, RESOURCE_KINDS, type ResourceKind } from '../../ports/node-api.js';
import { objectMetrics } from '../metrics/objects.js';
import { refusalOf } from './guard.js';
import { filterOf, isOn, type Target } from './query.js';
import { json, problem, type Reply, text } from './reply.js';

export interface RouteOptions {
  readonly api: NodeApi;
  readonly metrics: () => Promise<{ readonly text: string; readonly contentType: string }>;
  readonly page: Reply;
}

export interface Asked {
  readonly request: IncomingMessage;
  readonly target: Target;
}

export type Handler = (asked: Asked) => Promise<Reply>;

/** By path, then by method. `HEAD` is answered as `GET`; Node leaves out the body. */
export type Routes = ReadonlyMap<string, Readonly<Record<string, Handler>>>;

export function createRoutes({ api, metrics, page }: RouteOptions): Routes {
  const get = (handler: Handler) => ({ GET: handler });
  return new Map<string, Readonly<Record<string, Handler>>>([
    ['/', get(async () => page)],
    ['/healthz', get(async () => text('ok\n'))],
    ['/readyz', get(() => readiness(api))],
    ['/metrics', get(() => metricsPage(api, metrics))],
    ['/api/v1/status', get(async () => json(await api.status()))],
    ['/api/v1/reload', { GET: async () => json(await api.reloadStatus()), POST: reload(api) }],
    ...RESOURCE_KINDS.map((kind) => [`/api/v1/${kind}`, get(list(api, kind))] as const),
  ]);
}

async function readiness(api: NodeApi): Promise<Reply> {
  const { ready, reasons } = await api.ready();
  return json({ ready, reasons }, ready ? 200 : 503);
}

/** What the threads counted, then what the node has. */
async function metricsPage(api: NodeApi, metrics: RouteOptions['metrics']): Promise<Reply> {
  const [counted, objects] = await Promise.all([metrics(), objectMetrics(api)]);
  return text(`${counted.text}${objects}`, counted.contentType);
}

function list(api: NodeApi, kind: ResourceKind): Handler {
  return async ({ target }) => {
    const filter = filterOf(target.query);
    if (!filter.ok) return problem('bad-request', filter.failure);
    return json(await api.list(kind, filter.value));
  };
}

function reload(api: NodeApi): Handler {
  return async ({ request, target: { query } }) => {
    const refusal = refusalOf(request);
    if (refusal !== undefined) return problem('forbidden', refusal);
    const dryRun = isOn(query.get('dryRun'));
    const disruptive = isOn(query.get('disruptive'));
    return json(await api.reload({ dryRun, disruptive, trigger: 'api' }));
  };
}
