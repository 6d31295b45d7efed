/** Settings of a thread that touches nothing outside: a store in memory, no dataplane, no sink. */
import type { Settings } from '../../src/app/settings.js';

export function workerSettings(more: Partial<Settings> = {}) {
  return {
    version: '0',
    node: 'n',
    dataDir: '/nonexistent',
    configDir: '/nonexistent',
    run: 'r',
    installation: 'i',
    epoch: 1,
    generation: 0,
    shards: 1,
    storeFile: ':memory:',
    durability: 'full',
    dataplane: { driver: 'none', apiSocket: '', requestTimeoutMs: 1_000, window: 8 },
    sink: { driver: 'nop', dir: '', layout: 'segments' },
    feed: { unknownTypes: 'quarantine' },
    coalesceWindowMs: 0,
    retention: { journalMs: 1, journalBytesMax: 1, outboxMs: 1 },
    log: { level: 'error', pretty: false },
    failpoint: '',
    ...more,
  } satisfies Settings;
}
