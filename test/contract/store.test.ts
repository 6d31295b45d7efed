/** The store's contract on SQLite: on a file, and in memory. */
import { openOrThrow, scratch } from '../support/sqlite-scratch.js';
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
