import { SIGNER_KUBELET_SERVING } from '../../shared/api/well-known.js';
import type { Client } from '../../shared/client/client.js';
import { pause, type Clock } from '../../shared/clock/clock.js';
import type { Log } from '../../shared/log/log.js';
import type { KeyPair } from '../../shared/pki/certificate.js';
import { hasExpired, readKeyPair, renewalMs, writeKeyPair } from './certificate-file.js';
import { requestCertificate } from './certificate-request.js';

export interface ServingCertificateOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  /** Without `.crt` and `.key`. */
  readonly file: string;
  readonly nodeName: string;
  readonly nodeIP: string;
  /** PEM of the authority that signs the apiserver's certificate. */
  readonly clientCA: string;
}
interface Material {
  readonly key: string;
  readonly cert: string;
  readonly clientCA: string;
}

/** The certificate that the kubelet serves with: from a file, or certified by the cluster, and renewed in time. */
export class ServingCertificate {
  readonly #options: ServingCertificateOptions;
  readonly #listeners = new Set<() => void>();
  #pair: KeyPair | undefined;

  constructor(options: ServingCertificateOptions) {
    this.#options = options;
  }

  /** Throws before `ready` resolved. */
  current(): Material {
    if (!this.#pair) throw new Error('the serving certificate is not there yet');
    return { key: this.#pair.key, cert: this.#pair.certificate, clientCA: this.#options.clientCA };
  }

  subscribe(onChange: () => void): () => void {
    this.#listeners.add(onChange);
    return () => void this.#listeners.delete(onChange);
  }

  /** Gets the certificate and keeps it fresh until aborted; `onFirst` is called when there is one. */
  async run(onFirst: () => Promise<void>, signal: AbortSignal): Promise<void> {
    const { clock, log, file, nodeIP } = this.#options;
    const stored = await readKeyPair(file);
    if (stored && !hasExpired(stored, clock.now()) && renewalMs(stored, [nodeIP]) > -Infinity) this.#use(stored);
    let isFirst = true;
    let failures = 0;
    while (!signal.aborted) {
      try {
        if (!this.#pair || renewalMs(this.#pair, [nodeIP]) <= clock.now()) await this.#renew(signal);
        if (isFirst) await onFirst();
        isFirst = false;
        failures = 0;
        await pause(clock, 600_000, signal);
      } catch (error) {
        if (signal.aborted) return;
        failures++;
        if (failures === 3) log.warn('the kubelet API cannot be served yet', { error });
        await pause(clock, Math.min(250 * 2 ** failures, 10_000), signal);
      }
    }
  }

  async #renew(signal: AbortSignal): Promise<void> {
    const { client, clock, log, file, nodeName, nodeIP } = this.#options;
    const pair = await requestCertificate(
      {
        signerName: SIGNER_KUBELET_SERVING,
        usages: ['digital signature', 'key encipherment', 'server auth'],
        subject: { commonName: `system:node:${nodeName}`, organizations: ['system:nodes'] },
        dnsNames: [nodeName],
        ipAddresses: [nodeIP],
      },
      { client, clock, signal, onWaiting: (name) => log.info('waiting for the approval of a certificate', { name }) },
    );
    await writeKeyPair(file, pair);
    this.#use(pair);
  }

  #use(pair: KeyPair): void {
    this.#pair = pair;
    for (const listener of this.#listeners) listener();
  }
}
