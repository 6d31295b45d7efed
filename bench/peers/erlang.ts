/** The peer table's work in Erlang/OTP, where it is installed: peers.escript, a line for each question. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Outcome, type Params, param } from '../runtime/probe.js';

/** Beside the sources: from where this file is built to, and from where it is written. */
const SCRIPT = ['../../../bench/peers/peers.escript', './peers.escript']
  .map((path) => fileURLToPath(new URL(path, import.meta.url)))
  .find(existsSync);

export function erlangIsHere(): boolean {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const installed = folders.some((folder) => existsSync(join(folder, 'escript')));
  return installed && SCRIPT !== undefined;
}

export const erlangProbes = { erlang };

/** One question alone, by its number in the order of the script's lines. */
async function erlang(params: Params): Promise<Outcome> {
  const question = QUESTIONS[param(params, 'question')];
  const scale = param(params, 'full') === 1 ? 'full' : 'tiny';
  if (SCRIPT === undefined || question === undefined) throw new Error('there is no such question');
  const { stdout } = await promisify(execFile)('escript', [SCRIPT, scale, question]);
  const line = stdout.split('\n').find((text) => text.startsWith(`${question} `));
  const value = Number(line?.split(' ')[1]);
  return question === 'bytes' ? { bytes: value } : { perS: value };
}

const QUESTIONS = ['ring', 'pingpong', 'spawn', 'bytes', 'oneway'] as const;
export type Question = (typeof QUESTIONS)[number];

export function questionNumber(question: Question): number {
  return QUESTIONS.indexOf(question);
}
