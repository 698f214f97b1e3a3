// Bundles each program into one file under dist/bin, so that a process starts without hundreds of module look-ups.
// Packages with native parts stay outside and are loaded from node_modules.
import { build, type BuildOptions, type Plugin } from 'esbuild';
import { cpSync, mkdirSync } from 'node:fs';

const programs = {
  apiserver: 'apiserver/main.ts',
  scheduler: 'scheduler/main.ts',
  'controller-manager': 'controller-manager/main.ts',
  kubelet: 'kubelet/main.ts',
  'kube-proxy': 'kube-proxy/main.ts',
  knarr: 'cli/main.ts',
  supervisor: 'cli/supervisor/main.ts',
};
const addons = {
  dns: 'addons/dns/main.ts',
};

/** Docker over SSH and BuildKit sessions are never used; their libraries would be most of the kubelet's start-up time. */
const withoutUnusedTransports: Plugin = {
  name: 'without-unused-transports',
  setup(setupBuild) {
    setupBuild.onResolve({ filter: /^(ssh2|@grpc\/.*)$/ }, ({ path, importer }) =>
      /node_modules\/(docker-modem|dockerode)\//.test(importer) ? { path, namespace: 'unused' } : undefined,
    );
    setupBuild.onLoad({ filter: /.*/, namespace: 'unused' }, () => ({
      contents: 'module.exports = {};',
      loader: 'js',
    }));
  },
};

const common: BuildOptions = {
  plugins: [withoutUnusedTransports],
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'esm',
  minifySyntax: true,
  external: ['classic-level', 'cpu-features', '*.node'],
  // CommonJS packages inside the bundle call require().
  banner: {
    js: "import { createRequire as knarrRequire } from 'node:module'; const require = knarrRequire(import.meta.url);",
  },
  logLevel: 'warning',
};

await build({
  ...common,
  entryPoints: programs,
  outdir: 'dist/bin',
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  sourcemap: 'linked',
});
// Add-ons run in an image of their own: each is one file.
await build({ ...common, entryPoints: addons, outdir: 'dist/bin/addons' });

mkdirSync('dist/bin/data/addons', { recursive: true });
for (const name of ['schemas.json', 'descriptions.json'])
  cpSync(`shared/api/generated/${name}`, `dist/bin/data/${name}`);
for (const name of ['api-facts.json', 'protobuf-fields.json'])
  cpSync(`shared/api/data/${name}`, `dist/bin/data/${name}`);
for (const name of Object.keys(addons)) cpSync(`addons/${name}/manifest.yaml`, `dist/bin/data/addons/${name}.yaml`);
