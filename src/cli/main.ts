#!/usr/bin/env node
/**
 * Where the process starts. Before anything else is loaded, which takes longer than a signal, the daemon
 * takes hangups: systemd, or an operator, may send one at any time.
 */
import { holdHangups } from '../app/hangups.js';

if (process.argv.includes('run')) holdHangups();
await import('./program.js');
