/**
 * Entry of the short-lived thread that parses one configuration file: bytes in, one answer out.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../../machines/model/assert.js';
import type { Environment } from '../../config/expand.js';
import { loadConfigBytes } from '../../config/load.js';

export interface ParseRequest {
  readonly bytes: Uint8Array;
  readonly file: string;
  readonly env: Environment;
  readonly hostname: string;
  readonly dataDir: string | undefined;
}

assert(parentPort !== null, 'the parser runs in a thread of its own');
parentPort.postMessage(loadConfigBytes(workerData as ParseRequest));
