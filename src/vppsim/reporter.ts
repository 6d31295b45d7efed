/**
 * Writes what the engine saw into the op log, and remembers the violation that killed VPP.
 */
import type { Answer, Output } from './dispatch.js';
import { type OpLog, wordsOf } from './op-log.js';
import type { Violation } from './plugin/state.js';

export type Report = Exclude<Output, Answer>;

export interface Reporter {
  report(report: Report): void;
  /** The first fatal violation. */
  death(): Violation | undefined;
}

export function createReporter(opLog: OpLog, epochMs: () => number): Reporter {
  let death: Violation | undefined;
  return {
    report(report) {
      opLog.write(epochMs(), bodyOf(report));
      if (report.kind === 'violation' && report.violation.fatal) death ??= report.violation;
    },
    death: () => death,
  };
}

function bodyOf(report: Report): Parameters<OpLog['write']>[1] {
  switch (report.kind) {
    case 'op':
      return { ...wordsOf(report.request), retval: report.retval };
    case 'unmodelled':
      return { event: 'unmodelled-request', message: report.key };
    case 'violation': {
      const { code, fatal, what } = report.violation;
      const body = { violation: code, fatal, what };
      return report.request === undefined ? body : { ...body, request: wordsOf(report.request) };
    }
  }
}
