import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { textFile } from './image-file.js';
import type { ImageFile } from './image-file.js';
import { parseLdd, systemLdd } from './shared-libraries.js';
import type { Ldd } from './shared-libraries.js';

/** Where the Node binary lies in an image. */
export const NODE_PATH = '/usr/bin/node';

/** Libraries that glibc opens by name at run time, so that ldd does not list them: names cannot be resolved without. */
const NAME_SERVICE_LIBRARIES = ['libnss_dns.so.2', 'libnss_files.so.2', 'libresolv.so.2'];

/** The given programs' and libraries' shared libraries, each at the path where this machine has it. */
export async function libraryFiles(programs: readonly string[], ldd: Ldd = systemLdd): Promise<ImageFile[]> {
  const listed = (await Promise.all(programs.map(async (program) => parseLdd(await ldd(program))))).flat();
  const libc = listed.find((path) => path.endsWith('/libc.so.6'));
  const named =
    libc === undefined
      ? []
      : NAME_SERVICE_LIBRARIES.map((name) => join(dirname(libc), name)).filter((path) => existsSync(path));
  return [...new Set([...listed, ...named])].map((path) => ({ kind: 'file', path, source: path, mode: 0o755 }));
}

/** The Node binary that runs this process, with its libraries. */
export async function nodeRuntime(options: { node?: string; ldd?: Ldd } = {}): Promise<ImageFile[]> {
  const node = options.node ?? process.execPath;
  return [{ kind: 'file', path: NODE_PATH, source: node, mode: 0o755 }, ...(await libraryFiles([node], options.ldd))];
}

/** The applets that get a name of their own in /bin; all others work as `busybox NAME`. */
const APPLETS = [
  'sh', 'ash', 'awk', 'base64', 'basename', 'cat', 'chmod', 'chown', 'cp', 'cut', 'date', 'dd', 'df', 'dirname', 'du',
  'echo', 'env', 'expr', 'false', 'find', 'free', 'grep', 'head', 'hostname', 'httpd', 'id', 'ip', 'kill', 'less', 'ln',
  'ls', 'md5sum', 'mkdir', 'mktemp', 'more', 'mount', 'mv', 'nc', 'netstat', 'nslookup', 'od', 'ping', 'printf', 'ps',
  'pwd', 'readlink', 'rm', 'rmdir', 'sed', 'seq', 'sha256sum', 'sleep', 'sort', 'stat', 'tail', 'tar', 'tee', 'telnet',
  'test', 'time', 'timeout', 'top', 'touch', 'tr', 'traceroute', 'true', 'umount', 'uname', 'uniq', 'uptime', 'vi', 'wc',
  'wget', 'which', 'whoami', 'xargs',
]; // prettier-ignore

/** A shell and the usual commands, from a static busybox; throws the remedy when this machine has none. */
export function busyboxShell(busybox = '/bin/busybox'): ImageFile[] {
  if (!existsSync(busybox)) throw new Error(`${busybox} is missing: install it with "apt-get install busybox-static"`);
  const links = APPLETS.map((name): ImageFile => ({ kind: 'link', path: `/bin/${name}`, target: 'busybox' }));
  return [{ kind: 'file', path: '/bin/busybox', source: busybox, mode: 0o755 }, ...links];
}

const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

/** What programs expect of any root filesystem: accounts, name service order, /tmp, and the CA certificates if there are any. */
export function baseFiles(): ImageFile[] {
  const certificates: ImageFile[] = existsSync(CERTIFICATES)
    ? [{ kind: 'file', path: CERTIFICATES, source: CERTIFICATES, mode: 0o644 }]
    : [];
  return [
    textFile('/etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nnonroot:x:65532:65532:nonroot:/tmp:/bin/sh\n'),
    textFile('/etc/group', 'root:x:0:\nnonroot:x:65532:\n'),
    textFile('/etc/nsswitch.conf', 'hosts: files dns\n'),
    { kind: 'directory', path: '/root', mode: 0o700 },
    { kind: 'directory', path: '/tmp', mode: 0o1777 },
    ...certificates,
  ];
}
