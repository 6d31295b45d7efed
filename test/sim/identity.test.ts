/** Identities on a whole node: bound once, kept over crashes, gone with their instance. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf, parseInstanceId } from '../../machines/model/ids.js';
import { startVirtualNode, type VirtualNode } from '../support/virtual-node.js';

const site = (size: number): string => `
providers: { sim: { driver: simulated } }
templates: { web: { provider: sim } }
dataplane: { driver: none }
tenants: { acme: { groups: { web: { template: web, size: ${size} } } } }
`;

async function said(node: VirtualNode, instance: string, message: object): Promise<string> {
  const to = addressOf('identity', instance);
  const answer = (await node.order(to, message as never)) as
    | { readonly ok: boolean; readonly refusal?: { readonly rule: string } }
    | undefined;
  if (answer === undefined) return 'silence';
  return answer.ok ? 'ok' : (answer.refusal?.rule ?? 'refused');
}

const enrol = (key: string) => ({ type: 'identity.enrol', key });
const check = (key: string) => ({ type: 'identity.check', key });

test('[ID-5] [ID-6] [ID-7] an identity survives crashes and ends with its instance', async () => {
  let node = await startVirtualNode(site(1));
  await node.configure(site(1));
  await node.clock.advance(60_000);
  const instance = String(node.views('instance')[0]?.['id']);
  assert.ok(parseInstanceId(instance));
  assert.equal(await said(node, instance, enrol('a')), 'ok');
  for (let life = 0; life < 3; life += 1) {
    node = await node.crash();
    assert.equal(await said(node, instance, check('a')), 'ok');
    assert.equal(await said(node, instance, enrol('b')), 'ID-5');
    assert.equal(await said(node, instance, check('b')), 'ID-6');
  }
  assert.equal(node.views('identity').length, 1);
  await node.configure(site(0));
  // Its drain, and the time a deleted instance is remembered.
  await node.clock.advance(3_600_000);
  assert.deepEqual([node.views('instance').length, node.views('identity').length], [0, 0]);
  node = await node.crash();
  assert.deepEqual(node.views('identity'), []);
});

test('[ID-7] an identity of an instance that never was does not stay', async () => {
  const node = await startVirtualNode(site(0));
  await node.configure(site(0));
  assert.equal(await said(node, 'i-3f2a-0190abcdef01', enrol('a')), 'ok');
  await node.clock.advance(1_000);
  assert.deepEqual(node.views('identity'), []);
});
