import { X509Certificate } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { KeyPair } from '../../shared/pki/certificate.js';

/** Reads FILE.crt and FILE.key; undefined when one is missing. */
export async function readKeyPair(file: string): Promise<KeyPair | undefined> {
  try {
    const [certificate, key] = await Promise.all([readFile(`${file}.crt`, 'utf8'), readFile(`${file}.key`, 'utf8')]);
    return { certificate, key };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The key goes first: a certificate without its key would be worth nothing after a crash in between. */
export async function writeKeyPair(file: string, pair: KeyPair): Promise<void> {
  await writePrivateFile(`${file}.key`, pair.key);
  await writePrivateFile(`${file}.crt`, pair.certificate);
}

/** Whole or not at all, on disk when it resolves, and for its owner only. */
export async function writePrivateFile(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const file = await open(`${path}.new`, 'w', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}

/** When the certificate is to be renewed: after 80 % of its life. In the past for one that cannot be used. */
export function renewalMs({ certificate, key }: KeyPair, ipAddresses: readonly string[] = []): number {
  try {
    const parsed = new X509Certificate(certificate);
    if (!ipAddresses.every((ip) => parsed.checkIP(ip) !== undefined) || key === '') return -Infinity;
    const fromMs = Date.parse(parsed.validFrom);
    return fromMs + 0.8 * (Date.parse(parsed.validTo) - fromMs);
  } catch {
    // Not a certificate: a new one is needed, whatever is in the file.
    return -Infinity;
  }
}

export function hasExpired({ certificate }: KeyPair, nowMs: number): boolean {
  try {
    return Date.parse(new X509Certificate(certificate).validTo) <= nowMs;
  } catch {
    return true;
  }
}
