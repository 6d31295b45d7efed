/**
 * Node's own TCP handle, without the stream that `node:net` builds on it. A check that only wants to know
 * whether a port accepts needs no stream, and the stream is half of what it costs.
 *
 * The binding is not a public interface: where it is missing, or looks different, there is none, and
 * callers do it by `node:net`. Sockets with options of our own (quiet-socket.ts) are taken when they are
 * there; libuv makes plain ones else.
 */
import type { QuietSockets } from './quiet-socket.js';

export interface TcpHandle {
  /** Makes it the handle of this socket. */
  open(fd: number): number;
  bind(address: string, port: number): number;
  bind6(address: string, port: number, flags: number): number;
  connect(request: ConnectRequest, address: string, port: number): number;
  connect6(request: ConnectRequest, address: string, port: number): number;
  /** Closes a connected handle by reset. */
  reset(closed: () => void): number;
  close(): void;
}

export interface ConnectRequest {
  /** 0, or a negative errno. */
  oncomplete: (status: number) => void;
}

interface TcpWrap {
  readonly TCP: new (kind: number) => TcpHandle;
  readonly TCPConnectWrap: new () => ConnectRequest;
  readonly constants: { readonly SOCKET: number };
}

export interface Tcp {
  handle(family: 4 | 6): TcpHandle;
  request(): ConnectRequest;
}

/** @param quiet absent: sockets are plain. Undefined: this Node has no handle that we know. */
export function openTcp(quiet?: QuietSockets): Tcp | undefined {
  const wrap = binding();
  if (wrap === undefined) return undefined;
  const { TCP, TCPConnectWrap, constants } = wrap;
  return {
    handle: (family) => {
      const handle = new TCP(constants.SOCKET);
      quiet?.give(family, (fd) => handle.open(fd) === 0);
      return handle;
    },
    request: () => new TCPConnectWrap(),
  };
}

const METHODS = ['open', 'bind', 'bind6', 'connect', 'connect6', 'reset', 'close'] as const;

function binding(): TcpWrap | undefined {
  try {
    const { binding } = process as unknown as { binding(name: string): unknown };
    const wrap = binding.call(process, 'tcp_wrap') as TcpWrap;
    const { prototype } = wrap.TCP as unknown as { readonly prototype: object };
    const whole = METHODS.every((name) => typeof Reflect.get(prototype, name) === 'function');
    const known = whole && typeof wrap.TCPConnectWrap === 'function';
    return known && typeof wrap.constants.SOCKET === 'number' ? wrap : undefined;
  } catch {
    return undefined;
  }
}
