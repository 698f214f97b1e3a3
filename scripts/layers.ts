// The layer rule of the house: who may import whom, and where each third-party package has its home. Exits 1 on a breach.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, normalize } from 'node:path';

const components = [
  'apiserver',
  'scheduler',
  'controller-manager',
  'kubelet',
  'kube-proxy',
  'cli',
  'addons',
  'examples',
];
/** Whole-system code: may import any component. */
const outside = ['e2e', 'bench', 'scripts'];
/** What each room of shared/ may import of the others. */
const sharedRooms: Record<string, readonly string[]> = {
  api: [],
  clock: [],
  errors: [],
  log: [],
  lifecycle: [],
  metrics: [],
  image: [],
  encryption: [],
  patch: ['api', 'errors'],
  fuzz: ['clock'],
  manifest: ['errors'],
  pki: ['errors', 'clock'],
  client: ['api', 'errors', 'clock', 'log', 'manifest'],
  review: ['api', 'errors', 'clock', 'log'],
  workqueue: ['clock', 'errors', 'client', 'api', 'metrics'],
  cache: ['client', 'api', 'errors', 'clock', 'log'],
  controller: ['cache', 'workqueue', 'client', 'api', 'errors', 'clock', 'log', 'lifecycle', 'metrics'],
};
/** Package -> paths (prefixes) that may import it. */
const homes: Record<string, readonly string[]> = {
  level: ['apiserver/storage/'],
  'classic-level': ['apiserver/storage/'],
  dockerode: ['kubelet/runtime/'],
  yaml: ['shared/manifest/'],
  pino: ['shared/log/'],
  rfc6902: ['shared/patch/'],
  'spdy-transport': ['kubelet/streaming/'],
  '@peculiar/x509': ['shared/pki/'],
  'dns-packet': ['addons/dns/'],
  sharp: ['examples/image-classification/gateway/'],
  esbuild: ['scripts/', 'shared/image/', 'examples/image-classification/images.ts'],
};

const isTest = (file: string): boolean => /\.test\.ts$|\/testing\/|-suite\.ts$/.test(file);

function breach(file: string, target: string): string | undefined {
  const [from = '', fromRoom = ''] = file.split('/');
  const [to = '', toRoom = ''] = target.split('/');
  if (from === to && from !== 'shared' && from !== 'addons') return undefined;
  if (from === 'addons' && to === 'addons')
    return fromRoom === toRoom ? undefined : `add-ons must not import each other`;
  if (outside.includes(from)) return undefined;
  if (outside.includes(to)) return isTest(file) ? undefined : `${from}/ must not import ${to}/`;
  if (from === 'shared' && to === 'shared') {
    if (fromRoom === toRoom || isTest(file)) return undefined;
    const allowed = sharedRooms[fromRoom];
    if (!allowed) return `shared/${fromRoom} has no entry in scripts/layers.ts`;
    return allowed.includes(toRoom) ? undefined : `shared/${fromRoom} must not import shared/${toRoom}`;
  }
  if (to === 'shared') return undefined;
  if (isTest(file) && target.startsWith('apiserver/testing/')) return undefined;
  return components.includes(to) ? `${from}/ must not import ${to}/` : undefined;
}

function foreign(file: string, specifier: string): string | undefined {
  const parts = specifier.split('/');
  const name = specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? '');
  const home = Object.hasOwn(homes, name) ? homes[name] : undefined;
  if (!home || isTest(file) || (outside.includes(file.split('/')[0] ?? '') && name !== 'dockerode')) return undefined;
  return home.some((prefix) => file.startsWith(prefix)) ? undefined : `${name} has its home in ${home.join(', ')}`;
}

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts'], {
  encoding: 'utf8',
})
  .split('\n')
  .filter(Boolean);
const breaches: string[] = [];
for (const file of files) {
  const text = readFileSync(file, 'utf8');
  for (const match of text.matchAll(
    /^(?:import|export)\b[^'"`;]*?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm,
  )) {
    const specifier = match[1] ?? match[2] ?? '';
    const wrong = specifier.startsWith('.')
      ? breach(file, normalize(`${dirname(file)}/${specifier}`))
      : foreign(file, specifier);
    if (wrong) breaches.push(`${file}: imports ${specifier}: ${wrong}`);
  }
}
if (breaches.length > 0) {
  process.stderr.write(`${breaches.join('\n')}\n`);
  process.exit(1);
}
process.stdout.write(`layers: ${files.length} files keep the rule\n`);
