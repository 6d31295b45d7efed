/**
 * Sends datagrams to a unix socket, which Node cannot: libc is called for that, and for nothing else.
 *
 * Input: a path; one that begins with `@` is abstract. Output: a function that sends one text and
 * answers why it could not.
 */
import { endianness } from 'node:os';
import { fail, ok, type Result } from '../../../machines/model/result.js';

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const MSG_NOSIGNAL = 0x4000;
/** `sun_path`, its final zero included. */
const PATH_BYTES_MAX = 108;

interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  sendto(
    fd: number,
    data: Buffer,
    bytes: number,
    flags: number,
    address: Buffer,
    length: number,
  ): number;
}

/** Its reader has not taken what was sent before. */
export const FULL = 'full';
const EAGAIN = 11;

type Koffi = typeof import('koffi');

export async function openDatagrams(
  path: string,
): Promise<Result<(text: string) => string | undefined, string>> {
  const address = addressOf(path);
  if (address === undefined) return fail(`${path} is no unix socket that can be sent to`);
  try {
    const koffi = ((await import('koffi')) as unknown as { readonly default: Koffi }).default;
    const library = koffi.load(null);
    const socket = library.func('int socket(int, int, int)') as Libc['socket'];
    const sendto = library.func(
      'int64_t sendto(int, const void *, size_t, int, const void *, uint32_t)',
    ) as Libc['sendto'];
    const fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return fail(`no unix socket: errno ${koffi.errno()}`);
    return ok((text) => {
      const data = Buffer.from(text);
      const sent = sendto(fd, data, data.length, MSG_NOSIGNAL, address, address.length);
      if (Number(sent) === data.length) return undefined;
      const errno = koffi.errno();
      return errno === EAGAIN ? FULL : `${path}: errno ${errno}`;
    });
  } catch (error) {
    return fail(`libc cannot be called here: ${(error as Error).message}`);
  }
}

/** A `sockaddr_un`. */
function addressOf(path: string): Buffer | undefined {
  const isAbstract = path.startsWith('@');
  if (!isAbstract && !path.startsWith('/')) return undefined;
  const name = Buffer.from(isAbstract ? `\0${path.slice(1)}` : `${path}\0`);
  if (name.length > PATH_BYTES_MAX) return undefined;
  const family = Buffer.alloc(2);
  if (endianness() === 'LE') family.writeUInt16LE(AF_UNIX);
  else family.writeUInt16BE(AF_UNIX);
  return Buffer.concat([family, name]);
}
