/**
 * What the inspector serves over HTTP: two pages and what they are made of, read once at start.
 *
 * Input: the address of the Stately viewer. Output: an answer by path. Views are plain scripts beside
 * this file's source; what decides where things stand is compiled and tested with everything else.
 *
 * Rules: [CL-8] a page allows nothing but this server, by its policy; the bridge allows the one frame.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Reply, text } from '../http/reply.js';
import { packageFile } from '../system/package-file.js';

const TYPES = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
} as const;

const COMPILED = ['chart.js', 'layout.js', 'routes.js'] as const;
const PLAIN = [
  'main.js',
  'parts.js',
  'lists.js',
  'tree-view.js',
  'chart-view.js',
  'page.css',
  'bridge.js',
  'bridge.css',
] as const;

/** `host`: of the request, checked to be an address or `localhost`. */
export type Assets = (path: string, host: string) => Reply | undefined;

export function loadAssets(viewerUrl: string): Assets {
  const plain = (name: string): string =>
    readFileSync(packageFile('src', 'adapters', 'inspector', 'page', name), 'utf8');
  const compiled = (name: string): string =>
    readFileSync(fileURLToPath(new URL(`./page/${name}`, import.meta.url)), 'utf8');
  const files = new Map<string, Reply>([
    ...PLAIN.map((name) => [`/${name}`, text(plain(name), typeOf(name))] as const),
    ...COMPILED.map((name) => [`/${name}`, text(withoutMap(compiled(name)), TYPES.js)] as const),
  ]);
  const page = plain('page.html');
  const bridge = plain('bridge.html').replace('VIEWER_URL', escaped(viewerUrl));
  const { origin } = new URL(viewerUrl);
  return (path, host) => {
    if (path === '/') return pageOf(page, policyOf(host));
    if (path === '/stately') return pageOf(bridge, policyOf(host, origin));
    return files.get(path);
  };
}

function typeOf(name: string): string {
  return name.endsWith('.css') ? TYPES.css : TYPES.js;
}

/** The compiler's note of where its map is: a browser would ask for it. */
function withoutMap(script: string): string {
  return script.replace(/^\/\/# sourceMappingURL=.*$/m, '');
}

function escaped(url: string): string {
  return url.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}

function pageOf(html: string, policy: string): Reply {
  return { ...text(html, TYPES.html), headers: { 'content-security-policy': policy } };
}

function policyOf(host: string, frame?: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    'img-src data:',
    `connect-src ws://${host}`,
    ...(frame === undefined ? [] : [`frame-src ${frame}`]),
    "require-trusted-types-for 'script'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
