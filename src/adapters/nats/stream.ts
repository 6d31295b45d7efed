/**
 * The stream that the feed lies in: created when it is not there, checked when it is.
 *
 * A stream of somebody else's making is left as it is; what would lose events or let them in twice is
 * refused with a sentence. Subjects: `<stream>.fleet` for what the holder of the lease decides,
 * `<stream>.node.<node>` for what a node says of itself; each has one writer at a time.
 */
import { type JetStreamManager, jetstreamManager, type StreamConfig } from '@nats-io/jetstream';
import { type NatsConnection, nanos } from '@nats-io/transport-node';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import { DUPLICATE_WINDOW_MIN_MS, DUPLICATE_WINDOW_MS, REQUEST_TIMEOUT_MS } from './limits.js';
import { sayError } from './link.js';

export interface StreamSpec {
  readonly stream: string;
  readonly replicas: number;
}

export function fleetSubject(stream: string): string {
  return `${stream}.fleet`;
}

/** A host's name may hold what a subject may not. */
export function nodeSubject(stream: string, node: string): string {
  return `${stream}.node.${node.replaceAll(/[^A-Za-z0-9_-]/g, '_')}`;
}

export async function openStream(
  connection: NatsConnection,
  spec: StreamSpec,
): Promise<Result<JetStreamManager, string>> {
  try {
    const manager = await jetstreamManager(connection, { timeout: REQUEST_TIMEOUT_MS });
    const config = await ensure(manager, spec);
    const problem = problemOf(config, spec);
    return problem === undefined ? ok(manager) : fail(`stream ${spec.stream}: ${problem}`);
  } catch (error) {
    return fail(`stream ${spec.stream}: ${sayError(error)}`);
  }
}

async function ensure(
  manager: JetStreamManager,
  { stream, replicas }: StreamSpec,
): Promise<StreamConfig> {
  try {
    return (await manager.streams.info(stream)).config;
  } catch (error) {
    if ((error as { code?: unknown }).code !== STREAM_NOT_FOUND) throw error;
  }
  const created = await manager.streams.add({
    name: stream,
    subjects: [`${stream}.>`],
    num_replicas: replicas,
    duplicate_window: nanos(DUPLICATE_WINDOW_MS),
  });
  return created.config;
}

const STREAM_NOT_FOUND = 10_059;

function problemOf(config: StreamConfig, { stream }: StreamSpec): string | undefined {
  const wanted = `${stream}.>`;
  if (!config.subjects.some((subject) => subject === wanted || subject === '>')) {
    return `it takes ${config.subjects.join(', ')}; it must take ${wanted}`;
  }
  if (config.retention !== 'limits') {
    return `its retention is ${config.retention}: readers would take events from each other; it must be limits`;
  }
  if (config.max_msgs_per_subject > 0) {
    return 'it keeps a bounded number of messages of a subject; it must keep all (max_msgs_per_subject -1)';
  }
  if (config.duplicate_window < nanos(DUPLICATE_WINDOW_MIN_MS)) {
    return 'it remembers ids for less than 2 minutes (duplicate_window): events would be there twice';
  }
  return undefined;
}
