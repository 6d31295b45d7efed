/** Fields of a request, of which a client may have sent anything. */
import type { JsonObject } from '../../../machines/model/json.js';

export type Request = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function textOf(request: Request, name: string): string {
  const value = request[name];
  return typeof value === 'string' ? value : '';
}

export function numberOf(request: Request, name: string): number {
  const value = request[name];
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}
