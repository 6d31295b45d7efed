/** The store's contract on SQLite, on a file and in memory, and on the plain twin it is compared with. */
import { openOrThrow, scratch } from '../support/sqlite-scratch.js';
import { twinStore } from '../support/twin-store.js';
import { storeContract } from './store.js';

storeContract('sqlite on a file', async () => {
  const { file, remove } = scratch();
  const store = openOrThrow(file);
  return {
    store,
    release: async () => {
      await store.close();
      remove();
    },
  };
});

storeContract('sqlite in memory', async () => {
  const store = openOrThrow(':memory:');
  return { store, release: () => store.close() };
});

storeContract('its twin in memory', async () => {
  const store = twinStore({ node: 'edge-1', epoch: 5 });
  return { store, release: () => store.close() };
});
