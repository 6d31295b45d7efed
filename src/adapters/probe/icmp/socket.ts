/**
 * Opens an ICMP datagram socket, which needs no privilege where `net.ipv4.ping_group_range` includes our
 * group, and hands it to Node's own UDP socket, which then does the waiting.
 *
 * Node cannot open one itself: libc is called for that, and for nothing else.
 */
import { createSocket, type Socket } from 'node:dgram';
import { endianness } from 'node:os';
import ipaddr from 'ipaddr.js';
import { fail, ok, type Result } from '../../../../machines/model/result.js';
import { AF_INET, AF_INET6, loadLibc, SOCK_DGRAM, SOCK_OURS } from '../libc.js';
import type { Family } from './echo.js';

const AF: Readonly<Record<Family, number>> = { 4: AF_INET, 6: AF_INET6 };
const IPPROTO: Readonly<Record<Family, number>> = { 4: 1, 6: 58 };
/** Bytes of a sockaddr, and where in it the address begins. */
const SOCKADDR: Readonly<Record<Family, { readonly bytes: number; readonly at: number }>> = {
  4: { bytes: 16, at: 4 },
  6: { bytes: 28, at: 8 },
};
const EACCES = 13;

/** @param source address to send from; absent: the kernel's choice. Fails with a sentence. */
export async function openEchoSocket(
  family: Family,
  source: string | undefined,
): Promise<Result<Socket, string>> {
  const loaded = await loadLibc();
  if (!loaded.ok) return loaded;
  const libc = loaded.value;
  const fd = libc.socket(AF[family], SOCK_DGRAM | SOCK_OURS, IPPROTO[family]);
  if (fd < 0) return fail(refusal(libc.errno()));
  const address = source === undefined ? undefined : sockaddr(family, source);
  if (address !== undefined && libc.bind(fd, address, address.length) < 0) {
    const number = libc.errno();
    libc.close(fd);
    return fail(`cannot send from ${source}: errno ${number}`);
  }
  return adopt(createSocket(family === 4 ? 'udp4' : 'udp6'), fd);
}

/** From here on the descriptor is Node's. */
function adopt(socket: Socket, fd: number): Promise<Result<Socket, string>> {
  return new Promise((resolve) => {
    const failed = (error: Error): void => {
      socket.close();
      resolve(fail(`no icmp socket: ${error.message}`));
    };
    socket.once('error', failed);
    socket.bind({ fd, exclusive: true }, () => {
      socket.off('error', failed);
      resolve(ok(socket));
    });
  });
}

function sockaddr(family: Family, address: string): Buffer {
  const { bytes, at } = SOCKADDR[family];
  const packed = Buffer.alloc(bytes);
  if (endianness() === 'LE') packed.writeUInt16LE(AF[family]);
  else packed.writeUInt16BE(AF[family]);
  packed.set(ipaddr.parse(address).toByteArray(), at);
  return packed;
}

function refusal(errno: number): string {
  return errno === EACCES
    ? 'net.ipv4.ping_group_range leaves this group out'
    : `no icmp socket: errno ${errno}`;
}
