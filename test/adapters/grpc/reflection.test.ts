/** The standard reflection service over the control socket: what tools that know nothing of us find out. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  type ClientDuplexStream,
  credentials,
  makeClientConstructor,
  type ServiceDefinition,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { clientOf } from '../../../src/adapters/grpc/definition.js';
import { type ControlServer, serveControl } from '../../../src/adapters/grpc/server.js';
import { fakeNode } from '../../support/fake-node-api.js';
import { rememberingLog } from '../../support/quiet.js';

interface Answer {
  readonly listServicesResponse?: { readonly service: readonly { readonly name: string }[] };
  readonly fileDescriptorResponse?: { readonly fileDescriptorProto: readonly Buffer[] };
  readonly allExtensionNumbersResponse?: { readonly baseTypeName: string };
  readonly errorResponse?: { readonly errorCode: number; readonly errorMessage: string };
}

let folder: string;
const servers: ControlServer[] = [];
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reflection-'));
});
after(async () => {
  for (const server of servers) await server.close();
  await rm(folder, { recursive: true });
});

async function serve(name: string, reflection: boolean): Promise<string> {
  const path = join(folder, name);
  const served = await serveControl({
    path,
    api: fakeNode().api,
    log: rememberingLog(),
    reflection,
  });
  assert.ok(served.ok, served.ok ? '' : served.failure);
  servers.push(served.value);
  return path;
}

/** Each question's answer, in order; or how the stream failed. */
async function ask(
  path: string,
  questions: readonly object[],
  definition: ServiceDefinition = clientOf('ServerReflection').service,
): Promise<readonly Answer[] | string> {
  const Client = makeClientConstructor(definition, 'ServerReflection');
  const client = new Client(`unix:${path}`, credentials.createInsecure());
  const info = client['ServerReflectionInfo'] as unknown as () => ClientDuplexStream<
    object,
    Answer
  >;
  const stream = info.call(client);
  const answers: Answer[] = [];
  for (const question of questions) stream.write(question);
  stream.end();
  const outcome = await new Promise<readonly Answer[] | string>((resolve) => {
    stream.on('data', (answer: Answer) => answers.push(answer));
    stream.on('end', () => resolve(answers));
    stream.on('error', (error: ServiceError) => resolve(status[error.code] ?? ''));
  });
  client.close();
  return outcome;
}

test('[CL-81] reflection: services, the file behind each symbol, and an error that ends nothing', async () => {
  const path = await serve('on.sock', true);
  const [all, method, message, byName, nothing, extensions, last] = (await ask(path, [
    { listServices: '' },
    { fileContainingSymbol: 'switchyard.v1.Operator.UpsertGroup' },
    { fileContainingSymbol: 'grpc.health.v1.HealthCheckRequest' },
    { fileByFilename: 'switchyard_v1.proto' },
    { fileContainingSymbol: 'switchyard.v1.Nobody' },
    { allExtensionNumbersOfType: 'switchyard.v1.Object' },
    { fileContainingExtension: { containingType: 'switchyard.v1.Object', extensionNumber: 7 } },
  ])) as readonly Answer[];
  assert.deepEqual(all?.listServicesResponse?.service.map(({ name }) => name).sort(), [
    'grpc.health.v1.Health',
    'grpc.reflection.v1.ServerReflection',
    'switchyard.v1.Agent',
    'switchyard.v1.Control',
    'switchyard.v1.Operator',
  ]);
  const [ours] = method?.fileDescriptorResponse?.fileDescriptorProto ?? [];
  for (const word of ['UpsertGroupRequest', 'SleepTenant', 'AcknowledgeDrained', 'ReloadHistory']) {
    assert.ok(ours?.includes(word), word);
  }
  assert.deepEqual(byName, { ...byName, fileDescriptorResponse: method?.fileDescriptorResponse });
  const [health] = message?.fileDescriptorResponse?.fileDescriptorProto ?? [];
  assert.ok(health?.includes('HealthCheckRequest') && !health.includes('UpsertGroup'));
  assert.equal(nothing?.errorResponse?.errorCode, status.NOT_FOUND);
  assert.equal(extensions?.allExtensionNumbersResponse?.baseTypeName, 'switchyard.v1.Object');
  assert.equal(last?.errorResponse?.errorCode, status.NOT_FOUND);
});

test('[CL-81] reflection: the version before it answers the same; where it is off there is none', async () => {
  const { service } = clientOf('ServerReflection');
  const older = Object.fromEntries(
    Object.entries(service).map(([name, method]) => [
      name,
      { ...method, path: method.path.replace('reflection.v1.', 'reflection.v1alpha.') },
    ]),
  ) as ServiceDefinition;
  const path = await serve('older.sock', true);
  assert.equal((await ask(path, [{ listServices: '*' }], older)).length, 1);
  assert.equal(await ask(await serve('off.sock', false), [{ listServices: '*' }]), 'UNIMPLEMENTED');
});
