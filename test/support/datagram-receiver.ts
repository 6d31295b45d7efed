/** A unix datagram socket to receive on, as a service manager has one; Node has none of its own. */
import { createRequire } from 'node:module';

const AF_UNIX = 1;
const SOCK_DGRAM_NONBLOCK = 0o4002;
const BYTES_MAX = 4_096;

type Koffi = typeof import('koffi');

export interface DatagramReceiver {
  /** Everything that has arrived since the last look, in order. */
  take(): readonly string[];
  close(): void;
}

/** `path` is of the file system, or begins with `@`. */
export function receiveDatagrams(path: string): DatagramReceiver {
  const koffi = createRequire(import.meta.url)('koffi') as Koffi;
  const libc = koffi.load(null);
  const socket = libc.func('int socket(int, int, int)');
  const bind = libc.func('int bind(int, const void *, uint32_t)');
  const recv = libc.func('int64_t recv(int, _Out_ void *, size_t, int)');
  const closeFd = libc.func('int close(int)');
  const family = Buffer.alloc(2);
  family.writeUInt16LE(AF_UNIX);
  const name = path.startsWith('@') ? `\0${path.slice(1)}` : `${path}\0`;
  const address = Buffer.concat([family, Buffer.from(name)]);
  const fd = Number(socket(AF_UNIX, SOCK_DGRAM_NONBLOCK, 0));
  if (fd < 0 || Number(bind(fd, address, address.length)) !== 0) {
    throw new Error(`cannot receive at ${path}: errno ${koffi.errno()}`);
  }
  const buffer = Buffer.alloc(BYTES_MAX);
  return {
    take: () => {
      const texts: string[] = [];
      for (;;) {
        const bytes = Number(recv(fd, buffer, buffer.length, 0));
        if (bytes <= 0) return texts;
        texts.push(buffer.subarray(0, bytes).toString());
      }
    },
    close: () => void closeFd(fd),
  };
}
