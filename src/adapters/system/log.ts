/**
 * Log lines: JSON on stdout, readable on a terminal. One root logger per process; a thread's lines
 * carry its name. The level can change at run time (reload).
 */
import { type Logger, pino } from 'pino';
import { PinoPretty } from 'pino-pretty';
import type { Log } from '../../ports/log.js';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface SystemLog extends Log {
  setLevel(level: LogLevel): void;
  /** A logger whose lines carry `fields`; it follows the level of its parent. */
  child(fields: Readonly<Record<string, string>>): Log;
}

export interface LogOptions {
  readonly level: LogLevel;
  /** People read it: one coloured line each instead of JSON. */
  readonly pretty: boolean;
}

export function systemLog({ level, pretty }: LogOptions): SystemLog {
  const destination = pretty
    ? PinoPretty({
        colorize: true,
        translateTime: 'HH:MM:ss.l',
        ignore: 'pid,hostname',
        sync: true,
      })
    : pino.destination({ dest: 1, sync: true });
  const logger = pino({ level, timestamp: pino.stdTimeFunctions.isoTime }, destination);
  return {
    ...logOf(() => logger),
    setLevel: (next) => {
      logger.level = next;
    },
    child: (fields) => childOf(logger, fields),
  };
}

/** Children copy pino's level when made, so the level is read from the parent at each line. */
function childOf(parent: Logger, fields: Readonly<Record<string, string>>): Log {
  const child = parent.child(fields);
  return logOf(() => {
    if (child.level !== parent.level) child.level = parent.level;
    return child;
  });
}

function logOf(logger: () => Logger): Log {
  return {
    debug: (fields, message) => logger().debug(fields, message),
    info: (fields, message) => logger().info(fields, message),
    warn: (fields, message) => logger().warn(fields, message),
    error: (fields, message) => logger().error(fields, message),
  };
}
