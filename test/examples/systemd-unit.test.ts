/** The unit file for systemd: everything the daemon can do without is taken from it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { repoPath } from '../support/root.js';

const UNIT = repoPath('examples', 'systemd', 'switchyard.service');

/** What each line says; several lines of one name stand one after the other. */
const lines = readFileSync(UNIT, 'utf8')
  .split('\n')
  .filter((line) => /^[A-Z]\w*=/.test(line))
  .map((line): readonly [string, string] => {
    const equals = line.indexOf('=');
    return [line.slice(0, equals), line.slice(equals + 1)];
  });
const said = (name: string): readonly string[] =>
  lines.filter(([key]) => key === name).map(([, value]) => value);

const WANTED: Readonly<Record<string, readonly string[]>> = {
  // How it lives.
  Type: ['notify', 'notify-reload'],
  WatchdogSec: ['10'],
  KillMode: ['process'],
  Restart: ['on-failure'],
  StartLimitIntervalSec: ['300'],
  StartLimitBurst: ['10'],
  // Who it is, and what it may.
  User: ['switchyard'],
  SupplementaryGroups: ['vpp'],
  StateDirectory: ['switchyard'],
  UMask: ['0027'],
  CapabilityBoundingSet: [''],
  AmbientCapabilities: [''],
  NoNewPrivileges: ['yes'],
  // What it sees.
  ProtectSystem: ['strict'],
  ProtectHome: ['yes'],
  PrivateTmp: ['yes'],
  PrivateDevices: ['yes'],
  ProtectProc: ['invisible'],
  ProtectKernelTunables: ['yes'],
  ProtectKernelModules: ['yes'],
  ProtectKernelLogs: ['yes'],
  ProtectControlGroups: ['yes'],
  ProtectClock: ['yes'],
  ProtectHostname: ['yes'],
  RestrictAddressFamilies: ['AF_UNIX AF_INET AF_INET6'],
  RestrictNamespaces: ['yes'],
  LockPersonality: ['yes'],
  SystemCallFilter: ['@system-service', '~@privileged @resources'],
  SystemCallArchitectures: ['native'],
  // What it uses.
  LimitCORE: ['0'],
  MemoryHigh: ['6G'],
  MemoryMax: ['8G'],
  TasksMax: ['4096'],
  OOMScoreAdjust: ['-500'],
};

describe('the unit file', () => {
  for (const [name, values] of Object.entries(WANTED)) {
    test(`[OP-4] says ${name}=${values.join(', ')}`, () => assert.deepEqual(said(name), values));
  }

  test('[OP-4] does not keep V8 from compiling', () => {
    assert.deepEqual(said('MemoryDenyWriteExecute'), []);
  });

  const { status: found } = spawnSync('systemd-analyze', ['--version']);
  const skip = found === 0 ? false : 'systemd-analyze is not installed';
  test('[OP-4] systemd rates its exposure 2.0 at most', { skip }, () => {
    const args = ['security', '--offline=true', '--threshold=20', UNIT];
    const { status, stdout } = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
    assert.equal(status, 0, stdout.split('\n').slice(-4).join('\n'));
  });
});
