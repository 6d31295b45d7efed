/**
 * What hooks of the process itself are given of a configuration, as plain data.
 *
 * Input: a hook's name, a complete configuration. Output: its settings; nothing for hooks whose parts
 * are actors, which are told by letters.
 */
import type { JsonObject } from '../../machines/model/json.js';
import type { Config } from './complete.js';
import { catalogueOf } from './ordered-group.js';

const SETTINGS: Readonly<Record<string, (config: Config) => object>> = {
  log_level: ({ log }) => ({ level: log.level }),
  tls_certificate: ({ api }) => api.tls,
  inspector: ({ inspector }) => inspector.filter,
  retention: ({ journal, outbox }) => ({
    journalMs: journal.retention,
    journalBytesMax: journal.maxBytes,
    outboxMs: outbox.retention,
  }),
  ordered_groups: catalogueOf,
  feed: ({ feed }) => ({ unknownTypes: feed.unknownTypes }),
  watch_file: ({ reload }) => ({ enabled: reload.watchFile }),
};

export function settingsFor(hook: string, config: Config): JsonObject {
  return { ...SETTINGS[hook]?.(config) } as JsonObject;
}
