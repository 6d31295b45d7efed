/** The smallest site that has everything: one tenant, one group of three, one VIP. */
export const SMALL_SITE = `
providers: { cloud: { driver: simulated, createRate: off } }
templates: { web: { provider: cloud, spec: {} } }
healthChecks: { ok: { type: http, interval: 2s, fastInterval: 500ms } }
tenants:
  acme:
    groups:
      web: { template: web, size: 3, backend: { probePort: 8080, healthCheck: ok }, drain: { timeout: 10s } }
frontends:
  shop:
    address: 192.0.2.10
    port: 80
    pools: [{ name: primary, members: [{ group: acme/web }] }]
dataplane: { startupMinDelay: 0s }
guards: { shrink: { share: 100% } }
`;
