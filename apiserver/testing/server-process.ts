import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { eventually } from '../../shared/clock/eventually.js';
import { createCertificateAuthority, issueCertificate, type KeyPair } from '../../shared/pki/certificate.js';

const program = fileURLToPath(new URL('../main.js', import.meta.url));
const day = 24 * 60 * 60 * 1000;

/** The files that a server starts from, as `up` would make them. */
export interface ServerFiles {
  readonly flags: readonly string[];
  readonly ca: string;
  readonly admin: KeyPair;
}

/** Makes certificates and keys in `directory`; the store goes to `stateDirectory`. */
export async function makeServerFiles(directory: string, stateDirectory: string): Promise<ServerFiles> {
  mkdirSync(directory, { recursive: true });
  const validity = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + day) };
  const ca = await createCertificateAuthority({ subject: { commonName: 'knarr-test' }, ...validity });
  const serving = await issueCertificate(ca, {
    subject: { commonName: 'kube-apiserver' },
    usages: ['server'],
    ipAddresses: ['127.0.0.1'],
    ...validity,
  });
  const subject = { commonName: 'kubernetes-admin', organizations: ['system:masters'] };
  const admin = await issueCertificate(ca, { subject, usages: ['client'], ...validity });
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const file = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const flags = {
    'state-dir': stateDirectory,
    'bind-address': '127.0.0.1',
    'secure-port': '0',
    'advertise-address': '192.0.2.1',
    'client-ca-file': file('ca.crt', ca.certificate),
    'tls-cert-file': file('serving.crt', serving.certificate),
    'tls-private-key-file': file('serving.key', serving.key),
    'service-account-key-file': file('sa.key', privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()),
    'encryption-key-file': join(directory, 'encryption.json'),
  };
  return { flags: Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]), ca: ca.certificate, admin };
}

/** The real program, as a process of its own. */
export class ServerProcess {
  readonly ca: string;
  port = 0;
  /** All that it has said, on both streams. */
  readonly lines: string[] = [];
  readonly #child: ChildProcess;

  private constructor(files: ServerFiles, wrapper: readonly string[]) {
    this.ca = files.ca;
    const [command = '', ...rest] = [...wrapper, process.execPath, program, ...files.flags];
    this.#child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream) createInterface(stream).on('line', (line) => void this.lines.push(line));
    }
  }

  /** Resolves when it serves. `wrapper` is a command that runs it, such as strace with its flags. */
  static async start(files: ServerFiles, wrapper: readonly string[] = []): Promise<ServerProcess> {
    const server = new ServerProcess(files, wrapper);
    await eventually(() => {
      assert.equal(server.#child.exitCode, null, server.lines.join('\n'));
      const serving = server.lines.find((line) => line.includes('"msg":"serving"'));
      assert.ok(serving, server.lines.join('\n'));
      server.port = (JSON.parse(serving) as { port: number }).port;
    }, 30_000);
    return server;
  }

  /** kill -9, the wrapper included. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined) return;
    const closed = once(this.#child, 'close');
    process.kill(-this.#child.pid, 'SIGKILL');
    await closed;
  }
}
