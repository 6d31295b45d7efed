/**
 * The handshake: who are we to VPP, what are its message numbers, which VPP is it.
 *
 * Input: a connection that can only say `sockclnt_create`. Output: version and process of VPP, and
 * which write messages it lacks; afterwards the connection can say everything VPP knows.
 *
 * [VP-5] The handle for later requests is `index`, with its top bit set; anything else would have our
 * requests answered to somebody else, or not at all.
 */
import type { LbFailure } from '../../../machines/model/failures.js';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import type { DataplaneHello } from '../../ports/dataplane.js';
import type { Connection } from './connection.js';
import { missingFrom, resolveIds } from './message-ids.js';
import { READ_MESSAGES, WRITE_MESSAGES } from './messages.js';
import { failureOf } from './retvals.js';

const CLIENT_NAME = 'switchyard';
const SOCKET_CLIENT_BIT = 0x8000_0000;

export interface Met {
  readonly hello: DataplaneHello;
  readonly missing: readonly string[];
}

export async function handshake(connection: Connection): Promise<Result<Met, LbFailure>> {
  const created = await connection.call('sockclnt_create', { name: CLIENT_NAME });
  if (!created.ok) return created;
  const { response, index, message_table: table } = created.value;
  const refused = failureOf(response, 'sockclnt_create');
  if (refused !== undefined) return fail(refused);
  if (index < SOCKET_CLIENT_BIT) return fail(incompatible(`${index} is not a client handle`));
  const ids = resolveIds(table);
  if (!ids.ok) return fail(incompatible(ids.failure));
  const unreadable = missingFrom(ids.value, READ_MESSAGES);
  if (unreadable.length > 0) return fail(incompatible(`it has no ${unreadable.join(', ')}`));
  connection.register(ids.value, index);
  const hello = await meet(connection);
  if (!hello.ok) return hello;
  return ok({ hello: hello.value, missing: missingFrom(ids.value, WRITE_MESSAGES) });
}

async function meet(connection: Connection): Promise<Result<DataplaneHello, LbFailure>> {
  const [version, ping] = await Promise.all([
    connection.call('show_version', {}),
    connection.call('control_ping', {}),
  ]);
  if (!version.ok) return version;
  if (!ping.ok) return ping;
  const failure =
    failureOf(version.value.retval, 'show_version') ?? failureOf(ping.value.retval, 'control_ping');
  if (failure !== undefined) return fail(failure);
  return ok({ version: version.value.version, pid: ping.value.vpe_pid });
}

function incompatible(reason: string): LbFailure {
  return { code: 'LB_INCOMPATIBLE', message: `this VPP cannot be driven: ${reason}` };
}
