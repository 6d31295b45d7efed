/**
 * The JSON Schema of `switchyard.yaml`, for editors and for `switchyard check --schema`.
 */
import { z } from 'zod';
import type { JsonObject } from '../../machines/model/json.js';
import { configSchema } from './schema.js';

export function configJsonSchema(): JsonObject {
  return z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) as JsonObject;
}
