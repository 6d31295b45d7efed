/** The Control service as loaded from its .proto at start: one source for server and clients. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

/** Largest message accepted from an operator, and largest answer a client takes. */
export const CONTROL_MESSAGE_BYTES_MAX = 4 * 1024 * 1024;

export function controlClient(): ServiceClientConstructor {
  const file = join(packageRoot(), 'proto', 'switchyard', 'v1', 'control.proto');
  const definition = loadSync(file, { longs: Number, enums: String, defaults: true });
  const root = loadPackageDefinition(definition) as unknown as {
    readonly switchyard: { readonly v1: { readonly Control: ServiceClientConstructor } };
  };
  return root.switchyard.v1.Control;
}

function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}
