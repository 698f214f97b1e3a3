// Bundles each program into one file under dist/bin, so that a process starts without hundreds of module look-ups.
// Packages with native parts stay outside and are loaded from node_modules.
import { build } from 'esbuild';
import { cpSync, mkdirSync } from 'node:fs';

const programs = {
  apiserver: 'apiserver/main.ts',
  scheduler: 'scheduler/main.ts',
  'controller-manager': 'controller-manager/main.ts',
  kubelet: 'kubelet/main.ts',
  'kube-proxy': 'kube-proxy/main.ts',
  knarr: 'cli/main.ts',
  supervisor: 'cli/supervisor/main.ts',
  dns: 'addons/dns/main.ts',
};

await build({
  entryPoints: programs,
  outdir: 'dist/bin',
  bundle: true,
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  platform: 'node',
  target: 'node20.19',
  format: 'esm',
  sourcemap: 'linked',
  minifySyntax: true,
  external: ['classic-level', 'cpu-features', '*.node'],
  // CommonJS packages inside the bundle call require().
  banner: {
    js: "import { createRequire as knarrRequire } from 'node:module'; const require = knarrRequire(import.meta.url);",
  },
  logLevel: 'warning',
});
mkdirSync('dist/bin/data', { recursive: true });
cpSync('shared/api/generated/schemas.json', 'dist/bin/data/schemas.json');
cpSync('shared/api/data/api-facts.json', 'dist/bin/data/api-facts.json');
