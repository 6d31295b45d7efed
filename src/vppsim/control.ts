/**
 * The control socket, `<socket>.ctl`: one JSON command per line, one JSON answer per line.
 *
 *   {"state":true}            the whole state, with every bucket's owner
 *   {"die":true}              VPP dies; nothing is tidied up
 *   {"restartEmpty":true}     VPP restarts: clients cut, everything forgotten, a new process id
 *                             (with "samePid":true the same one, as in a container)
 *   {"answerLateMs":N}        every answer N ms late; 0 ends it
 *   {"freezeMs":N}            nothing is read for N ms
 *   {"dropNthReply":N}        the Nth reply from now is lost, its request executed
 *   {"failNthRequest":{"n":N,"retval":R}}   the Nth write from now is answered R, not executed
 *   {"advanceS":N}            uptime jumps, with the sweeps in between
 *   {"pin":{"vip":V,"as":A,"flows":N}}      A of V is pinned by N sticky flows
 */
import type { Socket } from 'node:net';
import { type ControlCommand, parseCommand } from './faults.js';
import { limits } from './limits.js';
import type { SimView } from './view.js';

export type ControlAnswer =
  | { readonly ok: true; readonly state?: SimView }
  | { readonly ok: false; readonly message: string };

export function serveControl(
  socket: Socket,
  control: (command: ControlCommand) => Promise<ControlAnswer>,
): void {
  let held = '';
  socket.setEncoding('utf8');
  socket.on('error', () => socket.destroy());
  socket.on('data', (text: string) => {
    const lines = (held + text).split('\n');
    held = lines.pop() ?? '';
    if (held.length > limits.controlLineBytes) socket.destroy();
    void answerLines(lines);
  });

  async function answerLines(lines: readonly string[]): Promise<void> {
    for (const line of lines.filter((some) => some.trim() !== '')) {
      const command = parseLine(line);
      const answer: ControlAnswer =
        command === undefined
          ? { ok: false, message: `not a command: ${line.slice(0, 200)}` }
          : await control(command);
      if (!socket.destroyed) socket.write(`${JSON.stringify(answer)}\n`);
    }
  }
}

function parseLine(line: string): ControlCommand | undefined {
  try {
    return parseCommand(JSON.parse(line));
  } catch {
    return undefined;
  }
}
