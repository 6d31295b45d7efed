/** The site of the failover bench: frontends of static backends, the first of each of which will fail. */

export interface SiteSize {
  readonly frontends: number;
  readonly servers: number;
  readonly intervalMs: number;
}

export interface Ports {
  /** Of the daemon's own page. */
  readonly admin: number;
  readonly port: number;
  readonly victimPort: number;
}

export function addressOf(frontend: number, server: number): string {
  return `127.${1 + (frontend >> 8)}.${frontend & 0xff}.${server + 1}`;
}

/** The backend of each frontend that will fail. */
export function victimsOf({ frontends }: SiteSize): readonly string[] {
  return Array.from({ length: frontends }, (_, frontend) => addressOf(frontend, 0));
}

export function siteOf(size: SiteSize, { admin, port, victimPort }: Ports): string {
  const check = `type: tcp, interval: ${size.intervalMs}ms, timeout: 1s, rise: 1, fall: 1`;
  const backends: string[] = [];
  const frontends: string[] = [];
  for (let f = 0; f < size.frontends; f += 1) {
    const members = Array.from({ length: size.servers }, (_, s) => `{ backend: b${f}-${s} }`);
    for (let s = 0; s < size.servers; s += 1) {
      const healthCheck = s === 0 ? 'victim' : 'stays';
      backends.push(`  b${f}-${s}: { address: ${addressOf(f, s)}, healthCheck: ${healthCheck} }`);
    }
    const vip = `198.18.${f >> 8}.${f & 0xff}`;
    const pools = `[{ name: primary, members: [${members.join(', ')}] }]`;
    frontends.push(`  f${f}: { address: ${vip}, port: 80, pools: ${pools} }`);
  }
  return `node: { name: bench }
healthChecks:
  stays: { ${check}, port: ${port} }
  victim: { ${check}, port: ${victimPort} }
backends:
${backends.join('\n')}
frontends:
${frontends.join('\n')}
dataplane: { startupMinDelay: 0s }
admin: { listen: "127.0.0.1:${admin}" }
`;
}
