/** Entry of a worker thread whose actors end it when told (mortal-cast.ts). */
import { workerOf } from '../../src/app/worker-entry.js';
import { mortalCast } from './mortal-cast.js';

export const runWorker = workerOf(() => mortalCast(['group']));
