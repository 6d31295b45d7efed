/** `verify` of a feed in a folder. */
import { systemClock } from '../../src/adapters/system/clock.js';
import { openFileSource } from '../../src/feed/file-source.js';
import { type FeedReport, verifyFeed } from '../../src/feed/verify.js';
import { expectOk } from '../contract/provider.js';

export async function verifyFolder(dir: string): Promise<FeedReport> {
  return expectOk(await verifyFeed(openFileSource({ dir, clock: systemClock() })));
}
