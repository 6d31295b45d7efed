/** A configuration file that is a text in memory; read right here, kept in the given store. */
import { ok } from '../../machines/model/result.js';
import { openConfigFile } from '../../src/adapters/config-file/config-file.js';
import type { ConfigFile } from '../../src/ports/config-file.js';
import type { Store } from '../../src/ports/store.js';

export function textConfigFile(text: () => string, store: () => Store | undefined): ConfigFile {
  return openConfigFile({
    file: '/site/switchyard.yaml',
    env: {},
    inThread: false,
    store,
    surroundings: () => [],
    bytes: async () => ok(Buffer.from(text())),
  });
}
