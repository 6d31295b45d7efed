/**
 * From the bytes of a dump to something that can be compared: packed where they lie, against decoded
 * to objects and put into nested Maps; and a whole audit of a site at rest, decoding included.
 */
import { decode } from '../../src/adapters/vpp/codec.js';
import { Reassembler } from '../../src/adapters/vpp/framing.js';
import { StateReader } from '../../src/adapters/vpp/state.js';
import { mirrorOf } from '../../src/lb/mirror.js';
import { VipIndex } from '../../src/lb/packed/side.js';
import { type Outcome, type Params, param } from '../runtime/probe.js';
import { serverFrames, vipFrames } from './frames.js';
import { CONF_REPLY, diffEverything, rulesOf, wantedOf } from './full.js';
import { medianMs, readWith, sizeIn } from './measure.js';
import { diffMaps, type NestedMaps, nestedMaps } from './nested-maps.js';
import { NONE_CHANGED, type SiteSize } from './site.js';

const ROUNDS = 5;

export const recordProbes = {
  'records-packed': async (params: Params) => recordsPacked(params),
  'records-maps': async (params: Params) => recordsInMaps(params),
  'audit-packed': async (params: Params) => auditPacked(sizeIn(params)),
  'audit-maps': async (params: Params) => auditInMaps(sizeIn(params)),
};

function recordsPacked(params: Params): Outcome {
  const size = sizeIn(params);
  const frames = framesOf(size, param(params, 'shuffled') === 1);
  let checksum = 0;
  const ms = medianMs(ROUNDS, () => {
    const { vips } = readPacked(frames, size);
    checksum = 0;
    for (const { servers } of vips.values()) checksum += servers.count;
  });
  return { ns: (1e6 * ms) / (size.vips * size.servers), checksum };
}

function recordsInMaps(params: Params): Outcome {
  const size = sizeIn(params);
  const frames = framesOf(size, param(params, 'shuffled') === 1);
  let checksum = 0;
  const ms = medianMs(ROUNDS, () => {
    checksum = 0;
    for (const servers of readMaps(frames).values()) checksum += servers.size;
  });
  return { ns: (1e6 * ms) / (size.vips * size.servers), checksum };
}

interface Frames {
  readonly vips: Buffer;
  readonly servers: Buffer;
}

function framesOf(size: SiteSize, shuffled: boolean): Frames {
  return { vips: vipFrames(size), servers: serverFrames(size, shuffled) };
}

/** As every audit but the first: it knows how many there were. */
function readPacked({ vips, servers }: Frames, size: SiteSize) {
  const reader = new StateReader(size.vips * size.servers);
  readWith(reader, vips, 'vip');
  readWith(reader, servers, 'server');
  return reader.state(CONF_REPLY).state;
}

function readMaps({ servers: frames }: Frames): NestedMaps {
  const vips = new Map<string, Map<string, number>>();
  const stream = new Reassembler();
  const doubt = stream.push(frames, (bytes, start, end) => {
    const record = decode('lb_as_v2_details', bytes.subarray(start, end));
    if (!record.ok) return record.failure;
    const { pfx_address, pfx_len, protocol, port, app_srv, weight } = record.value;
    const key = `${pfx_address}/${pfx_len} ${protocol === 6 ? 'tcp' : 'udp'} ${port}`;
    const servers = vips.get(key) ?? new Map<string, number>();
    vips.set(key, servers.set(app_srv, weight));
    return undefined;
  });
  if (doubt !== undefined) throw new Error(doubt);
  return vips;
}

function auditPacked(size: SiteSize): Outcome {
  const frames = framesOf(size, false);
  const wanted = wantedOf(size, NONE_CHANGED, new VipIndex());
  const rules = rulesOf(size);
  let checksum = 0;
  const ms = medianMs(ROUNDS, () => {
    const actual = mirrorOf(readPacked(frames, size), wanted.index);
    checksum = diffEverything(actual, wanted, rules).length;
  });
  return { ms, checksum };
}

function auditInMaps(size: SiteSize): Outcome {
  const frames = framesOf(size, false);
  const wanted = nestedMaps(size, NONE_CHANGED);
  let checksum = 0;
  const ms = medianMs(ROUNDS, () => {
    checksum = diffMaps(readMaps(frames), wanted).length;
  });
  return { ms, checksum };
}
