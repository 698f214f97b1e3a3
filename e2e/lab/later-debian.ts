import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

/** Where scripts/prepare.sh unpacks what the long tests take from Debian's next release. */
const folder = '/var/cache/knarr/forky';

/** A program of Debian's next release, unpacked beside the system: `usr/bin/kubectl` @throws where it is not there */
export function laterProgram(path: string): string {
  const program = join(folder, path);
  if (!existsSync(program)) throw new Error(`${program} is missing: run scripts/prepare.sh long`);
  return program;
}

const engineFiles = [
  'usr/sbin/dockerd',
  'usr/sbin/docker-proxy',
  'usr/bin/docker',
  'usr/bin/docker-init',
  'usr/bin/containerd',
  'usr/bin/containerd-shim-runc-v2',
];

/**
 * The Docker Engine of Debian's next release: a folder of its own programs alone, since those that it shares with the
 * system (iptables, say) need newer libraries than the system's.
 */
export function laterEngine(): string {
  const programs = resolve('dist/tools/later-engine');
  rmSync(programs, { recursive: true, force: true });
  mkdirSync(programs, { recursive: true });
  for (const file of engineFiles) symlinkSync(laterProgram(file), join(programs, basename(file)));
  // runc needs a newer C library, but the engine's other children the system's: so no environment variable, and no
  // loader in front either, since runc starts itself again as /proc/self/exe.
  const runc = join(programs, 'runc');
  const libraries = join(folder, 'usr/lib/x86_64-linux-gnu');
  cpSync(laterProgram('usr/sbin/runc'), runc);
  const loader = join(libraries, 'ld-linux-x86-64.so.2');
  execFileSync('patchelf', ['--set-interpreter', loader, '--set-rpath', libraries, runc]);
  return programs;
}

function goRoot(): string {
  const [newest] = readdirSync(join(folder, 'usr/lib'))
    .filter((name) => /^go-\d+\.\d+$/.test(name))
    .sort((a, b) => Number(b.split('.')[1]) - Number(a.split('.')[1]));
  if (newest === undefined) throw new Error(`there is no Go in ${folder}: run scripts/prepare.sh long`);
  return join(folder, 'usr/lib', newest);
}

/**
 * Compiles a Go program against the libraries of Kubernetes that Debian packages, without a network: imports are found
 * where the packages put them, as Go did before it had modules. What is compiled once is kept for the next program.
 * @param sources folder with the program's .go files, from the top of the repository
 * @param into folder to compile in
 * @returns the program's path
 */
export function goProgram(sources: string, into: string): string {
  const own = join(into, 'src/main');
  mkdirSync(own, { recursive: true });
  for (const name of readdirSync(sources).filter((each) => each.endsWith('.go')))
    cpSync(join(sources, name), join(own, name));
  // Without it Go does not find the libraries whose paths name their major version.
  writeFileSync(join(own, 'go.mod'), 'module main\n');
  const program = join(into, 'program');
  const root = goRoot();
  execFileSync(join(root, 'bin/go'), ['build', '-o', program, '.'], {
    cwd: own,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      PATH: process.env['PATH'],
      HOME: into,
      GOROOT: root,
      GO111MODULE: 'off',
      GOPATH: `${into}:${join(folder, 'usr/share/gocode')}`,
      GOCACHE: resolve('dist/tools/go-cache'),
      GOPROXY: 'off',
      GOTOOLCHAIN: 'local',
      CGO_ENABLED: '0',
    },
  });
  return program;
}
