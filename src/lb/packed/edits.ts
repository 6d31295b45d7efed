/**
 * What an acknowledged op does to the servers of a VIP: the same in new memory, with one server added,
 * weighed anew or deleted. Nobody has counted the buckets afterwards.
 *
 * Rules: [LB-70] what is edited stays as it was.
 */
import type { PackedServers } from '../../../machines/model/lb-packed.js';
import { isIp4 } from '../address.js';
import { blank, packServers, rowOf, unpackServers, writeAddress, writeWeight } from './servers.js';

/** Added, or weighed anew when it is there. */
export function withServer(servers: PackedServers, address: string, weight: number): PackedServers {
  if (servers.addressBytes === 4 && !isIp4(address)) {
    return packServers([...unpackServers(servers), { address, weight }]);
  }
  const found = rowOf(servers, address);
  const row = found < 0 ? -1 - found : found;
  const edited = spliced(servers, { row, gone: found < 0 ? 0 : 1, added: 1 });
  writeAddress(edited, row, address);
  writeWeight(edited, row, weight);
  return edited;
}

/** As they are, when it is not there. */
export function withoutServer(servers: PackedServers, address: string): PackedServers {
  const row = rowOf(servers, address);
  return row < 0 ? servers : spliced(servers, { row, gone: 1, added: 0 });
}

interface Splice {
  readonly row: number;
  readonly gone: number;
  readonly added: number;
}

/** Each column up to the row and after what is gone; what is added in between is not written yet. */
function spliced(servers: PackedServers, { row, gone, added }: Splice): PackedServers {
  const { bytes, at, count, addressBytes } = servers;
  const edited = blank({ count: count - gone + added, addressBytes, counted: false });
  let [from, to] = [at, 0];
  for (const size of [addressBytes, 1]) {
    bytes.copy(edited.bytes, to, from, from + size * row);
    const [rest, into] = [from + size * (row + gone), to + size * (row + added)];
    bytes.copy(edited.bytes, into, rest, from + size * count);
    from += size * count;
    to += size * edited.count;
  }
  return edited;
}
