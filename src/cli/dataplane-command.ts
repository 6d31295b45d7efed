/** `dataplane`: how the load balancer is, compare and repair now, freeze and thaw. */
import { Command } from 'commander';
import type { JsonObject } from '../../machines/model/json.js';
import { act } from './act.js';
import { EXIT } from './exit-codes.js';
import { type OrderOptions, orderOptions, termsOf } from './override-commands.js';
import { type Format, printable, printObject } from './print.js';
import { examples, formatOptions } from './read-commands.js';
import { callAndPrint } from './session.js';

export function dataplaneCommand(): Command {
  const dataplane = new Command('dataplane').description('the load balancer');
  formatOptions(dataplane.command('status'))
    .description('each VIP as VPP has acknowledged it, and what waits for a thaw')
    .action((options: Format, command: Command) =>
      callAndPrint(command, { name: 'DataplaneStatus' }, (answer) => {
        printObject(answer, options, () => statusText(answer));
        return EXIT.ok;
      }),
    );
  formatOptions(dataplane.command('sync'))
    .description('compare with VPP and repair now')
    .argument('[frontend]', 'only this one')
    .action((frontend: string | undefined, options: Format, command: Command) =>
      act(command, { name: 'Sync', request: { name: frontend ?? '' } }, options),
    );
  freezing(dataplane, 'freeze', 'write nothing to VPP; what would be written is shown').addHelpText(
    'after',
    examples('dataplane freeze cache --reason "VPP upgrade" --for 1h'),
  );
  freezing(dataplane, 'thaw', 'write what waited');
  return dataplane;
}

function freezing(dataplane: Command, name: 'freeze' | 'thaw', description: string): Command {
  return orderOptions(dataplane.command(name))
    .description(description)
    .argument('[frontend]', 'only this one')
    .action((frontend: string | undefined, options: OrderOptions, command: Command) => {
      const request = { frontend: frontend ?? '', ...termsOf(options) };
      return act(command, { name: name === 'freeze' ? 'Freeze' : 'Thaw', request }, options);
    });
}

function statusText(answer: JsonObject): string {
  const { driver, connected, synced, frozen, vips } = answer;
  const head = `driver ${driver}, connected ${connected}, synced ${synced}, frozen ${frozen}`;
  const lines = ((vips ?? []) as readonly JsonObject[]).flatMap(vipLines);
  return [head, ...lines].map(printable).join('\n');
}

function vipLines(item: JsonObject): readonly string[] {
  const { frontend, vip, exists, frozen, waiting, servers, problem } = item;
  const words = [exists === true ? 'present' : 'absent', ...(frozen === true ? ['frozen'] : [])];
  const weights = ((servers ?? []) as readonly JsonObject[]).map(
    ({ address, weight, buckets }) => `  ${address} weight ${weight}, ${buckets ?? 0} buckets`,
  );
  const later = ((waiting ?? []) as readonly string[]).map((line) => `  waits: ${line}`);
  const trouble = problem === undefined ? [] : [`  ${problem}`];
  return [`${frontend} ${vip} ${words.join(', ')}`, ...weights, ...later, ...trouble];
}
